"""Creations that are repeated with one key at the same time, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def played(postgres_url: str) -> dict[str, Any]:
    """Return the outcome of each repetition."""
    return run_program(postgres_url, "tests.races.idempotent_creations")


def test_concurrent_repetitions_create_once_and_get_the_same_answer(
    played: dict[str, Any],
) -> None:
    assert played["together"] == {
        "crashes": [],
        "outcomes": {"ask: done": 8},
        "bodies": 1,
        "repeated": 7,
        "tasks": 1,
        "keys": 1,
    }


def test_a_repetition_of_a_slow_creation_is_refused_until_it_is_answered(
    played: dict[str, Any],
) -> None:
    outcomes = {"early: KeyInUse": 1, "first: done": 1, "patient: done": 1, "late: done": 1}
    assert played["ends"] == {
        "crashes": [],
        "outcomes": outcomes,
        "bodies": 1,
        "repeated": 2,
        "tasks": 1,
        "keys": 1,
    }


def test_a_repetition_of_a_failed_creation_is_carried_out(played: dict[str, Any]) -> None:
    outcomes = {"early: KeyInUse": 1, "first: ActionError": 1, "patient: done": 1, "late: done": 1}
    assert played["breaks"] == {
        "crashes": [],
        "outcomes": outcomes,
        "bodies": 1,
        "repeated": 1,
        "tasks": 1,
        "keys": 1,
    }
