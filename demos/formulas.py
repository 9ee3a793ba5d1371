"""Three formulas of tutorial 001 and the result of a gradient check.

It teaches the chain rule on sin(x² + 2), and why derivatives that were derived by hand need a check: the tutorial's
slope of the mean absolute error is wrong, and so is its slope of a sigmoid where it uses the net input instead of the
output. Its AdaMax uses one norm for a whole layer instead of the largest gradient of each weight.

Source: tutorial 001, sections 1.3.2.1, 1.3.2.2, 2.2 and 3.6; AdaMax as published: Kingma & Ba (2015), section 7.
"""

from __future__ import annotations

import argparse
import math

import autograd as ag
from autograd import Value
from autograd.language import translate
from nn import optim

from .common import figure, heading, paragraph, save, show_steps

# As the tutorial writes them: the slope of |ŷ − y| without its sign, and out·(1 − out) with the net input for out.
tutorial_mae = ag.operation("tutorial_mae", lambda p, t: abs(p - t), lambda z, p, t: abs(p - t), lambda z, p, t: 0.0)
tutorial_sigmoid = ag.operation("tutorial_sigmoid", ag.sigmoid, lambda z, x: x * (1.0 - x))


def composed() -> Value:
    """sin(x² + 2) at x = 0.5."""
    u = Value(0.5, name="x") ** 2 + 2.0
    u.name = "u"
    f: Value = ag.sin(u)
    f.name = "f"
    return f


class TutorialAdamax(optim.Adamax):
    """AdaMax as in the tutorial: one u for all weights, its root, and the rate corrected by β₂."""

    def begin(self) -> None:
        """Compute u, the same for all parameters: the larger of its last value and the norm of the gradient."""
        super().begin()
        norm = math.hypot(*(p.grad for p in self.params))
        self._largest = max(getattr(self, "_largest", 0.0), norm)

    def rule(self, w: float, g: float, s: optim.Terms) -> tuple[float, optim.Terms]:
        """w ← w − η/(1 − β₂ᵗ)·m̂/(√u + ε), as in the code of the tutorial."""
        first, second = self.betas
        s["m"] = first * s["m"] + (1.0 - first) * g
        corrected = s["m"] / (1.0 - first**self.steps)
        rate = self.lr / (1.0 - second**self.steps)
        new = w - rate * corrected / (math.sqrt(self._largest) + self.eps)
        return new, {"w": w, "lr": rate, "m": corrected, "u": math.sqrt(self._largest)}


def moved(kind: type[optim.Adamax], gradients: tuple[float, float] = (1.0, 1e-3)) -> list[float]:
    """The change of two weights with these gradients in a first step with η = 0.002."""
    weights = [Value(0.0), Value(0.0)]
    for w, g in zip(weights, gradients, strict=True):
        w.grad = g
    kind(weights, lr=0.002).step()
    return [w.data for w in weights]


def main(args: argparse.Namespace) -> None:
    """Run the demo."""
    f = composed()
    if args.show:
        show_steps(args, ag.steps(f))
        return
    heading(translate("The chain rule: sin(x² + 2)"))
    print(ag.explain(f, "x"))
    print("  " + translate("(the tutorial writes 2x·cos(x) on the way to 2x·cos(x² + 2): u was meant)"))
    save(ag.draw(f), args.out, "formulas.svg")

    heading(translate("The slope of the mean absolute error"))
    print(ag.gradcheck(lambda p: tutorial_mae(p, 3.0), 2.5))
    paragraph(translate("The slope of |ŷ − y| is the sign of ŷ − y; the tutorial returns its size. As nn.mae has it:"))
    print(ag.gradcheck(lambda p: abs(p - 3.0), 2.5))

    heading(translate("The slope of a sigmoid"))
    print(ag.gradcheck(tutorial_sigmoid, 0.3775))
    paragraph(
        translate(
            "σ′ = σ(x)·(1 − σ(x)): the factors are made of the sigmoid's output. Formula (3) has its input there; the "
            "tutorial's code has it right."
        )
    )

    heading(translate("AdaMax: the first step for gradients 1 and 0.001"))
    for title, kind in (
        (translate("{weight}, as published"), optim.Adamax),
        (translate("{weight}, as the tutorial has it"), TutorialAdamax),
    ):
        for name, x in zip(("w1", "w2"), moved(kind), strict=True):
            figure(title.format(weight=name), x)
    paragraph(
        translate(
            "AdaMax divides each weight's mean gradient by that weight's largest: both weights move by η. With one "
            "norm for the layer the second moves a thousandth as far as the first, and dividing η by 1 − β₂ᵗ instead "
            "of 1 − β₁ᵗ makes the first step a thousand times too long."
        )
    )
