"""Optimisers: each is its update rule; names, formulas and defaults are PyTorch's."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, ClassVar, NamedTuple

from autograd import ArgumentError, InputError, Value, maximum
from autograd.arguments import whole
from autograd.javascript import Expression
from autograd.text import shown

from .text import choose, number

MOST_EPOCHS = 2**53  # of a schedule: whole numbers up to here are exact as floats

Terms = dict[str, float]
Check = Callable[[str, Any], Any]  # a setting's name and the given value -> the stored value


class Update(NamedTuple):
    """The update of one parameter: ``formula`` with the numbers in ``terms`` (``w`` old value, ``g`` gradient)."""

    parameter: Value
    old: float
    gradient: float
    new: float
    formula: str
    terms: Terms


class Optimizer:
    """Base class: holds the parameters and the state of each, and updates them.

    Args:
        params: the leaf Values to train, usually ``model.parameters()``.
        lr: the learning rate η; may be changed between steps, as schedules do.
        weight_decay: adds ``weight_decay·w`` to each gradient.

    Raises:
        ArgumentError: if there are no parameters, or a setting is outside its range.
        InputError: if a parameter is not a leaf Value.
    """

    formula = "w"  # the new value, in the names that ``rule`` gives
    memory: Terms = {}  # what is remembered of each parameter, and where it starts  # noqa: RUF012
    checks: ClassVar[Mapping[str, Check]] = {}  # its own settings, with the check of each
    squares: ClassVar[frozenset[str]] = frozenset()  # the parts of the state that are never negative

    def __init__(self, params: Iterable[Value], lr: float, weight_decay: float = 0.0, **settings: Any) -> None:
        if not isinstance(params, Iterable):
            raise InputError(f"an optimiser takes a list of leaf Values, not {shown(params)}")
        self.params = list(params)
        if not self.params:
            raise ArgumentError("an optimiser needs at least one parameter; was model.parameters() already used up?")
        for p in self.params:
            if not isinstance(p, Value) or p.inputs:
                raise InputError(f"an optimiser trains leaf Values, not {shown(p)}")
        if len(set(self.params)) != len(self.params):
            raise ArgumentError("a parameter is listed twice; each would be updated twice a step")
        self.lr = self.weight_decay = 0.0
        self.apply_settings({"lr": lr, "weight_decay": weight_decay, **settings})
        self.steps = 0
        self.state: list[Terms] = [dict(self.memory) for _ in self.params]

    def apply_settings(self, settings: Mapping[str, Any]) -> None:
        """Check and store settings, for the constructor and for ``load_state_dict``."""
        for name, x in settings.items():
            check = {"lr": at_least_zero, "weight_decay": at_least_zero, **self.checks}.get(name)
            setattr(self, name, x if check is None else check(name, x))
        self.configure()

    def configure(self) -> None:
        """Reject settings that contradict each other, and set ``memory`` and ``formula`` if they depend on settings."""

    def updates(self) -> Iterator[Update]:
        """Make a step: update the parameters one by one, and yield each update."""
        self.begin()
        for parameter, remembered in zip(self.params, self.state, strict=True):
            old, gradient = parameter.data, parameter.grad
            new, terms = self.rule(old, gradient + self.weight_decay * old, remembered)
            parameter.data = new
            yield Update(parameter, old, gradient, new, self.formula, terms)

    def begin(self) -> None:
        """Count a step; subclasses compute here what is the same for all parameters."""
        self.steps += 1

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The new value of a parameter, and the numbers in the formula; on arrays, those of many parameters.

        It is also run on JavaScript's expressions (``autograd.javascript``) and on Values of a function that is being
        compiled, so it branches on settings and on whether this is the first step only.

        Args:
            w: the parameter.
            g: its gradient, weight decay included.
            s: its state, which the rule updates.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a rule method")

    def step(self) -> None:
        """Update every parameter once."""
        for _ in self.updates():
            pass

    def zero_grad(self) -> None:
        """Set every parameter's gradient to zero."""
        for parameter in self.params:
            parameter.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to continue: the number of steps, the settings, and the state of each parameter."""
        memory = [dict(s) for s in self.state]
        settings = self.settings()
        return {"kind": type(self).__name__, "steps": self.steps, "lr": self.lr, "settings": settings, "state": memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state_dict``; all or nothing. Its settings are checked as the constructor checks them.

        Raises:
            ArgumentError: if it is of another optimiser, or of another number of parameters, or an invalid setting
                or number is in it.
            InputError: if a number is not one.
        """
        if not isinstance(state, Mapping) or {"kind", "steps", "lr", "state"} - set(state):
            raise ArgumentError("this is no optimiser's state: it needs kind, steps, lr and state")
        kind = state["kind"]
        if not isinstance(kind, str) or kind != type(self).__name__:
            raise ArgumentError(f"this state is of {shown(kind)}, not of {type(self).__name__}")
        try:
            rows = [{str(name): Value(x).data for name, x in row.items()} for row in state["state"]]
            steps, settings = int(state["steps"]), dict(state.get("settings", {}))
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ArgumentError(f"this optimiser's state is damaged: {error}") from None
        if steps != state["steps"] or not 0 <= steps <= 2**53:
            raise ArgumentError(
                f"this optimiser's state is damaged: steps is a number from 0 on, not {shown(state['steps'])}"
            )
        for row in rows:
            for name, x in row.items():
                if not math.isfinite(x) or (x < 0.0 and name in self.squares):
                    raise ArgumentError(f"this optimiser's state is damaged: it remembers {name} = {x!r}")
        own = self.settings()
        for name, x in settings.items():
            if name not in own or type(x) is not type(own[name]):
                raise ArgumentError(
                    f"this state has the setting {name} = {shown(x)}, which {type(self).__name__} cannot take"
                )
            if isinstance(x, list):
                settings[name] = tuple(x)
        other = copy(self)  # everything is checked first, so that nothing changes if there is an error
        other.apply_settings({"lr": state["lr"], **settings})
        memory = other.memory
        if len(rows) != len(self.params) or any(set(row) != set(memory) for row in rows):
            raise ArgumentError(
                f"this state is of {len(rows)} parameters with {', '.join(rows[0]) if rows else 'nothing'}; "
                f"{len(self.params)} parameters with {', '.join(memory) or 'nothing'} are needed"
            )
        other.steps, other.state = steps, rows
        vars(self).update(vars(other))

    def __repr__(self) -> str:
        settings = "".join(f", {name}={shown(x)}" for name, x in {"lr": self.lr, **self.settings()}.items())
        many = f"{len(self.params)} parameter" + "s" * (len(self.params) != 1)
        return f"{type(self).__name__}({many}{settings})"

    def _repr_html_(self) -> str:
        from .display import optimizer

        return optimizer(type(self).__name__, len(self.params), self.formula, {"lr": self.lr, **self.settings()})

    def settings(self) -> dict[str, Any]:
        """The settings except the learning rate, as JSON types."""
        taken = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items() if not k.startswith("_")}
        for name in ("params", "state", "steps", "lr", "memory", "formula"):
            taken.pop(name, None)
        return taken


