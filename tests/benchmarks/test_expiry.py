"""Many deadlines due at once: how fast they end, and how long a freed worker waits among them."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from routing import models, sids
from routing.actions import offers, task_transitions
from routing.actors import SYSTEM
from routing.events import courier
from routing.router import rounds
from tests import factories
from tests.benchmarks.conftest import Table

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

OVERDUE = int(os.environ.get("OVERDUE", "300000"))
BAR_PER_SECOND = 2_000
BAR_WAIT_SECONDS = 1.0
STEP_SECONDS = 600


@pytest.mark.parametrize("kind", ["lifetimes", "last steps", "escalations"])
def test_expiry_of_many_deadlines_at_once(
    table: Table, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(courier, "publish_events", lambda events: None)
    floor = factories.workspace()
    queue, next_queue = (factories.queue(floor, target_workers="fast == false") for _ in range(2))
    timeout = 86_400 if kind == "lifetimes" else STEP_SECONDS
    targets = [factories.target(queue, timeout=timeout)]
    if kind == "escalations":
        targets.append(factories.target(next_queue))
    workflow = factories.workflow(floor, factories.filter_("1 == 1", *targets))
    begun = timezone.now() - timedelta(seconds=STEP_SECONDS + 1)
    lifetime = STEP_SECONDS if kind == "lifetimes" else 86_400
    first = factories.task(floor, workflow=workflow, timeout=lifetime, now=begun)
    copy(first, OVERDUE)
    # Served by this worker alone, whose tasks come by a workflow of their own.
    own_queue = factories.queue(floor, target_workers="fast == true")
    worker = factories.worker(floor, attributes={"fast": True}, capacity={"chat": 1})
    own = factories.workflow(floor, default=own_queue)
    waits, offered = [], [0.0]
    reserve_workers = offers.reserve_workers

    def reserve(*args: Any, **options: Any) -> int:
        made = reserve_workers(*args, **options)
        offered[0] = time.perf_counter()
        return made

    monkeypatch.setattr(offers, "reserve_workers", reserve)
    started = time.perf_counter()
    ended, seconds = 0, float(os.environ.get("EXPIRY_SECONDS", "20"))
    while time.perf_counter() - started < seconds:
        task = factories.task(floor, workflow=own, now=timezone.now())
        posted = time.perf_counter()
        while not (offer := models.Reservation.objects.filter(task=task).first()):
            rounds.run_for_a_while(floor)
        waits.append(offered[0] - posted)
        task_transitions.cancel_task(task=offer.task, actor=SYSTEM, now=timezone.now())
    took = time.perf_counter() - started
    overdue = models.Task.objects.filter(pk__gte=first.pk, workflow=workflow)
    if kind == "escalations":
        ended = overdue.filter(task_queue=next_queue).count()
    else:
        ended = overdue.filter(assignment_status="canceled").count()
    assert worker.pk
    vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    table.add(
        f"-  {vendor}: {kind} ended a second, of {OVERDUE:,} (bar: {BAR_PER_SECOND:,})",
        f"{ended / took:,.0f}",
        "",
        ended / took >= BAR_PER_SECOND,
    )
    table.add(
        f"-  {vendor}: a freed worker's next task among them, longest (bar: 1 s)",
        f"{max(waits):.2f} s",
        "",
        max(waits) <= BAR_WAIT_SECONDS,
    )


def copy(first: models.Task, count: int) -> None:
    """Copy a waiting task."""
    values = {
        field.attname: getattr(first, field.attname)
        for field in models.Task._meta.concrete_fields
        if field.attname not in ("id", "sid")
    }
    models.Task.objects.bulk_create(
        (models.Task(sid=sids.new_sid("WT"), **values) for _ in range(count - 1)), batch_size=2_000
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
