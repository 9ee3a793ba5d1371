# A neuron
from autograd import Value, scope, tanh

x1, x2 = Value(2.0, name="x1"), Value(0.0, name="x2")
w1, w2 = Value(-3.0, name="w1"), Value(1.0, name="w2")
b = Value(6.88, name="b")

with scope("neuron"):
    net = w1 * x1 + w2 * x2 + b
    net.name = "net"
    out = tanh(net)
    out.name = "out"