def _sqrt(x: Any) -> Any:
    if type(x) is float:
        return math.sqrt(x)
    if isinstance(x, Expression | Value):
        return x.sqrt()
    import numpy as np

    return np.sqrt(x)


def _larger(x: Any, y: Any) -> Any:
    if type(x) is float:
        return max(x, y)
    if isinstance(x, Expression):
        return x.max(y)
    if isinstance(x, Value):
        return maximum(x, y)
    import numpy as np

    return np.maximum(x, y)


# The checks of settings: each one returns the number to store, or raises an ArgumentError that names it.


def at_least_zero(what: str, x: Any) -> float:
    """A finite number that is not negative."""
    found = _finite(what, x)
    if found < 0.0:
        raise ArgumentError(f"{what} must be a finite number that is not negative, not {shown(x)}")
    return found


def _finite(what: str, x: Any) -> float:
    found = number(what, x)
    if not math.isfinite(found):
        raise ArgumentError(f"{what} must be a finite number, not {shown(x)}")
    return found


def _above_zero(what: str, x: Any) -> float:
    found = at_least_zero(what, x)
    if found == 0.0:
        raise ArgumentError(f"{what} must be above 0: it keeps a division from being by 0")
    return found


def _fraction(what: str, x: Any) -> float:
    found = number(what, x)
    if not 0.0 <= found < 1.0:
        raise ArgumentError(f"{what} must be at least 0 and below 1, not {shown(x)}")
    return found


