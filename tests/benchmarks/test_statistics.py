"""Statistics beside what they are of: real-time figures must not follow the backlog.

On SQLite, and where there is a PostgreSQL on that as well; with what counting costs those who write.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from routing import models, sids
from routing.statistics import counting, cumulative, realtime, triggers
from routing.statistics.windows import Window
from tests import factories
from tests.benchmarks.conftest import Table, median_ms
from tests.factories import NOW, later

QUEUES = 20
CHANNELS = ("chat", "sms", "voice")
_numbers = itertools.count(1)

Figures = dict[str, float]


def floor() -> models.Workspace:
    """Make a workspace with some queues, and a workflow for each."""
    made = factories.workspace()
    for _ in range(QUEUES):
        factories.workflow(made, default=factories.queue(made))
    return made


def backlog(made: models.Workspace, size: int) -> None:
    """Let so many tasks wait, spread over queues and channels."""
    workflows = list(made.workflows.order_by("pk"))
    each = size // (QUEUES * len(CHANNELS))
    with transaction.atomic():
        for workflow, channel in itertools.product(workflows, CHANNELS):
            first = factories.task(made, workflow=workflow, channel=channel, priority=3)
            write(copies(first, each - 1))


def copies(first: models.Task, count: int) -> list[models.Task]:
    """Return tasks like one that was made properly, each a second younger than the one before."""
    columns = [f.attname for f in models.Task._meta.concrete_fields]
    columns = [name for name in columns if name not in ("id", "sid", "date_created")]
    kept = {name: getattr(first, name) for name in columns}
    return [
        models.Task(**kept, sid=sids.new("WT"), date_created=later(number % 50_000))
        for number in range(1, count + 1)
    ]


def write(rows: list[models.Task]) -> None:
    """Write them, some thousands at a time."""
    models.Task.objects.bulk_create(rows, batch_size=2_000)


def now(made: models.Workspace) -> None:
    """Ask for all real-time figures of tasks, as the REST answers do."""
    channels = list(made.task_channels.order_by("pk"))
    realtime.tasks(made, [made], channels=channels)
    realtime.tasks(made, list(made.task_queues.all()), channels=channels)


def check(made: models.Workspace, size: int) -> None:
    """See that what is measured is right."""
    assert counting.differences() == []
    found = realtime.tasks(made, [made], channels=list(made.task_channels.all()))[made.pk]
    assert found.all.total == made.tasks.count() == size
    assert found.all.waiting is not None
    assert found.all.waiting.since == NOW


def measure() -> Figures:
    """Measure everything on the database that the settings name."""
    made = floor()
    figures: Figures = {}
    waiting = 0
    for size in (5_000 // 60 * 60, 500_000 // 60 * 60):
        backlog(made, size - waiting)
        waiting = size
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        counting.merge()
        check(made, size)
        figures[f"now at {waiting // 1000}k"] = median_ms(lambda: now(made), rounds=15)
    return figures | writing(made) | past(made)


def writing(made: models.Workspace) -> Figures:
    """Measure 500 tasks written and then moved on, with and without counting."""
    first = made.tasks.order_by("pk")[0]

    def insert() -> list[models.Task]:
        rows = copies(first, 500)
        models.Task.objects.bulk_create(rows)
        return rows

    figures: Figures = {}
    for name in ("counted", "not counted"):
        if name == "not counted":
            drop()
        figures[f"insert, {name}"] = median_ms(rolled_back(insert), rounds=9)
        rows = insert()
        chosen = models.Task.objects.filter(pk__in=[row.pk for row in rows])
        figures[f"update, {name}"] = median_ms(
            rolled_back(lambda chosen=chosen: chosen.update(assignment_status="reserved")), rounds=9
        )
        one = models.Task.objects.filter(pk=rows[0].pk)
        figures[f"update of one, {name}"] = median_ms(
            rolled_back(lambda one=one: one.update(assignment_status="reserved")), rounds=51
        )
    counting.install()
    return figures


def rolled_back(act: Callable[[], object]) -> Callable[[], None]:
    """Return an act that leaves everything as it was."""

    def run() -> None:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)

    return run


def drop() -> None:
    """Let nobody count any more."""
    on = " ON tasks" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in triggers.NAMES:
            cursor.execute(f"DROP TRIGGER {name}{on}")


def past(made: models.Workspace) -> Figures:
    """Measure the figures of the last quarter of an hour beside ever older events."""
    figures: Figures = {}
    model = models.Event.objects.filter(event_type="task.created").order_by("pk")[0]
    columns = [f.attname for f in models.Event._meta.concrete_fields]
    columns = [n for n in columns if n not in ("id", "sid", "event_date", "transaction_id")]
    kept = {name: getattr(model, name) for name in columns}
    window = Window(NOW - timedelta(minutes=15), NOW)
    waiting = models.Event.objects.count()
    for size in (20_000, 200_000):
        # As dense before the window as in it: what is added lies ever further back.
        rows = [
            models.Event(
                **kept,
                sid=sids.new("EV"),
                event_date=NOW - timedelta(seconds=number * 900 / 10_000),
            )
            for number in range(waiting, size)
        ]
        models.Event.objects.bulk_create(rows, batch_size=2_000)
        waiting = size
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE events")
        figures[f"past at {size // 1000}k"] = median_ms(
            lambda: cumulative.figures(made.sid, window, cumulative.OF_WORKSPACE), rounds=9
        )
    return figures


def show(table: Table, vendor: str, figures: Figures) -> None:
    """Add what was measured to the table."""
    (small, large) = (figures[name] for name in figures if name.startswith("now at"))
    table.add(
        f"{vendor}: real-time figures at 500k pending beside 5k (bar: 1.2)",
        f"{small:.1f} → {large:.1f} ms",
        f"{large / small:.2f}x",
        large / small <= 1.2,
    )
    for act in ("insert", "update", "update of one"):
        with_, without = (figures[f"{act}, {name}"] for name in ("counted", "not counted"))
        what = "1 task" if act == "update of one" else "500 tasks"
        table.add(
            f"{vendor}: {act.partition(' ')[0]} of {what}, uncounted → counted",
            f"{without:.2f} → {with_:.2f} ms",
            f"{with_ / without:.2f}x",
        )
    (few, many) = (figures[name] for name in figures if name.startswith("past at"))
    table.add(
        f"{vendor}: 15 minutes of events beside ten times as many older ones",
        f"{few:.1f} → {many:.1f} ms",
        f"{many / few:.2f}x",
    )


@pytest.mark.bench
@pytest.mark.django_db(transaction=True)
def test_real_time_figures_cost_the_same_whatever_waits(table: Table) -> None:
    show(table, "SQLite", measure())


@pytest.mark.bench
@pytest.mark.postgres
def test_and_so_they_do_on_postgresql(table: Table, postgres_url: str) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.test_statistics"],
        env={
            **os.environ,
            "RACES_DATABASE_URL": postgres_url,
            "DJANGO_SETTINGS_MODULE": "tests.races.settings",
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    show(table, "PostgreSQL", json.loads(played.stdout.splitlines()[-1]))
