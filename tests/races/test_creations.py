"""A task and its events in one statement: the same rows as in a transaction, all or none."""

from __future__ import annotations

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
PROGRAM = "tests.races.creations"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}


def test_a_task_alone_is_written_as_within_a_larger_transaction(postgres_url: str) -> None:
    report = run_program(postgres_url, PROGRAM, "compare", **SETTINGS)
    assert [written["same"] for written in report.values()] == [True] * 4
    assert {written["transactions"] for written in report.values()} == {1}
    assert report["by its workflow"]["types"] == [
        "workflow.entered",
        "task-queue.entered",
        "task.created",
        "workflow.target-matched",
    ]
    assert report["to a worker, without a queue"]["types"] == ["task.created"]


def test_a_task_that_cannot_be_written_leaves_no_event(postgres_url: str) -> None:
    report = run_program(postgres_url, PROGRAM, "refuse", **SETTINGS)
    assert report == {"tasks": 0, "events": 0, "before": True}