def _betas(what: str, betas: Any) -> tuple[float, float]:
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ArgumentError(f"{what} are two numbers, for example (0.9, 0.999), not {shown(betas)}")
    return _fraction(f"{what}[0]", betas[0]), _fraction(f"{what}[1]", betas[1])


def _flag(what: str, x: Any) -> bool:
    if not isinstance(x, bool):
        raise ArgumentError(f"{what} is True or False, not {shown(x)}")
    return x


class SGD(Optimizer):
    """Gradient descent, w ← w − η·v; with momentum v is a decaying sum of gradients, as in PyTorch.

    Args:
        params: the leaf Values to train.
        lr: the learning rate η, from 0 on.
        momentum: the share μ of v that is kept at each step, from 0 on.
        dampening: the share of a gradient that does not enter v.
        weight_decay: adds ``weight_decay·w`` to each gradient.
        nesterov: use Nesterov's momentum (1983); needs a momentum and no dampening.

    Raises:
        ArgumentError, InputError: as ``Optimizer``.

    >>> w = Value(1.0)
    >>> opt = SGD([w], lr=0.1)
    >>> (w * w).backward()
    >>> opt.step()
    >>> w.data
    0.8
    """

    formula = "w - lr * g"
    checks: ClassVar[Mapping[str, Check]] = {"momentum": at_least_zero, "dampening": _finite, "nesterov": _flag}
    momentum: float
    dampening: float
    nesterov: bool

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay, momentum=momentum, dampening=dampening, nesterov=nesterov)

    def configure(self) -> None:
        """Nesterov's rule needs a momentum; with a momentum, v is kept."""
        if self.nesterov and (self.momentum == 0.0 or self.dampening != 0.0):
            raise ArgumentError("nesterov needs a momentum, and no dampening")
        self.memory = {"v": 0.0} if self.momentum else {}

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """v ← μ·v + (1 − dampening)·g; w ← w − η·v, or with Nesterov w − η·(g + μ·v)."""
        if self.momentum:
            s["v"] = g if self.steps == 1 else self.momentum * s["v"] + (1.0 - self.dampening) * g
            g = g + self.momentum * s["v"] if self.nesterov else s["v"]
        return w - self.lr * g, {"w": w, "lr": self.lr, "g": g}


class Adagrad(Optimizer):
    """Rates that fall with the sum of squared gradients (Duchi et al. 2011).

    Args:
        params: the leaf Values to train.
        lr: the learning rate η, from 0 on.
        lr_decay: the rate of step t is η/(1 + (t − 1)·lr_decay).
        weight_decay: adds ``weight_decay·w`` to each gradient.
        initial_accumulator_value: where the sum starts, from 0 on.
        eps: added to the root of the sum, above 0.

    Raises:
        ArgumentError, InputError: as ``Optimizer``.

    >>> w = Value(1.0)
    >>> w.grad = 8.0
    >>> Adagrad([w], lr=0.25).step()
    >>> f"{w.data:.6f}"
    '0.750000'
    """

    formula = "w - lr * g / (sqrt(sum) + eps)"
    squares = frozenset({"sum"})
    checks: ClassVar[Mapping[str, Check]] = {"lr_decay": at_least_zero, "eps": _above_zero}
    lr_decay: float
    eps: float

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        self.memory = {"sum": at_least_zero("initial_accumulator_value", initial_accumulator_value)}
        super().__init__(params, lr, weight_decay, lr_decay=lr_decay, eps=eps)

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """sum ← sum + g²; w ← w − η·g/(√sum + ε)."""
        rate = self.lr / (1.0 + (self.steps - 1) * self.lr_decay)
        s["sum"] = s["sum"] + g * g
        new = w - rate * (g / (_sqrt(s["sum"]) + self.eps))
        return new, {"w": w, "lr": rate, "g": g, "sum": s["sum"], "eps": self.eps}


