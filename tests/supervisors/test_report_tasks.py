"""The report Tasks: one row a task, with what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from routing.actions import offers, reservations
from routing.actors import SYSTEM
from routing.statistics import task_reports
from tests import factories
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_report_figures import Floor, floor
from tests.supervisors.test_reports import NOON, answer_task, load, read_file, show

__all__ = ["floor"]

pytestmark = pytest.mark.django_db


def test_a_task_is_told_with_its_waits_agents_and_attributes(cockpit: Cockpit) -> None:
    text = '{"subject": "Parcel", "order": {"number": 7}, "price": "=2"}'
    task = answer_task(cockpit, at=NOON, wait=30, attributes=text)
    now = NOON + timedelta(hours=1)
    report = load(cockpit, "tasks", now=now, attribute="order.number,price")
    (row,) = report["rows"]
    assert row["task"] == {"sid": task.sid, "name": "Parcel"}
    figures = row["figures"]
    assert figures["created"] == "2026-03-02T12:00:00+00:00"
    assert (figures["waited"], figures["waited_in_queue"]) == (30_000, 30_000)
    assert (figures["answers"], figures["origin"], figures["agents"]) == (1, "grab", "Ada")
    assert (figures["handled"], figures["end"]) == (60_000, "completed")
    assert (figures["attribute_1"], figures["attribute_2"]) == ("7", "=2")
    page = show(cockpit, "tasks", now=now, attribute="order.number")
    assert f"/supervisor/tasks/{task.sid}" in page
    assert "by grab" in page
    with time_machine.travel(now, tick=False):
        lines = read_file(cockpit.get("reports/tasks.csv", attribute="price"))
    line = dict(zip(lines[0], lines[1], strict=True))
    assert (line["task sid"], line["price"]) == (task.sid, "'=2")
    assert line["created"] == "2026-03-02T12:00:00+00:00"


def test_the_effort_of_a_task_is_shared_with_what_its_agent_had_beside_it(
    cockpit: Cockpit,
) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=3)
    tasks = [
        cockpit.task(workflow=cockpit.workflow, now=NOON + timedelta(seconds=n)) for n in range(3)
    ]
    held = [
        offers.grab_task(
            task=task, worker=cockpit.ada, actor=SYSTEM, now=NOON + timedelta(seconds=60)
        )
        for task in tasks
    ]
    # The third one is still in hand.
    for number, seconds in ((0, 120), (1, 180)):
        reservations.complete_reservation(
            reservation=held[number], actor=SYSTEM, now=NOON + timedelta(seconds=seconds)
        )
    rows = load(cockpit, "tasks", now=NOON + timedelta(hours=1))["rows"]
    figures = [(row["figures"]["handled"], row["figures"]["effort"]) for row in reversed(rows)]
    assert figures == [(60_000, 20_000), (120_000, 50_000), (None, None)]


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_tasks_are_read_in_chunks_without_gaps(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(task_reports, "CHUNK", chunk)
    for number in range(4):
        answer_task(cockpit, at=NOON + timedelta(seconds=number // 2))
    now = NOON + timedelta(hours=1)
    report = load(cockpit, "tasks", now=now)
    names = [row["task"]["sid"] for row in report["rows"]]
    tasks = cockpit.workspace.tasks.order_by("-date_created", "-pk")
    assert names == list(tasks.values_list("sid", flat=True))
    other = load(cockpit, "tasks", now=now, channel="voice")
    assert other["rows"] == []


def test_the_tasks_of_a_generated_day_agree_with_the_naive_books(floor: Floor) -> None:
    report = floor.load("tasks")
    kept = floor.day.workspace.tasks.count()
    assert len(report["rows"]) == kept > 50
    answered = [row for row in report["rows"] if row["figures"]["origin"]]
    naive = sum(n for cell, n in floor.books.queues.items() if cell[3] == "answered")
    deleted = sum(n for cell, n in floor.books.queues.items() if cell[3] == "tasks_created") - kept
    assert naive - deleted <= len(answered) <= naive
    waits = {
        wait
        for (_, _, _, name, _), found in floor.books.waits.items()
        if name == "answered creation"
        for wait in found
    }
    assert {row["figures"]["waited"] for row in answered} <= waits
    for row in answered:
        assert (row["figures"]["effort"] or 0) <= (row["figures"]["handled"] or 0)
    ends = {row["figures"]["end"] for row in report["rows"]}
    assert {"abandoned", "withdrawn", "canceled_by_staff", "completed"} <= ends
