"""Measure statistics beside the number of rows, on the database that the settings name.

`python -m tests.benchmarks.statistics_cost` does it on an empty PostgreSQL of its own.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import statistics
from collections.abc import Callable
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.races.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from routing import models, sids  # noqa: E402
from routing.db.sql import task_counts  # noqa: E402
from routing.statistics import counting, cumulative, realtime  # noqa: E402
from routing.statistics.windows import Window  # noqa: E402
from tests import factories  # noqa: E402
from tests.api.conftest import TOKEN, Api, api_of  # noqa: E402
from tests.benchmarks.conftest import median_ms  # noqa: E402
from tests.factories import NOW, later  # noqa: E402

QUEUES = 20
CHANNELS = ("chat", "sms", "voice")
SIZES = (4_980, 499_980)
"""Five thousand and half a million, as queues and channels divide them."""

Figures = dict[str, float]


def make_workspace() -> models.Workspace:
    """Make a workspace with some queues, and a workflow for each."""
    made = factories.workspace(account=factories.account(auth_token=TOKEN))
    for _ in range(QUEUES):
        factories.workflow(made, default=factories.queue(made))
    return made


def add_waiting_tasks(made: models.Workspace, size: int) -> None:
    """Add waiting tasks, spread over queues and channels."""
    each = size // (QUEUES * len(CHANNELS))
    with transaction.atomic():
        for workflow, channel in itertools.product(made.workflows.order_by("pk"), CHANNELS):
            first = factories.task(made, workflow=workflow, channel=channel, priority=3)
            copy_rows(first, each - 1)


def copy_rows(first: models.Task, times: int) -> None:
    """Write so many tasks like one that was made properly, by one statement."""
    names = [f.column for f in models.Task._meta.concrete_fields if f.column not in ("id", "sid")]
    columns = ", ".join(names)
    fresh = "md5(random()::text)" if connection.vendor == "postgresql" else "hex(randomblob(16))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO tasks ({columns}, sid)"
            " WITH RECURSIVE number(n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < %s)"
            f" SELECT {columns}, 'WT' || lower({fresh}) FROM tasks, number WHERE id = %s",
            [times, first.pk],
        )


def copy_tasks(first: models.Task, count: int) -> list[models.Task]:
    """Return tasks like one that was made properly, each a second younger than the one before."""
    columns = [f.attname for f in models.Task._meta.concrete_fields]
    columns = [name for name in columns if name not in ("id", "sid", "date_created")]
    kept = {name: getattr(first, name) for name in columns}
    return [
        models.Task(**kept, sid=sids.new_sid("WT"), date_created=later(number % 50_000))
        for number in range(1, count + 1)
    ]


def make_request(api: Api, path: str) -> Callable[[], None]:
    """Return the request for an answer with real-time figures."""

    def run() -> None:
        assert api.get(path).status == 200

    return run


def check_answers(made: models.Workspace, size: int) -> None:
    """Check that the measured answers are right."""
    assert counting.find_differences() == []
    found = realtime.count_tasks(made, [made], channels=list(made.task_channels.all()))[made.pk]
    assert found.all.total == made.tasks.count() == size
    assert found.all.waiting is not None
    assert found.all.waiting.since == NOW


def measure_all() -> Figures:
    """Measure everything on the database that the settings name."""
    floors = {size: make_workspace() for size in SIZES}
    for size, made in floors.items():
        add_waiting_tasks(made, size)
    analyze_tables()
    counting.merge_counts()
    asked: dict[str, Callable[[], None]] = {}
    for size, made in floors.items():
        check_answers(made, size)
        api, root = api_of(made.account), f"Workspaces/{made.sid}"
        queue = made.task_queues.order_by("pk")[0]
        asked |= {
            f"a workspace's at {size}": make_request(api, f"{root}/RealTimeStatistics"),
            f"a queue's at {size}": make_request(
                api, f"{root}/TaskQueues/{queue.sid}/RealTimeStatistics"
            ),
            f"20 queues' at {size}": make_request(api, f"{root}/TaskQueues/Statistics"),
        }
    largest = floors[SIZES[-1]]
    return (
        measure_interleaved(asked, rounds=25)
        | measure_writes(largest)
        | measure_past_events(largest)
    )


def analyze_tables() -> None:
    """Run ANALYZE on PostgreSQL, as it does by itself in time."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def measure_interleaved(acts: dict[str, Callable[[], None]], *, rounds: int) -> Figures:
    """Measure several acts in turn, so that a machine's bad moments hit all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            taken[name].append(median_ms(act, rounds=1))
    return {name: statistics.median(each) for name, each in taken.items()}


def measure_writes(made: models.Workspace) -> Figures:
    """Measure 500 tasks written and then moved on, with and without counting, in turn."""
    first = made.tasks.order_by("pk")[0]
    rows = copy_tasks(first, 500)
    models.Task.objects.bulk_create(rows)
    chosen = models.Task.objects.filter(pk__in=[row.pk for row in rows])
    one = models.Task.objects.filter(pk=rows[0].pk)
    reserve = {"assignment_status": "reserved"}
    acts: dict[str, Callable[[], object]] = {
        "insert": lambda: models.Task.objects.bulk_create(copy_tasks(first, 500)),
        "update": functools.partial(chosen.update, **reserve),
        "update of one": functools.partial(one.update, **reserve),
    }
    taken: dict[str, list[float]] = {}
    for _ in range(7):
        for name in ("counted", "not counted"):
            if name == "not counted":
                drop_triggers()
            for act, run in acts.items():
                taken.setdefault(f"{act}, {name}", []).append(median_ms(roll_back(run), rounds=3))
        counting.install_triggers()
    return {name: statistics.median(each) for name, each in taken.items()}


def roll_back(act: Callable[[], object]) -> Callable[[], None]:
    """Return an act that leaves everything as it was."""

    def run() -> None:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)

    return run


def drop_triggers() -> None:
    """Drop the counting triggers."""
    on = " ON tasks" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in task_counts.TRIGGERS:
            cursor.execute(f"DROP TRIGGER {name}{on}")


def measure_past_events(made: models.Workspace) -> Figures:
    """Measure the figures of the last quarter of an hour beside ever older events."""
    figures: Figures = {}
    mine = models.Event.objects.filter(workspace_sid=made.sid)
    model = mine.filter(event_type="task.created").order_by("pk")[0]
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
                sid=sids.new_sid("EV"),
                event_date=NOW - timedelta(seconds=number * 900 / 10_000),
            )
            for number in range(waiting, size)
        ]
        models.Event.objects.bulk_create(rows, batch_size=2_000)
        waiting = size
        analyze_tables()
        figures[f"past at {size // 1000}k"] = median_ms(
            lambda: cumulative.count_events(made.sid, window, cumulative.OF_WORKSPACE), rounds=9
        )
    return figures


if __name__ == "__main__":
    setup_test_environment()
    call_command("migrate", verbosity=0)
    print(json.dumps(measure_all()))  # noqa: T201 - the report is the output
