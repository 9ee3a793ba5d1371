"""``python -m benchmarks`` runs all of them; ``python -m benchmarks NAME`` one."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("eager", "gradient")

if __name__ == "__main__":
    asked = sys.argv[1:] or NAMES
    for name in asked:
        if name not in NAMES:
            sys.exit(f"unknown benchmark {name!r}; there are: {', '.join(NAMES)}")
        import_module(f"benchmarks.{name}").main()
