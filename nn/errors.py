"""The exception that ends an epoch."""

from __future__ import annotations


class Diverged(Exception):  # noqa: N818  (used inside this package only)
    """The loss or a weight is no longer finite; the weights are those before the step."""
