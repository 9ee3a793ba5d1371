"""Every recipe runs, and finds what is known."""

import numpy as np
import pytest

from examples import scipy_least_squares, scipy_minimize, scipy_root, scipy_solve_ivp


@pytest.fixture(autouse=True)
def once(monkeypatch):
    """Nothing is timed here."""
    for module in (scipy_least_squares, scipy_minimize, scipy_root, scipy_solve_ivp):
        monkeypatch.setattr(module, "timed", lambda f, rounds=5: (f(), 1.0))


def test_minima(capsys):
    found = scipy_minimize.main()
    for name, result in found.items():
        assert result.x == pytest.approx(1.0, abs=2e-3), name
    assert found["BFGS, exact gradient"].nfev < found["BFGS, finite differences"].nfev / 20
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_product_with_the_hessian_is_the_hessian_times_a_vector():
    x, v = np.random.default_rng(0).normal(size=(2, scipy_minimize.N))
    expected = scipy_minimize.rosenbrock.hessian(x) @ v
    assert scipy_minimize.product(x, v) == pytest.approx(expected, rel=1e-10, abs=1e-8)


def test_least_squares(capsys):
    for fitted in scipy_least_squares.main():
        assert fitted == pytest.approx(scipy_least_squares.TRUE, abs=0.05)


def test_a_boundary_value_problem(capsys):
    u = scipy_root.main()
    theta = 1.0
    for _ in range(100):  # the exact solution is u(x) = 2·ln(cosh(θ/4) / cosh((x − ½)·θ/2)), where θ = √2·cosh(θ/4)
        theta = np.sqrt(2.0) * np.cosh(theta / 4.0)
    x = np.arange(1, scipy_root.N + 1) * scipy_root.H
    exact = 2.0 * np.log(np.cosh(theta / 4.0) / np.cosh((x - 0.5) * theta / 2.0))
    assert u == pytest.approx(exact, abs=1e-4)


def test_stiff_reactions(capsys):
    a, b, c = scipy_solve_ivp.main()
    assert a + b + c == pytest.approx(1.0, abs=1e-10)
    assert a == pytest.approx(2.031e-3, rel=0.01)