class Adadelta(Optimizer):
    """Steps in proportion to past steps (Zeiler 2012).

    Args:
        params: the leaf Values to train.
        lr: a factor for each step, 1 in the paper.
        rho: the share of both means of squares that is kept at each step, from 0 to below 1.
        eps: added under both roots, above 0; it determines the size of the first steps.
        weight_decay: adds ``weight_decay·w`` to each gradient.

    Raises:
        ArgumentError, InputError: as ``Optimizer``.
    """

    formula = "w - lr * g * sqrt(delta + eps) / sqrt(v + eps)"
    memory = {"v": 0.0, "delta": 0.0}  # noqa: RUF012
    squares = frozenset({"v", "delta"})
    checks: ClassVar[Mapping[str, Check]] = {"rho": _fraction, "eps": _above_zero}
    rho: float
    eps: float

    def __init__(
        self, params: Iterable[Value], lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, lr, weight_decay, rho=rho, eps=eps)

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """v ← ρ·v + (1 − ρ)·g²; Δ = g·√(delta + ε)/√(v + ε); delta ← ρ·delta + (1 − ρ)·Δ²; w ← w − η·Δ."""
        s["v"] = self.rho * s["v"] + (1.0 - self.rho) * g * g
        before = s["delta"]
        change = _sqrt(before + self.eps) / _sqrt(s["v"] + self.eps) * g
        s["delta"] = self.rho * before + (1.0 - self.rho) * change * change
        terms = {"w": w, "lr": self.lr, "g": g, "delta": before, "v": s["v"], "eps": self.eps}
        return w - self.lr * change, terms


class RMSprop(Optimizer):
    """Rates that fall with the decaying mean of squared gradients (Hinton 2012).

    Args:
        params: the leaf Values to train.
        lr: the learning rate η, from 0 on.
        alpha: the share of the mean of squares that is kept at each step, from 0 to below 1.
        eps: added to the root, above 0.
        weight_decay: adds ``weight_decay·w`` to each gradient.
        momentum: the share of the last step that is added to the next, from 0 on.
        centered: divide by the standard deviation of the gradients, not by their root mean square (Graves 2013).

    Raises:
        ArgumentError, InputError: as ``Optimizer``.
    """

    squares = frozenset({"v"})
    checks: ClassVar[Mapping[str, Check]] = {
        "alpha": _fraction,
        "eps": _above_zero,
        "momentum": at_least_zero,
        "centered": _flag,
    }
    alpha: float
    eps: float
    momentum: float
    centered: bool

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay, alpha=alpha, eps=eps, momentum=momentum, centered=centered)

    def configure(self) -> None:
        """The state and the formula depend on ``momentum`` and ``centered``."""
        kept = ["v", *(["mean"] if self.centered else []), *(["buffer"] if self.momentum else [])]
        self.memory = dict.fromkeys(kept, 0.0)
        self.formula = "w - lr * buffer" if self.momentum else "w - lr * g / (sqrt(v) + eps)"

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """v ← α·v + (1 − α)·g²; w ← w − η·g/(√v + ε); centred: v less the squared mean gradient."""
        v = s["v"] = self.alpha * s["v"] + (1.0 - self.alpha) * g * g
        if self.centered:
            s["mean"] = s["mean"] + (1.0 - self.alpha) * (g - s["mean"])
            v = v - s["mean"] * s["mean"]
        scaled = g / (_sqrt(_larger(v, 0.0)) + self.eps)
        terms = {"w": w, "lr": self.lr, "g": g, "v": v, "eps": self.eps}
        if self.momentum:
            scaled = s["buffer"] = terms["buffer"] = self.momentum * s["buffer"] + scaled
        return w - self.lr * scaled, terms


