# One expression
from autograd import Value, sin

x = Value(2.0, name="x")
y = Value(0.5, name="y")
z = sin(x * y) + x**2
z.name = "z"

# backward() fills in .grad of every leaf
z.backward()
print("∂z/∂x =", x.grad)
print("∂z/∂y =", y.grad)
