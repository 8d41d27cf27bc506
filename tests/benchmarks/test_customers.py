"""A hundred thousand customers, and a worker for each: lanes are found by value (bar 9)."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import F

from routing import models, sids
from routing.core import lanes
from routing.core.matching import lane_keys
from routing.events import courier
from routing.router import rounds
from tests import factories
from tests.benchmarks.conftest import Table
from tests.factories import NOW
from workflows import expressions
from workflows.expressions import View

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

CUSTOMERS = int(os.environ.get("CUSTOMERS", "100000"))
ASKED = "task.customer == worker.customer"


def test_a_freed_worker_gets_the_task_of_their_customer(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "publish_events", lambda events: None)
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(floor, default={"queue": queue.sid, "expression": ASKED})
    first = factories.task(floor, attributes={"customer": "c0"})
    worker = factories.worker(floor, attributes={"customer": "c0"}, capacity={"chat": 50})
    populate(first)
    factories.run(floor)
    taken = []
    for number in range(1, 40):
        models.Worker.objects.filter(pk=worker.pk).update(
            attributes=f'{{"customer": "c{number * CUSTOMERS // 41}"}}', version=F("version") + 1
        )
        begun = time.perf_counter()
        assert rounds.run_round(floor, NOW)[0] == 1
        taken.append((time.perf_counter() - begun) * 1000)
    vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    median = statistics.median(taken)
    table.add(
        f"9  {vendor}: one of {CUSTOMERS:,} customers' tasks, by whoever serves them (bar: 5 ms)",
        f"{median:.2f} ms",
        "",
        median <= 5,
    )


def populate(first: models.Task) -> None:
    """Copy a task and its lane for every customer."""
    made = models.Lane.objects.bulk_create(_lanes(first), batch_size=1_000)
    values = {
        field.attname: getattr(first, field.attname)
        for field in models.Task._meta.concrete_fields
        if field.attname not in ("id", "sid", "lane_id", "virtual_start_us")
    }
    models.Task.objects.bulk_create(
        (
            models.Task(
                sid=sids.new_sid("WT"),
                lane=lane,
                virtual_start_us=first.virtual_start_us + number,
                **values,
            )
            for number, lane in enumerate(made)
        ),
        batch_size=1_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _lanes(first: models.Task) -> Iterator[models.Lane]:
    assert first.lane is not None
    asked = expressions.compile_expression(ASKED, subject="target")
    for number in range(1, CUSTOMERS):
        left = asked.bind(task=View({"customer": f"c{number}"}, {}))
        identity = lanes.Identity(
            task_channel_sid=first.task_channel.sid,
            task_queue_sid="" if first.task_queue is None else first.task_queue.sid,
            expression=left.source,
        )
        seek = lane_keys.choose_lane_key(identity, left)
        yield models.Lane(
            workspace_id=first.workspace_id,
            digest=identity.digest,
            task_queue_id=first.task_queue_id,
            task_channel_id=first.task_channel_id,
            expression=left.source,
            seek_path=seek.path,
            seek_value=seek.value,
            date_seen=NOW,
        )
