"""Checks of the parts are shared by those who ask at the same time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from config import health


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return the answers that checks will give, the next one last; each is taken off."""
    answers: list[bool] = []
    monkeypatch.setattr(health, "CHECKS", {"database": answers.pop})
    monkeypatch.setattr(health, "_last", health.Last())
    return answers


def status(asked_at: float) -> Any:
    """Return what one who asked at a moment is told of the database."""
    return health._last.checks(asked_at)["database"]


def test_that_all_is_well_is_believed_for_a_moment(
    asked: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    asked.extend([False, True])
    assert status(100.0) == "ok"
    assert status(100.0 + health.KEPT_SECONDS) == "ok"
    assert status(100.1 + health.KEPT_SECONDS) == "no answer"


def test_a_failure_is_told_to_all_who_asked_before_it_was_found_and_then_looked_at_again(
    asked: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    asked.extend([True, False])
    for waited_since in (98.0, 99.0, 100.0):
        assert status(waited_since) == "no answer"
    assert status(100.1) == "ok"
