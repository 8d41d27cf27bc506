"""A page of the cockpit's Tasks with 100 times as many tasks, in every order offered (bar P9).

SQLite tells the steps of its machine, and PostgreSQL the blocks that a page reads; no load blurs
either. `PAGED` is the smaller number of waiting tasks, and of finished ones.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from routing import models
from routing.actions import reservations, task_transitions
from routing.actors import SYSTEM
from supervisors import pictures, scanning, tasks
from supervisors.access import Supervisor
from supervisors.panel import Scene
from supervisors.query import View
from tests import factories
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_floor import measure_ms
from tests.benchmarks.test_steps import GRAIN, steps
from tests.factories import NOW

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

FEW: Final = int(os.environ.get("PAGED", "5000"))
TIMES: Final = 100
MOST: Final = 1.1
ROUNDS: Final = 20

Act = Callable[[], Any]


def test_a_page_of_tasks_in_every_order(table: Table) -> None:
    user = User.objects.create_user("lead", is_superuser=True)
    pages = [dict(list_pages(make_floor(size), user)) for size in (FEW, TIMES * FEW)]
    unit = "blocks" if connection.vendor == "postgresql" else "steps"
    for name in pages[0]:
        both = [each[name] for each in pages]
        reads = [count_reads(show) for show in both]
        taken: list[list[float]] = [[], []]
        for _ in range(ROUNDS):
            for show, times in zip(both, taken, strict=True):
                times.append(measure_ms(show, rounds=1))
        cpu = [statistics.median(times) for times in taken]
        table.add(
            f"P9  Tasks, {name}, {TIMES * FEW:,} beside {FEW:,}, ms of CPU (bar: {MOST}x)",
            f"{cpu[0]:.1f}  {cpu[1]:.1f}",
            f"{cpu[1] / cpu[0]:.2f}x",
            cpu[1] <= MOST * cpu[0],
        )
        table.add(
            f"    … {unit} of the database",
            f"{reads[0]:,.0f}  {reads[1]:,.0f}",
            f"{reads[1] / reads[0]:.2f}x",
            reads[1] <= MOST * reads[0] + 2 * GRAIN if unit == "steps" else None,
        )


def make_floor(size: int) -> models.Workspace:
    """Make a floor where so many tasks wait, and as many are finished."""
    floor = bulk_rows.make_workspace(workers=50, lanes=100)
    factories.run(floor, NOW)
    offer = floor.reservations.pending()[0]
    held = reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    done = task_transitions.complete_task(task=held.task, actor=SYSTEM, now=NOW)
    fill(floor, done, size)
    return floor


def list_pages(floor: models.Workspace, user: User) -> Iterator[tuple[str, Act]]:
    """Yield the pages that are compared: the first and the second in each order, and others."""
    queue = floor.task_queues.get()
    picture = pictures.find_picture(floor)
    supervisor = Supervisor(user=user, workspace=floor)

    def page(**given: Any) -> Callable[[], dict[str, Any]]:
        view = View(workspace=floor.sid, **given)
        scene = Scene(supervisor=supervisor, view=view, picture=picture, now=timezone.now())
        return lambda: tasks.load_tasks(scene)

    for name in scanning.ORDERS:
        first = page(sort=name)
        shown = first()
        assert len(shown["rows"]) == View().size, name
        yield f"{name}, first page", first
        yield f"{name}, second page", page(sort=name, after=shown["next"].rpartition("after=")[2])
    yield "oldest of one queue", page(sort="oldest", queue=(queue.sid,), status=("pending",))
    yield "finished and not", page(sort="newest", status=("pending", "completed"))


def count_reads(act: Act) -> float:
    """Return how many blocks PostgreSQL reads for an act, or how many steps SQLite takes."""
    if connection.vendor != "postgresql":
        return steps(act)
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        act()
    blocks = 0
    for sql, params in statements:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            (found,) = cursor.fetchone()
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return blocks


def fill(floor: models.Workspace, done: models.Task, size: int) -> None:
    """Make so many tasks wait, each with moments of its own, and as many be finished."""
    last = find_last(floor)
    bulk_rows.add_waiting_tasks(floor, size)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE tasks SET date_created = {shift('date_created', 'id')},"
            f" task_queue_entered_date = {shift('date_created', 'id')},"
            " expires_us = expires_us + id * 1000, step_deadline_us = expires_us + id * 1000"
            " WHERE assignment_status = 'pending' AND id > %s",
            [last],
        )
    last, finished = find_last(floor), floor.tasks.filter(assignment_status="completed").count()
    ended = models.Event.objects.get(event_type="task.completed", resource_sid=done.sid)
    with connection.cursor() as cursor:
        for start in range(finished, size, bulk_rows.CHUNK):
            cursor.execute(*copies(done, start, min(start + bulk_rows.CHUNK, size)))
        names = list_columns(ended)
        own = {"sid": "'EV' || substr(tasks.sid, 3)", "resource_sid": "tasks.sid"}
        own["event_date"] = shift("event_date", "tasks.id")
        values = ", ".join(own.get(name, f"events.{name}") for name in names)
        cursor.execute(
            f"INSERT INTO events ({', '.join(names)}) SELECT {values} FROM events, tasks"
            " WHERE events.id = %s AND tasks.assignment_status = 'completed' AND tasks.id > %s",
            [ended.pk, last],
        )
        cursor.execute("VACUUM (ANALYZE)" if connection.vendor == "postgresql" else "ANALYZE")


def find_last(floor: models.Workspace) -> int:
    """Return the id of the newest task."""
    return floor.tasks.order_by("-pk").values_list("pk", flat=True)[0]


def list_columns(row: Any) -> list[str]:
    """Return the columns that a copy of a row takes over or has for itself."""
    return [field.column for field in row._meta.concrete_fields if field.column != "id"]


def copies(row: models.Task, first: int, end: int) -> tuple[str, list[int]]:
    """Return the statement that copies a task, each copy a little later, and its parameters."""
    names = list_columns(row)
    if connection.vendor == "postgresql":
        head, series = "", f"generate_series({first + 1}, {end}) AS copy (n)"
        sid = "'WT' || md5(random()::text || copy.n)"
    else:
        head = (
            f"WITH RECURSIVE copy (n) AS (SELECT {first + 1}"
            f" UNION ALL SELECT n + 1 FROM copy WHERE n < {end}) "
        )
        series, sid = "copy", "'WT' || lower(hex(randomblob(16)))"
    own = {"sid": sid, "date_created": shift("date_created", "copy.n")}
    values = ", ".join(own.get(name, name) for name in names)
    text = f"INSERT INTO tasks ({', '.join(names)}) {head}SELECT {values} FROM tasks, {series}"
    return f"{text} WHERE tasks.id = %s", [row.pk]


def shift(column: str, number: str) -> str:
    """Return the SQL of a moment so many milliseconds after that of a column."""
    if connection.vendor == "postgresql":
        return f"{column} + {number} * interval '1 millisecond'"
    # As Django stores moments: with six decimals.
    seconds = f"'+' || ({number} / 1000.0) || ' seconds'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', {column}, {seconds}) || '000'"
