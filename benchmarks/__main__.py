"""``python -m benchmarks`` runs all of them; ``python -m benchmarks NAME [PART …]`` one, or parts of it."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    *("eager", "gradient", "compiled", "scaling", "training", "estimators", "calls", "pictures", "accuracy", "kernels"),
)
ONLY_BY_NAME = ("gradbench",)  # it waits for messages

if __name__ == "__main__":
    name, parts = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else (None, [])
    if name is not None and name not in (*NAMES, *ONLY_BY_NAME):
        sys.exit(f"unknown benchmark {name!r}; there are: {', '.join((*NAMES, *ONLY_BY_NAME))}")
    for each in [name] if name else NAMES:
        module = import_module(f"benchmarks.{each}")
        module.main(parts) if parts else module.main()
