"""CasADi with its functions compiled by gcc."""

from __future__ import annotations

from . import with_casadi

with_casadi.JIT = True
bundle, greeks, options = with_casadi.bundle, with_casadi.greeks, with_casadi.options
lotka, west = with_casadi.lotka, with_casadi.west
