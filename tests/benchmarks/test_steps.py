"""Count a cycle's work in steps of SQLite's own machine, which no load can blur (bars 5-7)."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from django.db import connection

from routing import models
from routing.events import courier
from routing.router.matching import match_workspace
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_cycle import changed, empty_slots, fill_slots, run, slots_of
from tests.factories import NOW

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

SIZES = [int(size) for size in os.environ.get("BACKLOG", "20000,200000").split(",")]
GRAIN = 50


def steps(act: Callable[[], object]) -> int:
    """Return how many steps the database takes for an act, to within `GRAIN`."""
    counted = 0

    def tick() -> int:
        nonlocal counted
        counted += GRAIN
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(tick, GRAIN)
    act()
    connection.connection.set_progress_handler(None, 0)
    return counted


def test_a_cycle_takes_the_same_number_of_steps_for_any_backlog(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite tells its steps")
    monkeypatch.setattr(courier, "publish_events", lambda events: None)
    floor = bulk_rows.make_workspace(workers=1_000, lanes=300)
    useless = bulk_rows.add_workers(floor, 200, languages=[])
    found: dict[str, list[int]] = {}
    for size in SIZES:
        bulk_rows.add_waiting_tasks(floor, size)
        for name, taken in measure(floor, useless).items():
            found.setdefault(name, []).append(taken)
    for name, taken_by_size in found.items():
        growth = taken_by_size[-1] / taken_by_size[0]
        table.add(
            f"5-7  steps: {name}, at {SIZES[-1]:,} beside {SIZES[0]:,} (bar: 1.1x)",
            " → ".join(f"{count:,}" for count in taken_by_size),
            f"{growth:.2f}x",
            growth <= 1.1,
        )


def measure(floor: models.Workspace, useless: list[models.Worker]) -> dict[str, int]:
    """Return the steps of a cycle of each kind."""
    found = {}
    fill_slots(floor)
    run(floor)
    found["none free"] = steps(lambda: run(floor))
    slots_of(useless).update(consumed=0)
    changed(useless)
    run(floor)
    found["100 free, none eligible"] = steps(lambda: run(floor))
    fill_slots(floor)
    worker = floor.workers.filter(activity__available=True, attributes__contains="region")[0]
    slots_of([worker]).update(consumed=3)
    changed([worker])
    found["one freed, one offer"] = steps(lambda: run(floor))
    empty_slots(floor)
    match_workspace(floor, now=NOW)  # changed workers are read before the count begins
    found["500 offers"] = steps(lambda: run(floor))
    return found
