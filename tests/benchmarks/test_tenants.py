"""Workspaces at rest: what a sweep costs when all tasks wait for workers who are away (bar 16)."""

from __future__ import annotations

import os
import statistics
import time

import pytest
from django.db import connection
from django.utils import timezone

from routing import models, sids
from routing.router import rounds
from routing.snapshots.due_work import list_due_workspaces
from tests import factories
from tests.benchmarks.conftest import Table

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

FEW, MANY = 10, int(os.environ.get("TENANTS", "1000"))
TASKS_EACH = 100
BAR_MS = 30


def test_a_sweep_of_many_workspaces_at_rest(table: Table) -> None:
    taken = {}
    for size in (FEW, MANY):
        add_workspaces(size - models.Workspace.objects.count())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        assert list_due_workspaces(now=timezone.now()) == []
        taken[size] = statistics.median(measure_sweep() for _ in range(9))
    each = statistics.median(measure_cycle(floor) for floor in models.Workspace.objects.all()[:9])
    table.add(
        f"16  {connection.vendor}: a sweep of {MANY:,} workspaces at rest (bar: {BAR_MS} ms)",
        f"{taken[MANY]:.1f} ms",
        f"{taken[MANY] / (each * MANY):.3f}x",
        taken[MANY] <= BAR_MS,
    )
    table.add(f"16  … of {FEW}", f"{taken[FEW]:.1f} ms")
    table.add("16  … beside a cycle in each of them", f"{each * MANY:,.0f} ms")


def add_workspaces(count: int) -> None:
    """Add workspaces with a worker who is away and waiting tasks, by copying rows."""
    for _ in range(count):
        floor = factories.workspace()
        factories.worker(floor, available=False)
        task = factories.task(floor, now=timezone.now())
        rows = [models.Task.objects.get(pk=task.pk) for _ in range(TASKS_EACH - 1)]
        for row in rows:
            row.pk, row.sid = None, sids.new_sid("WT")
        models.Task.objects.bulk_create(rows)


def measure_sweep() -> float:
    """Return the milliseconds of one sweep."""
    begun = time.perf_counter()
    list_due_workspaces(now=timezone.now())
    return (time.perf_counter() - begun) * 1000


def measure_cycle(floor: models.Workspace) -> float:
    """Return the milliseconds of a cycle in a workspace at rest."""
    begun = time.perf_counter()
    rounds.run_for_a_while(floor)
    return (time.perf_counter() - begun) * 1000
