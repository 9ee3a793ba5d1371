"""CasADi with its functions compiled by gcc."""

from __future__ import annotations

from . import with_casadi

with_casadi.JIT = True
bundle, options, lotka, west = with_casadi.bundle, with_casadi.options, with_casadi.lotka, with_casadi.west
