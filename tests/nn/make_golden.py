"""Makes torch_golden.json: what PyTorch computes for the same steps and losses. Run once, with PyTorch installed:

python tests/nn/make_golden.py

The tests read the file and need no PyTorch.
"""

import json
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)

GRADIENTS = [[0.3, -1.2, 0.05, 4.0], [-0.7, 0.4, 0.0, 1.5], [0.2, 0.9, -0.03, -2.5], [1.1, -0.1, 0.4, 0.0]]
START = [0.5, -1.5, 2.0, 0.1]
SETTINGS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.01, "initial_accumulator_value": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "momentum": 0.9, "centered": True, "weight_decay": 0.01}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": [0.9, 0.99], "weight_decay": 0.01}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.01, "weight_decay": 0.05}),
]
SCHEDULES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),
    ("LinearLR", {"start_factor": 0.25, "total_iters": 4}),
]
OUTPUTS, TARGETS = [0.7, -1.3, 2.4, 0.0], [0.0, 1.0, 1.0, 0.0]
ACTIVATIONS = [
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
]
ACTIVATIONS += ["hardtanh", "hardsigmoid", "hardswish", "logsigmoid"]
POINTS = [-4.0, -2.9, -1.0, -0.3, 0.0, 0.2, 1.0, 2.5, 6.5]


def optimizer(name, settings, parameters):
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    return getattr(torch.optim, name)(parameters, **settings)


def on_gradients(name, settings):
    w = torch.tensor(START, requires_grad=True)
    opt = optimizer(name, settings, [w])
    trace = []
    for k in range(25):
        w.grad = torch.tensor(GRADIENTS[k % len(GRADIENTS)])
        opt.step()
        trace.append(w.tolist())
    return trace


def on_a_net(name, settings):
    first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    with torch.no_grad():
        for layer, weight, bias in (
            (first, [[0.15, 0.2], [0.25, 0.3]], 0.35),
            (second, [[0.4, 0.45], [0.5, 0.55]], 0.6),
        ):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.fill_(bias)
    parameters = [*first.parameters(), *second.parameters()]
    opt = optimizer(name, settings, parameters)
    losses = []
    for _ in range(25):
        opt.zero_grad()
        out = torch.sigmoid(second(torch.sigmoid(first(torch.tensor([0.05, 0.1])))))
        loss = 0.5 * ((torch.tensor([0.01, 0.99]) - out) ** 2).sum()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return {"losses": losses, "weights": first.weight.flatten().tolist() + second.weight.flatten().tolist()}


def loss(function, outputs=OUTPUTS):
    x = torch.tensor(outputs, requires_grad=True)
    value = function(x, torch.tensor(TARGETS))
    value.backward()
    return {"outputs": outputs, "targets": TARGETS, "value": value.item(), "gradient": x.grad.tolist()}


def cross_entropy():
    x = torch.tensor(OUTPUTS, requires_grad=True)
    value = torch.nn.functional.cross_entropy(x[None], torch.tensor([2]))
    value.backward()
    return {"outputs": OUTPUTS, "targets": 2, "value": value.item(), "gradient": x.grad.tolist()}


def activation(name):
    x = torch.tensor(POINTS, requires_grad=True)
    y = getattr(torch.nn.functional, name)(x)
    y.sum().backward()
    return {"values": y.tolist(), "slopes": x.grad.tolist()}


def schedule(name, settings):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = getattr(torch.optim.lr_scheduler, name)(opt, **settings)
    rates = [opt.param_groups[0]["lr"]]
    for _ in range(12):
        opt.step()
        scheduler.step()
        rates.append(opt.param_groups[0]["lr"])
    return rates


def clipped(max_norm):
    w = torch.tensor(START, requires_grad=True)
    w.grad = torch.tensor(GRADIENTS[0])
    norm = torch.nn.utils.clip_grad_norm_([w], max_norm).item()
    return {"norm": norm, "gradient": w.grad.tolist()}


F = torch.nn.functional
golden = {
    "torch": torch.__version__.split("+")[0],
    "start": START,
    "gradients": GRADIENTS,
    "optimizers": [{"name": n, "settings": s, "trace": on_gradients(n, s), "net": on_a_net(n, s)} for n, s in SETTINGS],
    "schedules": [{"name": n, "settings": s, "rates": schedule(n, s)} for n, s in SCHEDULES],
    "clipped": {str(limit): clipped(limit) for limit in (1.0, 100.0)},
    "losses": {
        "mse": loss(F.mse_loss),
        "mae": loss(F.l1_loss),
        "huber": loss(F.huber_loss),
        "binary_cross_entropy": loss(F.binary_cross_entropy, [0.7, 0.2, 0.99, 0.01]),
        "bce_with_logits": loss(F.binary_cross_entropy_with_logits),
        "softmax_cross_entropy": cross_entropy(),
    },
    "activations": {"points": POINTS, **{name: activation(name) for name in ACTIVATIONS}},
}

if __name__ == "__main__":
    Path(__file__).with_name("torch_golden.json").write_text(json.dumps(golden, indent=1) + "\n")
