"""Write the rows of assignments with plain SQL: the reference for a cycle."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from routing import models, sids
from routing.actors import SYSTEM
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder
from tests.factories import NOW

TASK = (
    "UPDATE tasks SET assignment_status = 'reserved', assignments = assignments + 1,"
    " version = version + 1, date_updated = {now}"
)
SLOT = "UPDATE worker_channels SET consumed = consumed + 1, last_reserved_us = {us}"
WORKER = "UPDATE workers SET workload_version = workload_version + 1, last_reserved_us = {us}"


def assign_by_sql(floor: models.Workspace, *, count: int) -> float:
    """Return the milliseconds of one transaction that offers so many tasks to as many workers."""
    tasks = list(
        models.Task.objects.pending()
        .filter(workspace=floor)
        .select_related("workflow", "task_queue", "task_channel", "workspace")
        .order_by("-pk")[:count]
    )
    slots = list(
        models.WorkerChannel.objects.filter(task_channel=tasks[0].task_channel)
        .select_related("worker__activity", "worker__workspace")
        .order_by("-worker_available", "consumed", "?")[:count]
    )
    reservations = [_reservation(*pair) for pair in zip(tasks, slots, strict=True)]
    written = [
        recorder.row(
            recorder.Draft(
                EventType.RESERVATION_CREATED, each.sid, payloads.describe_reservation(each)
            ),
            payloads.describe_workspace(floor),
            workspace=floor,
            actor=SYSTEM,
            now=NOW,
        )
        for each in reservations
    ]
    into_reservations = _rows(reservations)
    into_events = _rows(written)
    ids = [[row.pk for row in rows] for rows in (tasks, slots, [slot.worker for slot in slots])]
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, keys in zip((TASK, SLOT, WORKER), ids, strict=True):
            _update(cursor, sql, keys)
        _insert(cursor, models.Reservation, into_reservations)
        _insert(cursor, models.Event, into_events)
    return (time.perf_counter() - begun) * 1000


def _reservation(task: models.Task, slot: models.WorkerChannel) -> models.Reservation:
    return models.Reservation(
        sid=sids.new_sid("WR"),
        workspace=task.workspace,
        task=task,
        worker=slot.worker,
        worker_channel=slot,
        reservation_timeout=120,
        deadline_us=microseconds(NOW) + 120_000_000,
        worker_previous_activity=slot.worker.activity,
        date_created=NOW,
        date_updated=NOW,
    )


def _rows(instances: Sequence[Any]) -> list[list[Any]]:
    """Return the column values of each instance, as the database takes them."""
    fields = [
        f
        for f in instances[0]._meta.concrete_fields
        if not f.primary_key and not f.has_db_default()
    ]
    rows = []
    for instance in instances:
        row = []
        for field in fields:
            value = field.get_db_prep_save(getattr(instance, field.attname), connection)
            row.append(
                json.dumps(getattr(instance, field.attname))
                if field.name == "event_data"
                else value
            )
        rows.append(row)
    return rows


def _update(cursor: Any, sql: str, keys: Sequence[int]) -> None:
    sql = sql.format(now=f"'{NOW:%Y-%m-%d %H:%M:%S}'", us=microseconds(NOW))
    if connection.vendor == "postgresql":
        cursor.execute(f"{sql} WHERE id = ANY(%s)", [list(keys)])
    else:
        cursor.executemany(f"{sql} WHERE id = %s", [[key] for key in keys])


def _insert(cursor: Any, model: Any, rows: Sequence[Sequence[Any]]) -> None:
    fields = [
        f for f in model._meta.concrete_fields if not f.primary_key and not f.has_db_default()
    ]
    names = ", ".join(field.column for field in fields)
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})", columns)
    else:
        marks = ", ".join(["%s"] * len(fields))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def _type(field: Any) -> str:
    return str(field.db_type(connection)).split("(")[0].replace("varchar", "text")
