"""A month of `MONTH_TASKS` tasks (200,000): the report *Service* and its naive recomputation.

The events are written in bulk, in the form in which actions record them, and counted by the
bookkeeper. It takes minutes, so `make bench` runs it only if `MONTH_TASKS` is set.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import time_machine

from routing import models, sids
from routing.statistics import bookkeeper
from tests import factories
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_reports import log_in
from tests.statistics.naive_books import NaiveBooks
from tests.statistics.naive_reports import NaiveService

TASKS: Final = int(os.environ.get("MONTH_TASKS", "0"))
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
NOW: Final = datetime(2026, 4, 1, 12, tzinfo=UTC)
WINDOW: Final = "2026-03-01..2026-03-31"
CHUNK: Final = 5_000

pytestmark = [
    pytest.mark.bench,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not TASKS, reason="MONTH_TASKS is not set"),
]


class Month:
    """A workspace, and the events of its month in the order of time."""

    def __init__(self) -> None:
        self.random = random.Random(7)
        self.workspace = factories.workspace(now=START)
        self.queues = [
            factories.queue(self.workspace, friendly_name=f"Queue {n}", now=START)
            for n in range(20)
        ]
        self.workers = [
            factories.worker(self.workspace, f"Worker {n}", now=START) for n in range(50)
        ]
        self.channels = [factories.channel(self.workspace, name) for name in ("chat", "sms")]

    def list_events(self) -> list[tuple[datetime, str, dict[str, Any], dict[str, Any]]]:
        """Return date, type, data and columns of all events, as they happened."""
        found: list[tuple[datetime, str, dict[str, Any], dict[str, Any]]] = []
        for _ in range(TASKS):
            found += self._live_task()
        found.sort(key=lambda each: each[0])
        return found

    def _live_task(self) -> Iterator[tuple[datetime, str, dict[str, Any], dict[str, Any]]]:
        at = START + timedelta(milliseconds=self.random.randrange(30 * 86_400_000))
        wait = round(self.random.expovariate(1 / 40) * 1000)
        queue, worker = self.random.choice(self.queues), self.random.choice(self.workers)
        channel = self.random.choice(self.channels)
        data = {
            "task_sid": sids.new_sid("WT"),
            "task_queue_sid": queue.sid,
            "task_channel_sid": channel.sid,
        }
        keys = {
            "task_queue_key": sids.index_key(queue.sid),
            "task_channel_key": sids.index_key(channel.sid),
        }
        yield at, "task-queue.entered", data, keys
        yield at, "task.created", data, keys
        end = at + timedelta(milliseconds=wait)
        waits = {"waited_ms": wait, "waited_in_queue_ms": wait}
        if self.random.random() < 0.1:
            gone = data | {"reason": "left", "task_stay_end": "abandoned"}
            yield end, "task.canceled", gone, keys | waits | {"stay_end": "abandoned"}
            return
        origin = self.random.choice(["push", "push", "push", "grab"])
        held = data | {
            "reservation_sid": sids.new_sid("WR"),
            "reservation_origin": origin,
            "worker_sid": worker.sid,
        }
        own = keys | {"origin": origin, "worker_key": sids.index_key(worker.sid)}
        yield end, "reservation.created", held, own
        first = held | {"reservation_first": "true"}
        answered = own | waits | {"is_first_answer": True}
        yield end + timedelta(microseconds=1), "reservation.accepted", first, answered
        handled = self.random.randrange(10_000, 600_000)
        done = held | {"reservation_ended_by": "work"}
        ended = end + timedelta(milliseconds=handled, microseconds=1)
        yield ended, "reservation.completed", done, own | {"handled_ms": handled}


def write_events(month: Month) -> Iterator[dict[str, Any]]:
    """Write the events, and yield each as the API shows it."""
    batch: list[models.Event] = []
    for at, kind, data, columns in month.list_events():
        batch.append(
            models.Event(
                sid=sids.new_ordered_sid("EV", at),
                account=month.workspace.account,
                workspace_sid=month.workspace.sid,
                event_type=kind,
                event_date=at,
                event_data=data,
                actor_type="account",
                resource_type="task",
                resource_sid=data["task_sid"],
                source="api",
                delivered=True,
                **columns,
            )
        )
        if len(batch) == CHUNK:
            models.Event.objects.bulk_create(batch)
            batch = []
        ms = int(at.timestamp() * 1000 + 0.0005)
        yield {"event_type": kind, "event_date_ms": ms, "actor_type": "account", "event_data": data}
    models.Event.objects.bulk_create(batch)


def test_a_generated_month_agrees_with_the_naive_recomputation(table: Table) -> None:
    month = Month()
    books = NaiveBooks(write_events(month))
    while bookkeeper.keep_books(now=NOW, seconds=600):
        pass
    client = log_in(month.workspace)
    cells = 0
    begun = time.perf_counter()
    with time_machine.travel(NOW, tick=True):
        for by, clock in (("queue", "queue"), ("interval", "creation"), ("channel", "creation")):
            answer = client.get(
                "/supervisor/reports/service",
                {"workspace": month.workspace.sid, "window": WINDOW, "by": by},
                headers={"Accept": "application/json"},
            )
            report = answer.json()
            for row in [*report["rows"], report["total"]]:
                naive = recompute(books, row, clock)
                assert {name: row["figures"][name] for name in naive} == naive, (by, row)
                cells += len(naive)
    taken = time.perf_counter() - begun
    table.add(
        f"    a month of {TASKS:,} tasks: cells that equal the naive recomputation",
        f"{cells:,} of {cells:,}",
        f"{taken:.0f} s",
        True,
    )


def recompute(books: NaiveBooks, row: dict[str, Any], clock: str) -> dict[str, Any]:
    """Return the figures of a row by the naive books."""
    queue, channel = (row.get(name, {}).get("sid") for name in ("queue", "channel"))
    within = range(10**9)
    if "interval" in row:
        start, end = (
            int(datetime.fromisoformat(row["interval"][name]).timestamp()) // 900
            for name in ("start", "end")
        )
        within = range(start, end)

    def is_chosen(when: int, of_queue: str, of_channel: str) -> bool:
        return when in within and queue in (None, of_queue) and channel in (None, of_channel)

    return NaiveService(books, is_chosen, targets={}, clock=clock).figures()
