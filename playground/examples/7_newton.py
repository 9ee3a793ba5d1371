# A loop: Newton's method for √2
from autograd import Value, scope

a = Value(2.0, name="a")
x = Value(1.0, name="x0")

# A scope for each turn of the loop
for k in range(1, 5):
    with scope(f"step {k}"):
        x = x - (x * x - a) / (2 * x)
        x.name = f"x{k}"

# The derivative of the root: 1 / (2·√a)
x.backward()
print("√a =", x.data)
print("∂√a/∂a =", a.grad)
