"""Training steps as the engine records them: one graph for each batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import autograd as ag

from .data import Rows
from .errors import Diverged
from .losses import Loss, differentiable, float_of
from .module import Module, outputs
from .optim import Optimizer, clip_grad_norm
from .prediction import mean_loss


class EagerSteps:
    """Steps of training on Values.

    Args:
        model: the model.
        loss_of: the loss of outputs and targets.
        optimizer: an optimiser over the model's parameters.
        penalty: a term that is added to each batch's loss.
        rows, targets: the training data.
        clip_norm: the largest norm of all slopes together; inf for no limit.
    """

    def __init__(
        self,
        model: Module,
        loss_of: Loss,
        optimizer: Optimizer,
        penalty: Callable[[], Any] | None,
        rows: Rows,
        targets: Rows,
        clip_norm: float = math.inf,
    ) -> None:
        self.model, self.loss_of, self.optimizer, self.penalty = model, loss_of, optimizer, penalty
        self.rows, self.targets, self.clip_norm = rows, targets, clip_norm

    def mean_loss(self, rows: Rows, targets: Rows) -> float:
        """The mean loss over data."""
        return mean_loss(self.model, rows, targets, loss=self.loss_of)

    def epoch(self, order: Sequence[int], batch_size: int) -> float:
        """One pass over the data in that order; returns the mean loss.

        Raises:
            Diverged: if a loss or a weight is not finite; the weights are then those before the step.
        """
        self.model.train()
        total = 0.0
        try:
            for start in range(0, len(order), batch_size):
                total += self._step(order[start : start + batch_size])
        finally:
            self.model.eval()
        return total / len(order)

    def _step(self, batch: Sequence[int]) -> float:
        """One step of the optimiser; returns the sum of the losses of the batch."""
        self.optimizer.zero_grad()
        losses = [self.loss_of(outputs(self.model, self.rows[i]), self.targets[i]) for i in batch]
        loss = differentiable(ag.sum(losses) / float(len(batch)))
        mean = loss.data
        if not math.isfinite(mean):
            raise Diverged(f"the loss became {mean}")
        if self.penalty is not None:
            term = self.penalty()
            float_of(term, "what the penalty returned")
            loss = loss + term
        loss.backward()
        if math.isfinite(self.clip_norm):
            clip_grad_norm(self.optimizer.params, self.clip_norm)
        params, state, steps = self.optimizer.params, self.optimizer.state, self.optimizer.steps
        before = [(p.data, dict(s)) for p, s in zip(params, state, strict=True)]
        whole = False
        try:
            self.optimizer.step()
            for p in params:
                if not math.isfinite(p.data):
                    raise Diverged(f"a weight became {p.data}")
            whole = True
        finally:
            if not whole:  # nor does an interrupt leave an incomplete step
                self.optimizer.steps = steps
                for p, s, (x, remembered) in zip(params, state, before, strict=True):
                    p.data = x
                    s.update(remembered)
        return mean * len(batch)
