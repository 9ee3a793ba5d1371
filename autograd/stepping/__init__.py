"""The event log of a computation, and its players."""

from .events import Backward, Forward, Update
from .iteration import Iteration
from .log import Log, steps

__all__ = ["Backward", "Forward", "Iteration", "Log", "Update", "steps"]
