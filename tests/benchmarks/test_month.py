"""A month of `MONTH_TASKS` tasks (200,000): the report *Service* and its naive recomputation.

The events are written in bulk, in the form in which actions record them, and counted by the
bookkeeper. It takes minutes, so `make bench` runs it only if `MONTH_TASKS` is set.
"""

from __future__ import annotations

import heapq
import itertools
import json
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest
import time_machine
from django.db import connection, transaction

from routing import models, sids
from routing.statistics import bookkeeper
from tests import factories
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_reports import log_in
from tests.statistics.naive_books import Cell, NaiveBooks
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


class Happened(NamedTuple):
    """An event: its date, its type, its data, and the columns that are derived from them."""

    at: datetime
    kind: str
    data: dict[str, Any]
    columns: dict[str, Any]


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

    def iterate_events(self) -> Iterator[Happened]:
        """Yield all events as they happened; only those of tasks that are not over are kept."""
        starts = sorted(self.random.randrange(30 * 86_400_000) for _ in range(TASKS))
        pending: list[tuple[datetime, int, Happened]] = []
        number = itertools.count()
        for start in starts:
            at = START + timedelta(milliseconds=start)
            while pending and pending[0][0] < at:
                yield heapq.heappop(pending)[-1]
            for event in self._live_task(at):
                heapq.heappush(pending, (event.at, next(number), event))
        while pending:
            yield heapq.heappop(pending)[-1]

    def _live_task(self, at: datetime) -> Iterator[Happened]:
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
        yield Happened(at, "task-queue.entered", data, keys)
        yield Happened(at, "task.created", data, keys)
        end = at + timedelta(milliseconds=wait)
        waits = {"waited_ms": wait, "waited_in_queue_ms": wait}
        if self.random.random() < 0.1:
            gone = data | {"reason": "left", "task_stay_end": "abandoned"}
            yield Happened(end, "task.canceled", gone, keys | waits | {"stay_end": "abandoned"})
            return
        origin = self.random.choice(["push", "push", "push", "grab"])
        held = data | {
            "reservation_sid": sids.new_sid("WR"),
            "reservation_origin": origin,
            "worker_sid": worker.sid,
        }
        own = keys | {"origin": origin, "worker_key": sids.index_key(worker.sid)}
        yield Happened(end, "reservation.created", held, own)
        first = held | {"reservation_first": "true"}
        answered = own | waits | {"is_first_answer": True}
        accepted = end + timedelta(microseconds=1)
        yield Happened(accepted, "reservation.accepted", first, answered)
        handled = self.random.randrange(10_000, 600_000)
        done = held | {"reservation_ended_by": "work"}
        ended = accepted + timedelta(milliseconds=handled)
        yield Happened(ended, "reservation.completed", done, own | {"handled_ms": handled})


def write_events(month: Month) -> Iterator[dict[str, Any]]:
    """Write the events, and yield each as the API shows it.

    Model instances would take most of the time, so rows are given to the database as they are.
    """
    columns = [field.column for field in models.Event._meta.concrete_fields][1:]
    places = ", ".join(["%s"] * len(columns))
    insert = f"INSERT INTO events ({', '.join(columns)}) VALUES ({places})"
    same: dict[str, Any] = {
        "account_id": month.workspace.account_id,
        "workspace_sid": month.workspace.sid,
        "description": "",
        "actor_type": "account",
        "resource_type": "task",
        "source": "api",
        "delivered": True,
        "transaction_id": 0,
    }
    events = month.iterate_events()
    while chunk := list(itertools.islice(events, CHUNK)):
        rows = []
        for at, kind, data, derived in chunk:
            row = same | derived
            row["sid"] = sids.new_ordered_sid("EV", at)
            row["event_type"] = kind
            row["event_date"] = connection.ops.adapt_datetimefield_value(at)
            row["event_data"] = json.dumps(data)
            row["resource_sid"] = data["task_sid"]
            rows.append([row.get(column) for column in columns])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(insert, rows)
        for at, kind, data, _ in chunk:
            ms = int(at.timestamp() * 1000 + 0.0005)
            yield {
                "event_type": kind,
                "event_date_ms": ms,
                "actor_type": "account",
                "event_data": data,
            }


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
            parts = split_books(books, report["rows"], by)
            for row in report["rows"]:
                cells += compare(parts.get(name_part(row, by), Part()), row, clock)
            cells += compare(Part(books.queues, books.waits), report["total"], clock)
    taken = time.perf_counter() - begun
    table.add(
        f"    a month of {TASKS:,} tasks: cells that equal the naive recomputation",
        f"{cells:,} of {cells:,}",
        f"{taken:.0f} s",
        True,
    )


@dataclass
class Part:
    """The cells of the naive books that belong to one row."""

    queues: Counter[Cell] = field(default_factory=Counter)
    waits: dict[Cell, list[int]] = field(default_factory=dict)


def name_part(row: dict[str, Any], by: str) -> str:
    """Return what a row is about: a sid, or the beginning of an interval."""
    return str(row[by]["start"] if by == "interval" else row[by]["sid"])


def split_books(books: NaiveBooks, rows: list[dict[str, Any]], by: str) -> dict[str, Part]:
    """Return the cells of each row, after one walk over the books."""
    days = {}
    if by == "interval":
        for row in rows:
            start, end = (
                int(datetime.fromisoformat(row["interval"][name]).timestamp()) // 900
                for name in ("start", "end")
            )
            days.update(dict.fromkeys(range(start, end), name_part(row, by)))
    parts: dict[str, Part] = defaultdict(Part)
    for found, name in ((books.queues, "queues"), (books.waits, "waits")):
        for cell, value in found.items():
            quarter, queue, channel = cell[:3]
            place = {"queue": queue, "channel": channel}.get(by) or days[quarter]
            getattr(parts[place], name)[cell] = value
    return parts


def compare(part: Part, row: dict[str, Any], clock: str) -> int:
    """Compare the figures of a row with the naive ones; return how many."""
    naive = NaiveService(part, lambda *_: True, targets={}, clock=clock).figures()
    assert {name: row["figures"][name] for name in naive} == naive, row
    return len(naive)
