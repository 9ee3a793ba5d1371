"""Other packages and files that have the name of one of ours: they are found at import, and named."""

from __future__ import annotations

import os
from types import ModuleType


def warn_of_namesake(init: str) -> None:
    """Warn if HIPS autograd, which has the import name of this library, is installed into the same folder.

    Args:
        init: the path of this package's ``__init__.py``.
    """
    if os.path.exists(os.path.join(os.path.dirname(init), "tracer.py")):  # a file of HIPS autograd
        import warnings

        warnings.warn(
            f"the packages 'autograd' (HIPS) and 'scalar-autograd' are both installed into {os.path.dirname(init)}, "
            "and have replaced files of each other. Keep one:  pip uninstall autograd scalar-autograd  and install "
            "one of them again",
            RuntimeWarning,
            stacklevel=3,
        )


def check(module: ModuleType, name: str) -> None:
    """Check that a package is the one of this library, which has that name in it.

    Raises:
        ImportError: names the file that hides it.
    """
    if not hasattr(module, name):
        where = getattr(module, "__file__", None) or next(iter(module.__path__))
        raise ImportError(
            f"{where} hides the package {module.__name__!r} of scalar-autograd, because Python finds it first: rename "
            "it, or start Python in another folder"
        )
