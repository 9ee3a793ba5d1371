# Two paths that add up
from autograd import Value

a = Value(2.0, name="a")
b = Value(1.0, name="b")

# b reaches e along two paths, through c and through d
c = a + b
c.name = "c"
d = b + 1
d.name = "d"
e = c * d
e.name = "e"
