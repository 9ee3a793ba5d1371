# Why a derivative is 0: a dead ReLU
from autograd import Value, explain, relu

x = Value(2.0, name="x")
w = Value(-1.0, name="w")
b = Value(0.5, name="b")

# The net input is negative, so the ReLU passes nothing on
net = w * x + b
net.name = "net"
out = relu(net)
out.name = "out"
L = (out - 1) ** 2
L.name = "L"

explain(L, wrt=w)
