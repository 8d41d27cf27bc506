"""A cycle in a large workspace, beside what the database itself takes for the same rows.

Bars 3 to 8: ten thousand workers, a thousand lanes, and more and more that waits. They are measured
on the database that the settings name.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from routing import assignment, delivery, models, store
from tests import factories
from tests.benchmarks import floors, raw
from tests.benchmarks.conftest import Table, median_ms
from tests.factories import NOW

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

SIZES = [int(size) for size in os.environ.get("BACKLOG", "1000,100000").split(",")]
WORKERS = int(os.environ.get("WORKERS", "10000"))
ROUNDS = 7


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the telling, which a thread of its own does after the commit."""
    monkeypatch.setattr(delivery, "deliver_all", lambda events: None)


def test_a_cycle_beside_the_backlog(table: Table) -> None:
    vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    floor = floors.make(workers=WORKERS, lanes=1_000)
    useless = floors.hire(floor, 200, languages=[])
    figures: dict[str, dict[int, float]] = {}
    beside: dict[str, dict[int, float]] = {}
    for size in SIZES:
        floors.fill(floor, size)
        for name, measure in MEASURES.items():
            if measure is five_hundred and size < 10_000:
                continue  # not that many find somebody
            figure, other = measure(floor, useless)
            figures.setdefault(name, {})[size] = figure
            if other:
                beside.setdefault(name, {})[size] = other
    for name, by_size in figures.items():
        small, large = min(by_size), max(by_size)
        cells = "  ".join(f"{size:,}: {ms:.2f}" for size, ms in by_size.items())
        table.add(
            f"   {vendor}, {name}, ms by backlog", cells, f"{by_size[large] / by_size[small]:.2f}x"
        )
        for size, other in beside.get(name, {}).items():
            ratio = by_size[size] / other
            table.add(
                f"   … at {size:,} beside the same rows written raw",
                f"{other:.2f} ms",
                f"{ratio:.2f}x",
            )


def run(floor: models.Workspace) -> int:
    return assignment.run_round(floor, NOW)[0]


def nobody_free(floor: models.Workspace, useless: list[models.Worker]) -> tuple[float, float]:
    fill_slots(floor)
    return median_ms(lambda: run(floor), rounds=101), 0


def none_eligible(floor: models.Workspace, useless: list[models.Worker]) -> tuple[float, float]:
    """A hundred who are there (and a hundred who are away) have room, and no language."""
    fill_slots(floor)
    slots_of(useless).update(consumed=0)
    changed(useless)
    assert run(floor) == 0
    return median_ms(lambda: run(floor), rounds=51), 0


def one_freed(floor: models.Workspace, useless: list[models.Worker]) -> tuple[float, float]:
    fill_slots(floor)
    taken, beside = [], []
    full = list(slots_of(floor.workers.filter(activity__available=True)).order_by("?")[:25])
    for slot in full:
        models.WorkerChannel.objects.filter(pk=slot.pk).update(consumed=3)
        changed([slot.worker])

            p = cProfile.Profile()
            p.runcall(lambda: run(floor))
            pstats.Stats(p).sort_stats("cumtime").print_stats(45)
            continue
        taken.append(timed(lambda: run(floor)))
        beside.append(raw.assign(floor, count=1))
    return statistics.median(taken), statistics.median(beside)


def five_hundred(floor: models.Workspace, useless: list[models.Worker]) -> tuple[float, float]:
    taken, beside = [], []
    for _ in range(ROUNDS):
        empty_slots(floor)
        store.look(floor, now=NOW)  # whoever has changed is read before the clock starts
        floors.fill(floor, 10_000)
        done: list[int] = []

            p = cProfile.Profile()
            p.runcall(lambda: done.append(run(floor)))
            pstats.Stats(p).sort_stats("tottime").print_stats(35)
            continue
        taken.append(timed(lambda: done.append(run(floor))))
        assert done[0] >= 250, done
        beside.append(raw.assign(floor, count=done[0]))
    return statistics.median(taken), statistics.median(beside)


def slots_of(workers: Iterable[models.Worker]) -> Any:
    return models.WorkerChannel.objects.filter(worker__in=workers, task_channel__unique_name="chat")


def fill_slots(floor: models.Workspace) -> None:
    slots_of(floor.workers.all()).update(consumed=F("configured_capacity"))
    changed(floor.workers.all())


def empty_slots(floor: models.Workspace) -> None:
    slots_of(floor.workers.all()).update(consumed=0)
    changed(floor.workers.all())


def changed(workers: Iterable[models.Worker]) -> None:
    """Let the router see them anew."""
    models.Worker.objects.filter(pk__in=[w.pk for w in workers]).update(
        workload_version=F("workload_version") + 1
    )


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


MEASURES: dict[str, Callable[..., tuple[float, float]]] = {
    "nobody free": nobody_free,
    "100 free, none eligible": none_eligible,
    "one freed, one offer": one_freed,
    "500 offers": five_hundred,
}
