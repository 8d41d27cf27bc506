"""Requests and commands wait for PostgreSQL as rarely as they can."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def report(postgres_url: str) -> dict[str, Any]:
    """Return what the program has counted."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}
    return run_program(postgres_url, "tests.races.round_trips", **settings)


@pytest.mark.parametrize(
    ("operation", "most"),
    [
        ("accept by REST", 6),
        ("complete by REST", 6),
        ("accept at the desk", 5),
        ("complete at the desk", 5),
        ("a cycle", 8),
        ("create and offer by REST", 3),
    ],
)
def test_an_operation_takes_few_round_trips(
    report: dict[str, Any], operation: str, most: int
) -> None:
    assert 0 < report[operation] <= most


def test_an_update_in_a_pipeline_reports_its_rows_before_the_end(report: dict[str, Any]) -> None:
    assert report["counts"] == [0, 1, 0, 1]