class Adam(Optimizer):
    """Bias-corrected means of the gradient and of its square (Kingma & Ba 2015).

    Args:
        params: the leaf Values to train.
        lr: the learning rate η, from 0 on: about how far a weight moves at a step.
        betas: the shares of the two means that are kept at each step, from 0 to below 1.
        eps: added to the root, above 0.
        weight_decay: adds ``weight_decay·w`` to each gradient.

    Raises:
        ArgumentError, InputError: as ``Optimizer``.

    >>> w = Value(1.0)
    >>> w.grad = 1000.0
    >>> Adam([w], lr=0.5).step()
    >>> f"{w.data:.6f}"
    '0.500000'
    """

    formula = "w - lr * m / (sqrt(v) + eps)"
    squares = frozenset({"v"})
    checks: ClassVar[Mapping[str, Check]] = {"betas": _betas, "eps": _above_zero}
    betas: tuple[float, float]
    eps: float
    memory = {"m": 0.0, "v": 0.0}  # noqa: RUF012

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay, betas=betas, eps=eps)

    def begin(self) -> None:
        """Count a step; the bias corrections are the same for all parameters."""
        super().begin()
        first, second = self.betas
        self._bias = 1.0 - first**self.steps, _sqrt(1.0 - second**self.steps)

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; w ← w − η·m̂/(√v̂ + ε)."""
        first, second = self.betas
        bias, root = self._bias
        m = s["m"] = first * s["m"] + (1.0 - first) * g
        v = s["v"] = second * s["v"] + (1.0 - second) * g * g
        new = w - self.lr / bias * (m / (_sqrt(v) / root + self.eps))
        return new, {"w": w, "lr": self.lr, "m": m / bias, "v": v / (root * root), "eps": self.eps}


class AdamW(Adam):
    """Adam with weight decay applied separately from the gradient (Loshchilov & Hutter 2019).

    The arguments are those of ``Adam``; ``weight_decay`` shrinks each weight by the factor 1 − η·weight_decay.
    """

    checks: ClassVar[Mapping[str, Check]] = {
        **Adam.checks,
        "decay": lambda _, x: at_least_zero("weight_decay", x),
    }
    decay: float

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps)
        self.apply_settings({"decay": weight_decay})

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """w ← w·(1 − η·λ), then Adam's rule."""
        return super().rule(w * (1.0 - self.lr * self.decay), g, s)


class Adamax(Optimizer):
    """Adam with the largest recent gradient instead of the mean square, without bias correction of it.

    The arguments are those of ``Adam``; the second of ``betas`` is the share of the largest gradient that is kept.
    Source: Kingma & Ba (2015), section 7.
    """

    formula = "w - lr * m / u"
    squares = frozenset({"u"})
    checks: ClassVar[Mapping[str, Check]] = {"betas": _betas, "eps": _above_zero}
    betas: tuple[float, float]
    eps: float
    memory = {"m": 0.0, "u": 0.0}  # noqa: RUF012

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay, betas=betas, eps=eps)

    def rule(self, w: Any, g: Any, s: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """m ← β₁·m + (1 − β₁)·g; u ← max(β₂·u, |g| + ε); w ← w − η/(1 − β₁ᵗ)·m/u (Kingma & Ba 2015, section 7)."""
        first, second = self.betas
        bias = 1.0 - first**self.steps
        m = s["m"] = first * s["m"] + (1.0 - first) * g
        u = s["u"] = _larger(second * s["u"], abs(g) + self.eps)
        return w - self.lr / bias * (m / u), {"w": w, "lr": self.lr, "m": m / bias, "u": u}


OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__.lower(): kind for kind in (SGD, Adagrad, Adadelta, RMSprop, Adam, AdamW, Adamax)
}


