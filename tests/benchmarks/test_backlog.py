"""A cycle against the backlog, on SQLite: its cost must not follow what waits (bars 4 to 8)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

import pytest
from django.db import transaction

from routing import assignment, models, sids
from routing.core.clock import microseconds
from tests import factories
from tests.benchmarks.conftest import Table, median_ms
from tests.factories import NOW

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

LANES = 50
_clock = itertools.count(1)


def backlog(floor: models.Workspace, size: int) -> None:
    """Put so many tasks, which nobody can take, on fifty lanes; copied from one made properly."""
    for lane in range(LANES):
        first = factories.task(floor, attributes={"lang": f"x{lane}"})
        rows: Iterable[models.Task] = (
            models.Task(
                **{
                    field.attname: getattr(first, field.attname)
                    for field in models.Task._meta.concrete_fields
                    if field.attname not in ("id", "sid")
                },
                sid=sids.new("WT"),
            )
            for _ in range(size // LANES - 1)
        )
        with transaction.atomic():
            models.Task.objects.bulk_create(rows, batch_size=2_000)


@pytest.mark.parametrize("workers", [200])
def test_a_cycle_costs_the_same_whatever_waits(table: Table, workers: int) -> None:
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(
        floor, default={"queue": queue.sid, "expression": "task.lang IN worker.langs"}
    )
    with transaction.atomic():
        people = [
            factories.worker(
                floor, available=False, attributes={"langs": ["en"]}, capacity={"chat": 50}
            )
            for _ in range(workers)
        ]
    figures: dict[int, dict[str, float]] = {}
    waiting = 0
    for size in (1_000, 100_000):
        backlog(floor, size - waiting)
        waiting = size
        models.Worker.objects.filter(workspace=floor).update(
            activity=factories.activity(floor, "Offline"), version=next(_clock) * 1000
        )
        figures[size] = {"nobody free": median_ms(lambda: run(floor), rounds=15)}
        models.Worker.objects.filter(workspace=floor).update(
            activity=factories.activity(floor), version=next(_clock) * 1000
        )
        figures[size]["free, none eligible"] = median_ms(lambda: run(floor), rounds=15)
        figures[size]["one task arrives"] = arriving(floor)
        figures[size]["500 tasks arrive"] = arriving(floor, count=500, rounds=5)
    for name, small in figures[1_000].items():
        large = figures[100_000][name]
        table.add(
            f"5-7  {name}: cycle at 100k waiting beside 1k (bar: 1.2)",
            f"{small:.1f} → {large:.1f} ms",
            f"{large / small:.2f}x",
            large / small <= 1.2,
        )
    assert people


def run(floor: models.Workspace) -> int:
    return assignment.run_cycle(workspace=floor, now=NOW)


def arriving(floor: models.Workspace, *, count: int = 1, rounds: int = 15) -> float:
    """Return the milliseconds of a cycle that offers so many tasks that have just come."""
    taken = []
    for _ in range(rounds):
        with transaction.atomic():
            for _ in range(count):
                factories.task(floor, attributes={"lang": "en"})
        begun = time.perf_counter()
        assert run(floor) == count
        taken.append((time.perf_counter() - begun) * 1000)
        with transaction.atomic():
            free_all(floor)
    return sorted(taken)[len(taken) // 2]


def free_all(floor: models.Workspace) -> None:
    """Take the offers away again, as if they had never been made."""
    models.Reservation.objects.filter(workspace=floor).delete()
    models.Task.objects.filter(workspace=floor, assignment_status="reserved").delete()
    models.WorkerChannel.objects.filter(worker__workspace=floor).update(consumed=0)
    models.Worker.objects.filter(workspace=floor).update(
        workload_version=microseconds(NOW) + next(_clock)
    )
