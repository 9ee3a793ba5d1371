# A network: 0.05, 0.10 → 0.01, 0.99
import nn
from autograd import Value, steps

model = nn.MLP(
    2,
    [2, 2],
    activation="sigmoid",
    output_activation="sigmoid",
    weights=[[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]],
    biases=[0.35, 0.60],
    share_bias=True,
    train_bias=False,
    names=True,
)
i1 = Value(0.05, name="i1")
i2 = Value(0.10, name="i2")
E = nn.half_squared_error(model([i1, i2]), (0.01, 0.99), names=["E_o1", "E_o2"])
E.name = "E"

# Forward, backward, and one step of gradient descent
steps(E, nn.optim.SGD(model.parameters(), lr=0.5))
