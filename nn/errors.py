"""The exception that training steps end an epoch with."""

from __future__ import annotations


class Diverged(Exception):  # noqa: N818  (never seen outside this package)
    """The loss or a weight is not finite any more; the weights are those before the step."""
