"""Progress bars: lines on a terminal, widgets in a notebook that has them, nothing where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any


def seen() -> bool:
    """Whether somebody sees a progress bar: on a terminal, or in a notebook."""
    return sys.stderr is not None and (sys.stderr.isatty() or in_notebook())


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, such as Jupyter's, VS Code's or Colab's."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


def bar(
    items: Iterable[Any] | None = None,
    what: str | None = None,
    total: int | None = None,
    *,
    disable: bool | None = None,
    **settings: Any,
) -> Any:
    """A bar of tqdm that is taken away at its end; the items themselves if nobody sees it.

    Args:
        items: what the bar runs over; None for one that ``update()`` advances.
        what: the text before the bar.
        total: how many items there are, if they do not say so.
        disable: True shows nothing, False shows the bar also where nobody seems to look.
        settings: of tqdm.
    """
    if disable is None:
        disable = not seen()
    if disable and items is not None:
        return items
    if in_notebook() and find_spec("ipywidgets"):  # without it, tqdm.auto warns or fails
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm(items, what, total, leave=False, disable=disable, **settings)
