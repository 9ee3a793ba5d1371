"""The event log of a computation, and its players."""

from .log import Backward, Forward, Log, Update, steps

__all__ = ["Backward", "Forward", "Log", "Update", "steps"]
