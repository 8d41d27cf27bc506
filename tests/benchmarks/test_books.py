"""The bookkeeper beside what it counts, and what the log says more of offers and grabs (P5, P6).

All of it in CPU time, with that of the database's session, measured in turns.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

from routing import models
from routing.actions import offers, tasks
from routing.actors import SYSTEM
from routing.db.pipeline import Pending
from routing.events import courier, recorder
from routing.router.matching import match_workspace
from routing.snapshots import grab_places
from routing.statistics import bookkeeper
from tests import factories
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import spent_seconds
from tests.benchmarks.test_cycle import empty_slots, run
from tests.factories import NOW, later
from tests.statistics.generated_day import GeneratedDay

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

EVENTS = 3_000
WAITING = 2_000
BACKLOG = 10_000
TURNS = 11
GRABS = 15


def test_the_bookkeeper_beside_the_writing_of_events(table: Table) -> None:
    day = GeneratedDay(1)
    begun = spent_seconds()
    day.go_on(until_events=EVENTS)
    writing = spent_seconds() - begun
    begun = spent_seconds()
    counted = 0
    # As the job does once a second: about as many events as one second of a busy floor has.
    while batch := bookkeeper.count_batch(day.workspace, now=day.now, limit=250):
        counted += batch
    counting = spent_seconds() - begun
    table.add(
        f"P6  counting {counted:,} events, beside writing them (bar: 0.2x)",
        f"{counting / counted * 1e6:.0f} µs CPU an event",
        f"{counting / writing:.3f}x",
        counting / writing <= 0.2,
    )


def test_what_the_log_says_more_of_offers(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "publish_events", lambda events: None)
    floor = bulk_rows.make_workspace(workers=1_000, lanes=300)
    made: list[int] = []

    def offer() -> None:
        made.append(run(floor))

    def prepare() -> None:
        models.Reservation.objects.all().delete()
        empty_slots(floor)
        floor.tasks.filter(assignment_status="reserved").update(assignment_status="pending")
        bulk_rows.add_waiting_tasks(floor, BACKLOG)
        match_workspace(floor, now=NOW)  # changed workers are read before the clock starts

    build_row = recorder.row

    def build_plain_row(draft: recorder.Draft, *given: Any, **more: Any) -> models.Event:
        draft.data.pop("reservation_origin", None)
        return build_row(draft, *given, **more)

    def without() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(recorder, "row", build_plain_row)
            offer()

    beside, taken = measure_in_turns(without, offer, prepare)
    assert min(made) >= 250
    table.add(
        f"P5  {made[-1]} offers, beside events that do not say their origin (bar: 1.03x)",
        f"{taken * 1000:.0f} ms CPU",
        f"{taken / beside:.3f}x",
        taken / beside <= 1.03,
    )


def test_the_place_of_a_grab(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace, default=factories.queue(workspace))
    worker = factories.worker(workspace, capacity={"chat": 50})
    for number in range(WAITING):
        factories.task(workspace, now=later(number / 100))
    newest = workspace.tasks.order_by("-pk")

    def prepare() -> None:
        """Delete what was grabbed."""
        given: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
        for task in workspace.tasks.filter(assignment_status="assigned"):
            tasks.delete_task(task=task, **given)

    def grab() -> None:
        for _ in range(GRABS):
            task = newest.filter(assignment_status="pending")[0]
            offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=NOW)

    def without() -> None:
        with monkeypatch.context() as patch:
            nothing = grab_places.Ahead(0, ())
            patch.setattr(grab_places, "send_ahead", lambda task: Pending(lambda: nothing))
            patch.setattr(grab_places, "send_older", lambda task: Pending(lambda: 0))
            grab()

    beside, taken = measure_in_turns(without, grab, prepare)
    table.add(
        f"P5  grabbing the newest of {WAITING:,}, beside one without a place (bar: 1.1x)",
        f"{taken / GRABS * 1000:.2f} ms CPU",
        f"{taken / beside:.2f}x",
        taken / beside <= 1.1,
    )


def measure_in_turns(
    one: Callable[[], None], other: Callable[[], None], prepare: Callable[[], None]
) -> tuple[float, float]:
    """Return the seconds of two acts: the medians of turns, of which the first does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS + 1):
        # Who is second finds warmer caches.
        pairs = list(zip((one, other), taken, strict=True))
        for act, times in pairs if turn % 2 else reversed(pairs):
            prepare()
            begun = spent_seconds()
            act()
            times.append(spent_seconds() - begun)
    return statistics.median(taken[0][1:]), statistics.median(taken[1][1:])
