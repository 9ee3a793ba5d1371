"""A tool for GradBench (https://github.com/gradbench/gradbench): one file for each of its evals, and the protocol.

``gradbench run --eval "…" --tool "python -m benchmarks gradbench"`` runs one. Every eval is ordinary scalar code; all
derivatives are the library's.
"""

from __future__ import annotations

from .protocol import main

__all__ = ["main"]
