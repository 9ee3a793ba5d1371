"""Tests in Node.js are not left out in silence."""

import pytest

from .node import program


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_node_a_test_is_skipped_with_advice_and_fails_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"node is not installed: install Node\.js"):
        program("node")
