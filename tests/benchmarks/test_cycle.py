"""A cycle in a large workspace, beside plain SQL for the same rows (P11, and bars 6 and 7).

Ten thousand workers, half of them there, a thousand lanes, and more and more that waits. It is
measured on the database that the settings name.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.db.models import F

from routing import models
from routing.events import courier
from routing.router import rounds
from routing.router.matching import match_workspace
from tests.benchmarks import bulk_rows, plain_sql
from tests.benchmarks.conftest import Table, median_ms
from tests.factories import NOW

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

SIZES = [int(size) for size in os.environ.get("BACKLOG", "1000,100000").split(",")]
WORKERS = int(os.environ.get("WORKERS", "10000"))
ROUNDS = 7
POSTGRES = "postgresql"


class Measured(NamedTuple):
    """Milliseconds of a cycle, and of the same rows written by nothing but SQL in the same run."""

    cycle: float
    rows: float = 0.0


@pytest.fixture(autouse=True)
def delivery_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out delivery, which a thread of its own does after the commit."""
    monkeypatch.setattr(courier, "publish_events", lambda events: None)


def test_a_cycle_costs_the_same_for_any_backlog(table: Table) -> None:
    floor = bulk_rows.make_workspace(workers=WORKERS, lanes=1_000)
    useless = bulk_rows.add_workers(floor, 200, languages=[])
    figures: dict[str, dict[int, Measured]] = {name: {} for name in MEASURES}
    for size in SIZES:
        bulk_rows.add_waiting_tasks(floor, size)
        for name, measure in MEASURES.items():
            if measure is not five_hundred or size >= 10_000:
                figures[name][size] = measure(floor, useless)
    for name, by_size in figures.items():
        report(table, name, by_size)
    table.add(
        "15  most memory of this process, with all that waits made by it too",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB",
    )


def report(table: Table, name: str, by_size: dict[int, Measured]) -> None:
    """Print a measure by backlog, and hold it beside its bars."""
    vendor = {"sqlite": "SQLite", POSTGRES: "PostgreSQL"}[connection.vendor]
    table.add(
        f"   {vendor}: {name}, ms", "  ".join(f"{s:,}: {m.cycle:.2f}" for s, m in by_size.items())
    )
    if not by_size:
        return
    smallest, largest = by_size[min(by_size)], by_size[max(by_size)]
    growth = largest.cycle / smallest.cycle
    bar, most, growing = BARS[name][connection.vendor]
    if largest.rows:
        beside = statistics.median(m.cycle / m.rows for m in by_size.values())
        limit = most * largest.rows + (MORE_MS if name == ONE else 0)
        more = f" + {MORE_MS} ms" if name == ONE else ""
        table.add(
            f"{bar}  … beside the same rows by SQL alone (bar: {most}x{more})",
            f"{largest.rows:.2f} ms",
            f"{beside:.2f}x",
            largest.cycle <= limit,
        )
    else:
        table.add(
            f"{bar}  … (bar: {most} ms)", f"{largest.cycle:.2f} ms", "", largest.cycle <= most
        )
    if len(by_size) > 1 and growing:
        few, many = f"{min(by_size):,}", f"{max(by_size):,}"
        table.add(
            f"{bar}  … at {many} beside {few} (bar: {growing}x)",
            "",
            f"{growth:.2f}x",
            growth <= growing,
        )


def run(floor: models.Workspace) -> int:
    return rounds.run_round(floor, NOW)[0]


def none_free(floor: models.Workspace, _: list[models.Worker]) -> Measured:
    fill_slots(floor)
    return Measured(median_ms(lambda: run(floor), rounds=101))


def none_eligible(floor: models.Workspace, useless: list[models.Worker]) -> Measured:
    """A hundred available and a hundred unavailable workers have room and speak no language."""
    fill_slots(floor)
    slots_of(useless).update(consumed=0)
    changed(useless)
    assert run(floor) == 0
    return Measured(median_ms(lambda: run(floor), rounds=51))


def one_freed(floor: models.Workspace, _: list[models.Worker]) -> Measured:
    fill_slots(floor)
    taken, beside = [], []
    there = floor.workers.filter(activity__available=True, attributes__contains="region")
    for worker in there.order_by("?")[:25]:
        slots_of([worker]).update(consumed=3)
        changed([worker])
        run_once = timed(lambda: run(floor))
        taken.append(run_once)
        beside.append(plain_sql.assign_by_sql(floor, count=1))
    return Measured(statistics.median(taken), statistics.median(beside))


def five_hundred(floor: models.Workspace, _: list[models.Worker]) -> Measured:
    taken, beside = [], []
    for _round in range(ROUNDS):
        empty_slots(floor)
        match_workspace(floor, now=NOW)  # changed workers are read before the clock starts
        bulk_rows.add_waiting_tasks(floor, 10_000)
        done: list[int] = []
        taken.append(timed(lambda: done.append(run(floor))))  # noqa: B023 - called at once
        beside.append(plain_sql.assign_by_sql(floor, count=done[0]))
        assert done[0] >= 250, done
    return Measured(statistics.median(taken), statistics.median(beside))


ONE = "one freed, one offer"
MEASURES: dict[str, Callable[[models.Workspace, list[models.Worker]], Measured]] = {
    "none free": none_free,
    "100 free, none eligible": none_eligible,
    ONE: one_freed,
    "500 offers": five_hundred,
}
# The bar's number, its limit (milliseconds, or times the rows alone), and how much it may grow.
BARS: dict[str, dict[str, tuple[str, float, float]]] = {
    "none free": {"sqlite": ("6", 0.1, 1.2), POSTGRES: ("6", 1.0, 1.2)},
    "100 free, none eligible": {"sqlite": ("7", 1.0, 0), POSTGRES: ("7", 1.0, 0)},
    ONE: {"sqlite": ("P11", 1.5, 0), POSTGRES: ("P11", 1.5, 0)},
    "500 offers": {"sqlite": ("P11", 1.8, 1.1), POSTGRES: ("P11", 1.35, 1.1)},
}
MORE_MS = 4
"""Milliseconds that one offer may take beside its rows."""


def slots_of(workers: Iterable[models.Worker]) -> Any:
    return models.WorkerChannel.objects.filter(worker__in=workers, task_channel__unique_name="chat")


def fill_slots(floor: models.Workspace) -> None:
    slots_of(floor.workers.all()).update(consumed=F("configured_capacity"))
    changed(floor.workers.all())


def empty_slots(floor: models.Workspace) -> None:
    slots_of(floor.workers.all()).update(consumed=0)
    changed(floor.workers.all())


def changed(workers: Iterable[models.Worker]) -> None:
    """Bump the workers' versions, so that the router reads them again."""
    models.Worker.objects.filter(pk__in=[worker.pk for worker in workers]).update(
        workload_version=F("workload_version") + 1
    )


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000
