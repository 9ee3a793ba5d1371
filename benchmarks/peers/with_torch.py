"""PyTorch on one processor, batched tensors and autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ..workloads import GREEKS, Work, call_price, mixed, predators, projection

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


class _Functions:
    sqrt, cos, sin, exp, log, erf = torch.sqrt, torch.cos, torch.sin, torch.exp, torch.log, torch.erf


def _network(work: Work) -> Callable[[], Any]:
    a = {k: torch.from_numpy(v) for k, v in work.arrays.items()}
    layers = len(work.sizes) - 1
    parameters = [a[f"{kind}{k}"].requires_grad_() for k in range(layers) for kind in "wb"]

    def call() -> Any:
        x = a["x"]
        for k in range(layers):
            x = torch.nn.functional.linear(x, parameters[2 * k], parameters[2 * k + 1])
            if k < layers - 1:
                x = torch.relu(x)
        loss = torch.relu(1.0 - a["t"] * x[:, 0]).mean()
        gradients = torch.autograd.grad(loss, parameters)
        return [loss.detach().numpy()[None], *[g.numpy() for g in gradients]]

    return call


moons = mlp30 = _network


def bundle(work: Work) -> Callable[[], Any]:
    """Residual and Jacobian: vectorised code, a reverse sweep for each of the two residuals."""
    a = {k: torch.from_numpy(v) for k, v in work.arrays.items()}
    camera, point = a["camera"].requires_grad_(), a["point"].requires_grad_()

    def call() -> Any:
        u, v = projection(_Functions, camera.T, point.T, a["feature"].T)
        rows = [torch.autograd.grad(r.sum(), (camera, point), retain_graph=True) for r in (u, v)]
        value = torch.stack((u, v), dim=1).detach()
        return [value.numpy(), *[torch.stack(pair, dim=1).numpy() for pair in zip(*rows, strict=True)]]

    return call


def greeks(work: Work) -> Callable[[], Any]:
    """Price and first derivatives."""
    columns = [torch.from_numpy(x) for x in work.arrays.values()]
    wanted = [columns[k].requires_grad_() for k in GREEKS]

    def call() -> Any:
        price = call_price(_Functions, columns)
        return [price.detach().numpy(), *(g.numpy() for g in torch.autograd.grad(price.sum(), wanted))]

    return call


def options(work: Work) -> Callable[[], Any]:
    """Price, gradient, Hessian by differentiating the gradient."""
    market = torch.from_numpy(work.arrays["market"])

    def call() -> Any:
        columns = [market[:, k].clone().requires_grad_() for k in range(5)]
        price = call_price(_Functions, columns)
        gradient = torch.autograd.grad(price.sum(), columns, create_graph=True)
        lines = [torch.autograd.grad(g.sum(), columns, retain_graph=True, materialize_grads=True) for g in gradient]
        second = torch.stack([torch.stack(line, dim=1) for line in lines], dim=1)
        return [price.detach().numpy(), torch.stack(gradient, dim=1).detach().numpy(), second.numpy()]

    return call


def lotka(work: Work) -> Callable[[], Any]:
    """Value and gradient."""
    rates = torch.from_numpy(work.arrays["rates"]).requires_grad_()

    def call() -> Any:
        value = predators(rates.T)
        (gradient,) = torch.autograd.grad(value.sum(), rates)
        return [value.detach().numpy(), gradient.numpy()]

    return call


def west(work: Work) -> Callable[[], Any]:
    """Value and gradient of one row."""
    x = torch.from_numpy(work.arrays["x"]).requires_grad_()

    def call() -> Any:
        value = mixed(_Functions, list(x))
        (gradient,) = torch.autograd.grad(value, x)
        return [value.detach().numpy()[None], gradient.numpy()]

    return call


def logistic(work: Work) -> Callable[[], Any]:
    """Loss and gradient."""
    a = {k: torch.from_numpy(v) for k, v in work.arrays.items()}
    w = a["w"].requires_grad_()

    def call() -> Any:
        z = a["x"] @ w[:10] + w[10]
        loss = (torch.nn.functional.softplus(z) - a["t"] * z).mean()
        (gradient,) = torch.autograd.grad(loss, w)
        return [loss.detach().numpy()[None], gradient.numpy()]

    return call
