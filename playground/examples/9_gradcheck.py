# A wrong slope, found by a gradient check
import autograd as ag

# An operation of our own; the slope should be 3·x²
cube = ag.operation("cube", lambda x: x**3, lambda z, x: 2 * x**2)


def f(x, y):
    return ag.sin(x) * cube(y)


ag.gradcheck(f, 0.5, 2.0)
