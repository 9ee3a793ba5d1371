"""The event log of a computation, and its players."""

from .events import Backward, Forward, Update
from .log import Log, steps

__all__ = ["Backward", "Forward", "Log", "Update", "steps"]
