# Gradient descent: 20 updates
import nn
from autograd import Value, steps

w = Value(-1.0, name="w")
b = Value(0.5, name="b")


def loss():
    # A line through (1, 3) and (2, 5): w becomes 2, b becomes 1
    L = (w + b - 3) ** 2 + (2 * w + b - 5) ** 2
    L.name = "L"
    return L


log = steps(loss, nn.optim.SGD([w, b], lr=0.05), updates=20)
print("losses:", ", ".join(f"{x:.4g}" for x in log.losses))
print("w =", w.data, " b =", b.data)
