"""What a floor ten times as large costs, in steps of SQLite's machine, which no load blurs (P10).

Workers, queues, waiting tasks and events grow one after another. Each act is measured before and
after; the slope is that of the logarithms: 0 is no growth, 1 is growth with the size.
"""

from __future__ import annotations

import base64
import functools
import json
import math
import os
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from agents import dashboard
from agents.dashboard import Panel
from routing import models, sids
from routing.actions import accounts, reservations, task_transitions
from routing.actors import SYSTEM
from routing.events import courier
from routing.router import rounds
from routing.snapshots import due_work
from tests import factories
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_steps import GRAIN, steps

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

GROWTH: Final = int(os.environ.get("GROWTH", "10"))
WORKERS, QUEUES, BACKLOG, EVENTS = 1_000, 500, 10_000, 20_000
MOST: Final = 1.15
LISTS: Final = (
    *("Activities", "Events", "TaskChannels", "TaskQueues", "Tasks", "Workers", "Workflows"),
    *("Tasks?AssignmentStatus=pending", "Events?EventType=task.created"),
)


class Floor:
    """A workspace that grows, with one worker who is measured."""

    def __init__(self) -> None:
        self.account, token = accounts.create_account(friendly_name="Big", now=timezone.now())
        self.workspace = factories.workspace(account=self.account)
        queue = factories.queue(self.workspace)
        factories.workflow(self.workspace, default=queue)
        self.workspace.activities.filter(friendly_name="Available").update(available=True)
        elsewhere = factories.queue(self.workspace, target_workers="skill == 'rare'")
        for _ in range(20):
            factories.task(
                self.workspace, routing_target=elsewhere.sid, attributes={}, now=timezone.now()
            )
        self.alice = factories.worker(self.workspace, "Alice", capacity={"chat": 5})
        given = base64.b64encode(f"{self.account.sid}:{token}".encode()).decode()
        self._rest = Client(headers={"Authorization": f"Basic {given}"})
        self._base = f"/v1/Workspaces/{self.workspace.sid}/"

    def grow_workers(self, count: int) -> None:
        """Add workers, all of them busy or away."""
        made = bulk_rows.add_workers(self.workspace, count - self.workspace.workers.count())
        rows = models.WorkerChannel.objects.filter(worker__in=[each.pk for each in made])
        rows.update(worker_available=False)
        away = factories.activity(self.workspace, "Offline")
        models.Worker.objects.filter(pk__in=[each.pk for each in made]).update(activity=away)

    def grow_queues(self, count: int) -> None:
        """Add queues for workers of other skills."""
        missing = count - self.workspace.task_queues.count()
        now = timezone.now()
        models.TaskQueue.objects.bulk_create(
            models.TaskQueue(
                sid=sids.new_sid("WQ"),
                workspace=self.workspace,
                friendly_name=f"Queue {sids.new_sid('WQ')}",
                target_workers=f"skill == 'number {number}'",
                date_created=now,
                date_updated=now,
            )
            for number in range(missing)
        )
        models.Workspace.objects.filter(pk=self.workspace.pk).update(
            queues_version=F("queues_version") + 1
        )

    def grow_backlog(self, count: int) -> None:
        """Add tasks that wait for workers of a rare skill."""
        bulk_rows.add_waiting_tasks(self.workspace, count)

    def grow_events(self, count: int) -> None:
        """Add copies of an event, older than all others."""
        event = models.Event.objects.filter(event_type="task.created").order_by("pk")[0]
        fields = [each.attname for each in models.Event._meta.concrete_fields]
        values = {name: getattr(event, name) for name in fields if name not in ("id", "sid")}
        values["delivered"] = True
        missing = count - models.Event.objects.count()
        for start in range(0, missing, 5_000):
            models.Event.objects.bulk_create(
                models.Event(sid=sids.new_sid("EV"), **values)
                for _ in range(min(5_000, missing - start))
            )

    def measure(self) -> dict[str, int]:
        """Return the steps of each act."""
        found = {"glance": steps(self._glance)}
        found["create"] = steps(self._create)
        found["one offer"] = steps(self._run)
        offer = self.alice.reservations.filter(reservation_status="pending")[0]
        found["accept"] = steps(lambda: self._accept(offer))
        for panel in (Panel.OFFERS, Panel.TASKS, Panel.QUEUE, Panel.PRESENCE):
            found[f"panel {panel.value}"] = steps(functools.partial(self._draw, panel))
        offer.refresh_from_db()
        found["complete"] = steps(lambda: self._complete(offer.task))
        for name in LISTS:
            found[f"list {name}"] = steps(functools.partial(self._list, name))
        return found

    def _glance(self) -> None:
        due_work.load_due_work(self.workspace, now=timezone.now())

    def _run(self) -> None:
        rounds.run_cycle(workspace=self.workspace, now=timezone.now())

    def _create(self) -> None:
        answer = self._rest.post(
            f"{self._base}Tasks",
            urlencode({"Attributes": "{}", "TaskChannel": "chat"}),
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 201, answer.content

    def _accept(self, offer: models.Reservation) -> None:
        reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())

    def _complete(self, task: models.Task) -> None:
        task_transitions.complete_task(task=task, actor=SYSTEM, now=timezone.now())

    def _draw(self, panel: Panel) -> dashboard.Context:
        worker = models.Worker.objects.select_related("workspace", "activity")
        return dashboard.load_panel(panel, worker.get(pk=self.alice.pk), now=timezone.now())

    def _list(self, name: str) -> Any:
        answer = self._rest.get(self._base + name)
        assert answer.status_code == 200, answer.content
        return json.loads(answer.content)


def test_steps_of_each_act_on_a_floor_ten_times_as_large(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite tells its steps")
    monkeypatch.setattr(courier, "publish_events", lambda events: None)
    floor = Floor()
    grow: dict[str, tuple[Callable[[int], None], int]] = {
        "workers": (floor.grow_workers, WORKERS),
        "queues": (floor.grow_queues, QUEUES),
        "waiting tasks": (floor.grow_backlog, BACKLOG),
        "events": (floor.grow_events, EVENTS),
    }
    for act, size in grow.values():
        act(size)
    models.Dismissals.objects.get_or_create(
        worker_id=floor.alice.pk, defaults={"until": timezone.now()}
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    floor.measure()  # what is cached in the process is cached
    before = floor.measure()
    for what, (act, size) in grow.items():
        act(GROWTH * size)
        floor.measure()
        after = floor.measure()
        for name, count in after.items():
            ratio = count / max(before[name], 1)
            slope = math.log(max(ratio, 0.01)) / math.log(GROWTH)
            table.add(
                f"P10 {GROWTH} times the {what}: {name}",
                f"{before[name]:,} → {count:,} steps, slope {slope:.2f}",
                f"{ratio:.2f}x",
                count <= MOST * before[name] + 2 * GRAIN,
            )
        before = after