def by_name(name: str) -> type[Optimizer]:
    """The optimiser of that name, in any case: ``"adam"``, ``"SGD"``."""
    return choose("optimiser", name.lower() if isinstance(name, str) else name, OPTIMIZERS)


# Gradient clipping ---------------------------------------------------------------------------------------------------


def clip_grad_norm(params: Iterable[Value], max_norm: float) -> float:
    """Scale all gradients down so that their common norm is at most ``max_norm``; returns the norm before.

    Args:
        params: Values, usually ``model.parameters()``, after ``backward``.
        max_norm: the largest Euclidean norm of all their gradients together, from 0 on.

    Raises:
        ArgumentError: if ``max_norm`` is negative or not finite.
        InputError: if something is no Value.

    >>> w = Value(0.0); w.grad = 8.0
    >>> clip_grad_norm([w], 2.0), round(w.grad, 5)
    (8.0, 2.0)
    """
    params, limit = _values(params), at_least_zero("max_norm", max_norm)
    norm = math.hypot(*(p.grad for p in params))
    scale = clipping(norm, limit)
    if scale != 1.0:
        for p in params:
            p.grad *= scale
    return norm


def clipping(norm: float, limit: float) -> float:
    """The factor that brings a norm down to a limit, as in PyTorch; 1 if it is small enough."""
    return limit / (norm + 1e-6) if norm + 1e-6 > limit else 1.0


def clip_grad_value(params: Iterable[Value], clip_value: float) -> None:
    """Limit every gradient to [−clip_value, clip_value].

    >>> w = Value(0.0); w.grad = -8.0
    >>> clip_grad_value([w], 2.0)
    >>> w.grad
    -2.0
    """
    params, limit = _values(params), at_least_zero("clip_value", clip_value)
    for p in params:
        p.grad = min(max(p.grad, -limit), limit)


def _values(params: Iterable[Value]) -> list[Value]:
    found = list(params) if isinstance(params, Iterable) else [params]
    for p in found:
        if not isinstance(p, Value):
            raise InputError(
                f"gradients of a list of Values are clipped, usually model.parameters(), not of {shown(p)}"
            )
    return found


# Schedules -----------------------------------------------------------------------------------------------------------


class Schedule:
    """Sets an optimiser's learning rate for each epoch: call ``step()`` after each, or give it to ``nn.fit``.

    Args:
        optimizer: its ``lr`` is the initial rate of the schedule.

    Raises:
        ArgumentError: if a setting is outside its range.
        InputError: if the optimiser is no Optimizer.

    >>> opt = SGD([Value(1.0)], lr=0.5)
    >>> schedule = ExponentialLR(opt, 0.5)
    >>> schedule.step()
    >>> opt.lr
    0.25
    """

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise InputError(f"a schedule sets the rate of an Optimizer, not of {shown(optimizer)}")
        self.optimizer, self.base, self.epoch = optimizer, optimizer.lr, 0
        optimizer.lr = self.rate(0)

    def rate(self, epoch: int) -> float:
        """The learning rate in that epoch, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} needs a rate method")

    def step(self) -> None:
        """Go to the next epoch."""
        self.epoch += 1
        self.optimizer.lr = self.rate(self.epoch)

    def state_dict(self) -> dict[str, Any]:
        """What is needed to continue: the epoch, and the rate that the schedule began with."""
        return {"kind": type(self).__name__, "base": self.base, "epoch": self.epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a ``state_dict``, and set the optimiser's rate.

        Raises:
            ArgumentError: if it is of another kind of schedule, or a number is missing or no such number.
        """
        if not isinstance(state, Mapping) or state.get("kind") != type(self).__name__ or set(state) != _SCHEDULED:
            raise ArgumentError(f"this is no state of a {type(self).__name__}: {shown(state)}")
        base, epoch = at_least_zero("base", state["base"]), whole("epoch", state["epoch"], least=0)
        self.begin(base)
        self.epoch = epoch
        self.optimizer.lr = self.rate(epoch)

    def begin(self, base: float) -> None:
        """Set the initial rate."""
        self.base = base


