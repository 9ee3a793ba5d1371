"""Recipes: this library beside SciPy and its neighbours. ``python -m examples.scipy_minimize`` runs one."""
