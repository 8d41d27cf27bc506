"""Every cell of the report *Service* of a generated day: recomputed, added up and opened.

`GENERATED_EVENTS=50000` makes the day longer.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils.http import urlencode

from routing import models
from routing.actions import queue_targets, task_transitions
from routing.actors import SYSTEM
from routing.core.rates import ServiceLevelFormula, WaitClock
from routing.statistics import bookkeeper
from supervisors.reports import limits
from tests import factories
from tests.agents.conftest import BACKEND
from tests.api.conftest import TOKEN
from tests.statistics.generated_day import CUSTOMER, WITHDRAWN, GeneratedDay
from tests.statistics.naive_books import NaiveBooks
from tests.statistics.naive_reports import ENDS, NaiveService
from tests.statistics.test_books import read_log

# On PostgreSQL, events can be counted once their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

EVENTS = int(os.environ.get("GENERATED_EVENTS", "700"))
WINDOW = "2026-03-02..2026-03-04"
SUMMED = (
    *("entered", "channel_entered", *ENDS, "within_target", "short_abandons", "offers"),
    *("rejected", "missed", "rescinded", "canceled_offers", "transferred_in", "transferred_out"),
)


@dataclass
class Floor:
    """A generated day, its naive books, and a supervisor's browser."""

    day: GeneratedDay
    books: NaiveBooks
    client: Client
    targets: dict[tuple[str, str], dict[str, Any]]

    def load(self, path: str = "service", **query: Any) -> dict[str, Any]:
        """Return a report as JSON."""
        given = {"workspace": self.day.workspace.sid, "window": WINDOW} | query
        return self.follow(f"/supervisor/reports/{path}?{urlencode(given, doseq=True)}")

    def follow(self, address: str) -> dict[str, Any]:
        answer = self.client.get(address, headers={"Accept": "application/json"})
        assert answer.status_code == 200, address
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    """Return the floor at the end of its day, with as many reports a minute as a test wants."""
    monkeypatch.setattr(limits, "MOST_A_MINUTE", 100_000)
    day = GeneratedDay(4, account=factories.account(auth_token=TOKEN))
    day.go_on(until_events=EVENTS)
    day.make_what_is_rare()
    for _ in range(2):
        task = factories.task(day.workspace, attributes=day.some_attributes(), **day.by(CUSTOMER))
        day.now += timedelta(seconds=3)
        task_transitions.cancel_task(task=task, reason="gave up", **day.by(CUSTOMER))
    targets: dict[tuple[str, str], dict[str, Any]] = {}
    choices = [(20, 300, "A", "queue"), (300, 60, "D", "creation"), (120, 600, "C", "queue")]
    for queue, (threshold, short, formula, clock) in zip(day.queues, choices, strict=True):
        channel = factories.channel(day.workspace, "chat")
        values = {"threshold": threshold, "short": short, "formula": formula, "clock": clock}
        targets[queue.sid, channel.sid] = values
        queue_targets.set_target(
            queue=queue,
            channel=channel,
            threshold=threshold,
            short_abandon=short,
            formula=ServiceLevelFormula(formula),
            clock=WaitClock(clock),
            actor=SYSTEM,
            now=day.now,
        )
    while bookkeeper.keep_books(now=day.now, seconds=60):
        pass
    books = NaiveBooks(read_log(day.workspace), withdrawn=WITHDRAWN)
    client = Client()
    user = User.objects.create_user("lead")
    models.Membership.objects.create(user=user, workspace=day.workspace)
    with time_machine.travel(day.now, tick=False):
        client.force_login(user, backend=BACKEND)
        yield Floor(day, books, client, targets)


def quarters(row: dict[str, Any]) -> range:
    """Return the quarters of a row's interval; all without one."""
    if "interval" not in row:
        return range(10**9)
    start, end = (
        int(datetime.fromisoformat(row["interval"][name]).timestamp()) // 900
        for name in ("start", "end")
    )
    return range(start, end)


def recompute(floor: Floor, row: dict[str, Any], clock: str) -> dict[str, Any]:
    """Return the figures of a row by the naive books."""
    within = quarters(row)
    queue = row.get("queue", {}).get("sid")
    channel = row.get("channel", {}).get("sid")

    def is_chosen(when: int, of_queue: str, of_channel: str) -> bool:
        return when in within and queue in (None, of_queue) and channel in (None, of_channel)

    naive = NaiveService(floor.books, is_chosen, targets=floor.targets, clock=clock)
    return naive.figures() | naive.percentiles()


