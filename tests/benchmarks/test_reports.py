"""A report of 31 days and 100 queues, as a whole request, beside the bare SQL (bar P7).

`REPORT_QUEUES` is the number of queues. Each has figures in 40 quarters of each day.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from routing import models, sids
from routing.statistics import bookkeeper
from routing.statistics.service_reports import SUMMED
from tests import factories
from tests.agents.conftest import BACKEND
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_floor import measure_ms

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

QUEUES: Final = int(os.environ.get("REPORT_QUEUES", "100"))
DAYS: Final = 31
QUARTERS: Final = 40
FIRST: Final = int(datetime(2026, 3, 1, 8, tzinfo=UTC).timestamp()) // 60
NOW: Final = datetime(2026, 4, 1, 12, tzinfo=UTC)
WINDOW: Final = "2026-03-01..2026-03-31"
ROUNDS: Final = 5
CHUNK: Final = 20_000


def test_a_report_beside_the_bare_sql(table: Table) -> None:
    workspace = make_workspace()
    add_figures(workspace)
    client = log_in(workspace)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The CPU time of other processes of the database would not be counted.
            cursor.execute("SET max_parallel_workers_per_gather = 0")
            cursor.execute("ANALYZE")
    path = f"/supervisor/reports/service?workspace={workspace.sid}&window={WINDOW}"

    def show(more: str = "") -> Callable[[], None]:
        def act() -> None:
            answer = client.get(path + more)
            assert answer.status_code == 200

        return act

    with time_machine.travel(NOW, tick=True):
        show()()
        bare, whole = measure_pairs(lambda: run_bare_sql(workspace), show())
        table.add(
            f"P7  a report of {DAYS} days × {QUEUES} queues, ms of CPU beside bare SQL (1.5x)",
            f"{bare:.0f}  {whole:.0f}",
            f"{whole / bare:.2f}x",
            whole <= 1.5 * bare,
        )
        for name in ("by=interval", "by=interval,queue", "by=interval&step=15m"):
            table.add(f"    the same with {name}", f"{measure_ms(show('&' + name), rounds=2):.0f}")
        multiply_figures(10)
        few, many = whole, measure_pairs(lambda: run_bare_sql(workspace), show())[1]
        table.add(
            "P7  the same with ten times the tasks in the same cells (1.1x)",
            f"{few:.0f}  {many:.0f}",
            f"{many / few:.2f}x",
            many <= 1.1 * few,
        )


def measure_pairs(bare: Callable[[], object], whole: Callable[[], object]) -> tuple[float, float]:
    """Return the medians of CPU time of two acts that take turns."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        found[0].append(measure_ms(bare, rounds=1))
        found[1].append(measure_ms(whole, rounds=1))
    return sorted(found[0])[ROUNDS // 2], sorted(found[1])[ROUNDS // 2]


def make_workspace() -> models.Workspace:
    workspace = factories.workspace()
    with transaction.atomic():
        for number in range(QUEUES):
            factories.queue(workspace, friendly_name=f"Queue {number}")
        for number in range(20):
            factories.worker(workspace, f"Worker {number}")
    while bookkeeper.keep_books(now=NOW, seconds=60):
        pass
    return workspace


def add_figures(workspace: models.Workspace) -> None:
    """Write what a busy month leaves: in each quarter stays, answers by two workers, and waits."""
    queues = [sids.index_key(sid) for sid in workspace.task_queues.values_list("sid", flat=True)]
    workers = [sids.index_key(sid) for sid in workspace.workers.values_list("sid", flat=True)]
    channel = sids.index_key(factories.channel(workspace).sid)
    figures: list[models.Figure] = []
    waits: list[models.FigureWait] = []
    for quarter in range(QUARTERS):
        minute = FIRST + quarter * 15
        for number, queue in enumerate(queues):
            own = {
                "workspace": workspace,
                "minute": minute,
                "length": 15,
                "task_queue_key": queue,
                "task_channel_key": channel,
            }
            figures.append(models.Figure(**own, entered=3, abandoned=1, tasks_created=3))
            figures += [
                models.Figure(
                    **own,
                    worker_key=workers[(number + quarter + each) % len(workers)],
                    origin="push",
                    offers=1,
                    accepted=1,
                    answered=1,
                    handled=1,
                    handled_ms=60_000,
                )
                for each in range(2)
            ]
            for clock in ("queue", "creation"):
                for end, origin, place in (
                    ("answered", "push", (number + quarter) % 20),
                    ("answered", "push", 20),
                    ("abandoned", "", 14),
                ):
                    waits.append(
                        models.FigureWait(
                            **own,
                            origin=origin,
                            end=end,
                            clock=clock,
                            place=place,
                            tasks=1,
                            total_ms=9_000,
                        )
                    )
    models.Figure.objects.bulk_create(figures, batch_size=CHUNK)
    models.FigureWait.objects.bulk_create(waits, batch_size=CHUNK)
    for model in (models.Figure, models.FigureWait):
        copy_days(model)


def copy_days(model: Any) -> None:
    """Write the rows of the first day for the other days."""
    table = model._meta.db_table
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join("minute + %s" if name == "minute" else f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        for day in range(1, DAYS):
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE minute < %s",
                [day * 1440, FIRST + 1440],
            )


def multiply_figures(times: int) -> None:
    names = [*SUMMED, "handled", "handled_ms"]
    models.Figure.objects.update(**{name: F(name) * times for name in names})
    models.FigureWait.objects.update(tasks=F("tasks") * times, total_ms=F("total_ms") * times)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM FULL ANALYZE figures, figure_waits")


def log_in(workspace: models.Workspace) -> Client:
    user = User.objects.create_user("lead")
    models.Membership.objects.create(user=user, workspace=workspace)
    client = Client()
    with time_machine.travel(NOW, tick=True):
        client.force_login(user, backend=BACKEND)
    return client


def run_bare_sql(workspace: models.Workspace) -> None:
    """Read what the report needs, as one would by hand."""
    start = FIRST - 8 * 60
    span = (workspace.pk, start, start + DAYS * 1440)
    sums = ", ".join(f"SUM({name})" for name in SUMMED)
    within = "workspace_id = %s AND minute >= %s AND minute < %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT task_queue_key, origin, {sums} FROM figures"
            f" WHERE {within} AND task_queue_key <> 0 GROUP BY 1, 2",
            span,
        )
        assert len(cursor.fetchall()) == 2 * QUEUES
        cursor.execute(
            'SELECT task_queue_key, origin, "end", place, SUM(tasks), SUM(total_ms)'
            f" FROM figure_waits WHERE {within} AND clock = 'queue' AND task_queue_key <> 0"
            " GROUP BY 1, 2, 3, 4",
            span,
        )
        assert cursor.fetchall()
