# Second derivatives
import autograd as ag

# Functions of plain numbers, differentiated to any order
f = lambda x: ag.exp(-(x**2))
first, second = ag.grad(f), ag.grad(ag.grad(f))
print("f(1), f′(1), f″(1) =", f(1.0), first(1.0), second(1.0))

# All second derivatives at once
print(ag.hessian(lambda v: v[0] ** 2 * v[1])([3.0, 5.0]))

# The graph of the first derivative, which can be differentiated again
x = ag.Value(1.0, name="x")
slope = first(x)
slope.name = "slope"