def test_every_cell_of_a_generated_day_equals_the_naive_recomputation(floor: Floor) -> None:
    cells = 0
    for by, step, clock in (
        ("queue", "", "queue"),
        ("queue,channel", "", "queue"),
        ("channel", "", "creation"),
        ("interval", "15m", "creation"),
        ("interval", "hour", "creation"),
        ("interval,queue", "day", "queue"),
    ):
        report = floor.load(by=by, step=step)
        assert report["by"] == by.split(",")
        assert len(report["rows"]) > 1
        for row in [*report["rows"], report["total"]]:
            naive = recompute(floor, row, clock)
            shown = {name: row["figures"][name] for name in naive}
            assert shown == naive, (by, row)
            cells += len(naive)
        for name in SUMMED:
            whole = sum(row["figures"][name] for row in report["rows"])
            assert whole == report["total"]["figures"][name], "rows add up to the total"
    assert cells > 2_000


def test_the_books_balance_in_every_row(floor: Floor) -> None:
    for by in ("queue", "queue,channel", "channel", "interval"):
        report = floor.load(by=by, step="hour")
        for row in [*report["rows"], report["total"]]:
            figures = row["figures"]
            entered = figures["entered"] + figures["channel_entered"]
            ended = sum(figures[end] for end in ENDS)
            assert figures["waiting_before"] + entered - ended == figures["waiting_after"]
        if by == "interval":
            pairs = zip(report["rows"], report["rows"][1:], strict=False)
            for one, other in pairs:
                assert one["figures"]["waiting_after"] == other["figures"]["waiting_before"]
    waiting = sum(n for (queue, _), n in floor.books.waiting().items() if queue)
    assert report["total"]["figures"]["waiting_after"] == waiting > 0


def list_cells(floor: Floor, **query: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the column, the text and the address of each link in a report's table."""
    names = [column["name"] for column in floor.load(**query)["columns"]]
    given = {"workspace": floor.day.workspace.sid, "window": WINDOW, "show": names} | query
    answer = floor.client.get(f"/supervisor/reports/service?{urlencode(given, doseq=True)}")
    table = answer.content.decode().partition('<table class="table report">')[2]
    heads = re.findall(r'<th scope="col" class="number"[^>]*><a href="[^"]*">([^<]*)</a>', table)
    assert len(heads) == len(names)
    for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL):
        cells = re.findall(r'<td class="number"[^>]*>(.*?)</td>', row)
        for name, cell in zip(names, cells, strict=False):
            if found := re.match(r'<a href="([^"]*)">([^<]*)</a>', cell):
                yield name, html.unescape(found[2]), html.unescape(found[1])


def test_every_cell_opens_as_many_tasks_as_it_says(floor: Floor) -> None:
    opened: set[str] = set()
    for query in ({"by": "queue"}, {"by": "interval", "step": "hour"}, {"by": "queue,channel"}):
        for name, text, address in list_cells(floor, **query):
            listed, place, page = 0, "", {}
            while place is not None:
                page = floor.follow(f"{address}&after={place}")
                listed, place = listed + len(page["tasks"]), page["next"]
            assert listed == page["count"], address
            if text.isdigit():
                assert listed == int(text), (name, address)
            opened.add(name)
    named = {column["name"] for column in floor.load()["columns"]}
    # Of balances there are no events, and no offer of a generated day is rescinded.
    assert named - opened <= {"waiting_before", "waiting_after", "rescinded"}


def test_a_changed_target_recomputes_the_past_at_once(floor: Floor) -> None:
    queue, channel = floor.day.queues[1], factories.channel(floor.day.workspace, "sms")
    seen = []
    for threshold in (60, 20, 1, 14_400):
        queue_targets.set_target(
            queue=queue,
            channel=channel,
            threshold=threshold,
            actor=SYSTEM,
            now=floor.day.now,
        )
        floor.targets[queue.sid, channel.sid] = {
            "threshold": threshold,
            "short": 5,
            "formula": "B",
            "clock": "queue",
        }
        report = floor.load(by="queue,channel")
        for row in report["rows"]:
            naive = recompute(floor, row, "queue")
            assert row["figures"]["service_level"] == naive["service_level"]
            if (row["queue"]["sid"], row["channel"]["sid"]) == (queue.sid, channel.sid):
                seen.append(row["figures"]["service_level"]["part"])
    assert seen[2] <= seen[1] <= seen[0] <= seen[3]
    assert seen[2] < seen[3], "the threshold makes a difference"
