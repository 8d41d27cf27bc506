"""A floor of the largest size that is supported, on PostgreSQL (P15).

`LARGE_WORKERS`, `LARGE_QUEUES` and `LARGE_WAITING` change its size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from routing import models, sids
from routing.actions import accounts
from routing.events import courier
from tests import factories
from tests.api.conftest import basic
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table, median_ms

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

WORKERS: Final = int(os.environ.get("LARGE_WORKERS", "15000"))
QUEUES: Final = int(os.environ.get("LARGE_QUEUES", "5000"))
WAITING: Final = int(os.environ.get("LARGE_WAITING", "500000"))
LANES: Final = min(QUEUES, 1_000)
"""Queues with waiting tasks."""
ALICE: Final = 1
"""The queue of the worker who becomes free."""
BARS: Final = {
    "router, CPU seconds of the first cycle": 3.0,
    "router, CPU seconds of the second cycle": None,
    "router, MB": 250.0,
    "desk page, ms": 300.0,
    "panel of waiting tasks, ms": None,
    "statistics of 50 queues, ms": 500.0,
    "search by an attribute, ms": 500.0,
}
"""The most of each, where there is a bar."""


def test_the_largest_floor(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("this size is for PostgreSQL")
    monkeypatch.setattr(courier, "publish_events", lambda events: None)
    account, token = accounts.create_account(friendly_name="Large", now=timezone.now())
    floor = factories.workspace(account=account)
    factories.workflow(floor, default=factories.queue(floor))
    for queue in add_queues(floor)[:LANES]:
        factories.task(
            floor,
            routing_target=queue.sid,
            attributes={"subject": "Where is it?"},
            now=timezone.now(),
        )
    bulk_rows.add_waiting_tasks(floor, WAITING)
    alice = add_workers(floor)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    found = measure_requests(floor, alice, basic(account.sid, token)) | measure_router(floor, alice)
    table.add(f"P15  {WORKERS:,} workers, {QUEUES:,} queues, {WAITING:,} waiting", "")
    for name, most in BARS.items():
        bar = "" if most is None else f" (<= {most:g})"
        met = None if most is None else found[name] <= most
        table.add(f"P15  {name}{bar}", f"{found[name]:.2f}", "", met)


def measure_router(floor: models.Workspace, alice: models.Worker) -> dict[str, float]:
    """Free a worker, and return what a new router costs that offers them a task."""
    models.WorkerChannel.objects.filter(worker=alice).update(consumed=0)
    models.Worker.objects.filter(pk=alice.pk).update(workload_version=F("workload_version") + 1)
    name = connection.settings_dict["NAME"]
    url = os.environ["RACES_DATABASE_URL"].replace("/postgres?", f"/{name}?")
    router = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.new_router", floor.sid],
        env={**os.environ, "RACES_DATABASE_URL": url},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(router.stdout)
    return found


def add_queues(floor: models.Workspace) -> list[models.TaskQueue]:
    """Add queues, each with an expression of its own."""
    now = timezone.now()
    return models.TaskQueue.objects.bulk_create(
        models.TaskQueue(
            sid=sids.new_sid("WQ"),
            workspace=floor,
            friendly_name=f"Skill {number}",
            target_workers=f"skill == 'number {number}'",
            date_created=now,
            date_updated=now,
        )
        for number in range(QUEUES)
    )


def add_workers(floor: models.Workspace) -> models.Worker:
    """Add workers without a free slot, some for each queue; return one with a login."""
    for number in range(100):
        bulk_rows.add_workers(floor, WORKERS // 100, skill=f"number {number * QUEUES // 100}")
    (alice,) = bulk_rows.add_workers(floor, 1, skill=f"number {ALICE}")
    models.Worker.objects.filter(pk=alice.pk).update(
        user=User.objects.create_user("alice"),
        activity=floor.activities.get(friendly_name="Available"),
    )
    models.WorkerChannel.objects.filter(worker=alice).update(worker_available=True)
    models.WorkerChannel.objects.filter(worker__workspace=floor).update(
        consumed=F("configured_capacity")
    )
    return models.Worker.objects.get(pk=alice.pk)


def measure_requests(
    floor: models.Workspace, alice: models.Worker, credentials: str
) -> dict[str, float]:
    """Return milliseconds of pages and lists, the process having answered them before."""
    desk = Client()
    assert alice.user is not None
    desk.force_login(alice.user)
    rest = Client(headers={"Authorization": credentials})
    base = f"/v1/Workspaces/{floor.sid}"
    nowhere = quote('subject == "nowhere"')
    asked: dict[str, tuple[Client, str]] = {
        "desk page, ms": (desk, "/agent/"),
        "panel of waiting tasks, ms": (desk, "/agent/panels/queue"),
        "statistics of 50 queues, ms": (rest, f"{base}/TaskQueues/Statistics"),
        "search by an attribute, ms": (rest, f"{base}/Tasks?EvaluateTaskAttributes={nowhere}"),
    }
    return {name: measure(client, path) for name, (client, path) in asked.items()}


def measure(client: Client, path: str) -> float:
    """Return the milliseconds of a request, the median of some after the first two."""

    def request() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content[:500]

    for _ in range(2):
        request()
    return median_ms(request, rounds=5)
