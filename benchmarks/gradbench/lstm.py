"""lstm: a recurrent network's loss over a text, and its gradient in the parameters; a scan over the characters."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag

from .protocol import Call, compiled


def _layer(weights: Any, biases: Any, hidden: Any, cell: Any, x: Any) -> tuple[list[Any], list[Any]]:
    """The next hidden and cell states; the four gates stand in the parameters one after the other."""
    n = len(x)

    def net(gate: int, i: int, z: Any) -> Any:
        return z[i] * weights[gate * n + i] + biases[gate * n + i]

    new_hidden, new_cell = [], []
    for i in range(n):
        forget, out = ag.sigmoid(net(0, i, x)), ag.sigmoid(net(2, i, x))
        let, change = ag.sigmoid(net(1, i, hidden)), ag.tanh(net(3, i, hidden))
        new_cell.append(cell[i] * forget + let * change)
        new_hidden.append(out * ag.tanh(new_cell[i]))
    return new_hidden, new_cell


def _loss(main: Any, extra: Any, states: Any, sequence: Any) -> Any:
    """The mean cross entropy of every next character."""
    layers, bits = len(main) // 2, len(extra[0])

    def step(state: Any, pair: Any) -> Any:
        memory, total = state
        x, wanted = pair
        y = [a * b for a, b in zip(x, extra[0], strict=True)]
        new = []
        for k in range(layers):
            y, cell = _layer(main[2 * k], main[2 * k + 1], memory[2 * k], memory[2 * k + 1], y)
            new += [y, cell]
        predicted = [a * b + c for a, b, c in zip(y, extra[1], extra[2], strict=True)]
        norm = ag.log(2.0 + ag.sum([ag.exp(p) for p in predicted]))
        gain = ag.sum([w * (p - norm) for w, p in zip(wanted, predicted, strict=True)])
        return (new, total + gain), None

    (_, total), _ = ag.scan(step, (states, 0.0), (sequence[:-1], sequence[1:]))
    return -total / (bits * (len(sequence) - 1))


_losses = compiled(_loss)


def _arguments(given: Any) -> list[Any]:
    """One row: the whole text."""
    names = ("main_params", "extra_params", "state", "sequence")
    return [np.array([given[name]], dtype=float) for name in names]


def objective(given: Any) -> Call:
    """The loss."""
    arguments = _arguments(given)
    return lambda: _losses(*arguments)[0]


def jacobian(given: Any) -> Call:
    """Its gradient in main_params and extra_params, one after the other."""
    arguments = _arguments(given)
    return lambda: np.concatenate([g.ravel() for g in _losses.grad(*arguments, argnums=(0, 1))])


FUNCTIONS = {"objective": objective, "jacobian": jacobian}