_SCHEDULED = {"kind", "base", "epoch"}


class SequentialLR(Schedule):
    """Schedules one after the other, for example a warm-up and then a decay.

    Args:
        optimizer: its rate before the first of the schedules was made is the initial rate of all of them.
        schedules: the schedules, all of this optimiser.
        milestones: the epochs at which each but the first begins; each counts its epochs from there.

    >>> opt = SGD([Value(1.0)], lr=1.0)
    >>> schedule = SequentialLR(opt, [LinearLR(opt, 0.5, total_iters=2), ExponentialLR(opt, 0.5)], milestones=[2])
    >>> [schedule.rate(epoch) for epoch in range(5)]
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, schedules: Sequence[Schedule], milestones: Sequence[int]) -> None:
        self.schedules, self.milestones = list(schedules), [whole("a milestone", m) for m in milestones]
        if not self.schedules or any(
            not isinstance(x, Schedule) or x.optimizer is not optimizer for x in self.schedules
        ):
            raise ArgumentError("SequentialLR takes schedules of its own optimiser, at least one")
        if len(self.milestones) != len(self.schedules) - 1 or self.milestones != sorted(set(self.milestones)):
            raise ArgumentError(
                f"{len(self.schedules)} schedules need {len(self.schedules) - 1} milestones in rising order, "
                f"not {shown(list(milestones))}"
            )
        super().__init__(optimizer)
        self.begin(self.schedules[0].base)
        optimizer.lr = self.rate(0)

    def rate(self, epoch: int) -> float:
        """That of the schedule which the epoch belongs to."""
        k = bisect_right(self.milestones, epoch)
        return self.schedules[k].rate(epoch - ([0, *self.milestones][k]))

    def begin(self, base: float) -> None:
        """Set the initial rate."""
        self.base = base
        for schedule in self.schedules:
            schedule.begin(base)


class StepLR(Schedule):
    """The rate times gamma every ``step_size`` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = whole("step_size", step_size), at_least_zero("gamma", gamma)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """η·γ^⌊epoch/step_size⌋."""
        return self.base * self.gamma ** (epoch // self.step_size)


class ExponentialLR(Schedule):
    """The rate times gamma every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = at_least_zero("gamma", gamma)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """η·γ^epoch."""
        return self.base * self.gamma**epoch


class CosineAnnealingLR(Schedule):
    """Half a cosine from the rate down to ``eta_min`` over ``T_max`` epochs (Loshchilov & Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:  # noqa: N803  (PyTorch's name)
        self.period, self.eta_min = whole("T_max", T_max, most=MOST_EPOCHS), at_least_zero("eta_min", eta_min)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """η_min + ½(η − η_min)(1 + cos(π·epoch/T_max))."""
        return self.eta_min + 0.5 * (self.base - self.eta_min) * (1.0 + math.cos(math.pi * epoch / self.period))


class LinearLR(Schedule):
    """Warm-up: from ``start_factor`` times the rate to the rate over ``total_iters`` epochs."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1.0 / 3.0, total_iters: int = 5) -> None:
        self.start, self.total = at_least_zero("start_factor", start_factor), whole("total_iters", total_iters)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """η·(start + (1 − start)·min(epoch/total, 1))."""
        return self.base * (self.start + (1.0 - self.start) * min(epoch / self.total, 1.0))
