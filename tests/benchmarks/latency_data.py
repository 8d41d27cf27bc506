"""Fill a server's database for `test_latency`: a thousand workers and ten thousand waiting tasks.

This is a separate process with the settings of the server; it prints JSON.
"""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402 - they need the settings above
from django.contrib.auth import get_user_model  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from routing import models  # noqa: E402
from routing.actions import accounts, task_queues, tasks, workflows, workspaces  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from tests.benchmarks import bulk_rows  # noqa: E402

WORKERS = 1_000
BLOCKED = 10_000
CAPACITY = 50
"""Concurrent chats of an agent."""
SEATS = 30
"""The least number of agents with a socket, for each side."""


def main(sides: dict[str, int]) -> None:
    """Make the rows, with agents of each side who have capacity for this number of tasks."""
    now = timezone.now()
    account, token = accounts.create_account(friendly_name="Crowd", now=now)
    floor = workspaces.create_workspace(
        account=account, friendly_name="Crowd", actor=SYSTEM, now=now
    )
    queue = task_queues.create_task_queue(
        workspace=floor, friendly_name="Crowd", actor=SYSTEM, now=now
    )
    target = {"queue": queue.sid, "expression": "worker.side == task.side"}
    workflow = workflows.create_workflow(
        workspace=floor,
        friendly_name="Crowd",
        configuration=json.dumps({"task_routing": {"default_filter": target}}),
        # No agent answers, and who lets an offer expire would get no other.
        task_reservation_timeout=3_600,
        actor=SYSTEM,
        now=now,
    )
    there = floor.activities.get(friendly_name="Available")
    bulk_rows.add_workers(floor, WORKERS, side="elsewhere")
    floor.workers.update(activity=there)
    # Half as many again: not all are full at the same moment.
    seats = {side: max(SEATS, room * 3 // (2 * CAPACITY)) for side, room in sides.items()}
    cookies = {side: [add_agent(floor, side) for _ in range(seats[side])] for side in sides}
    models.WorkerChannel.objects.filter(worker__workspace=floor).update(
        configured_capacity=CAPACITY, worker_available=True
    )
    chat = floor.task_channels.get(unique_name="chat")
    tasks.create_task(
        workspace=floor,
        task_channel=chat,
        attributes='{"side": "none"}',
        priority=9,
        actor=SYSTEM,
        now=now,
    )
    bulk_rows.add_waiting_tasks(floor, BLOCKED)
    print(  # noqa: T201 - what it is run for
        json.dumps(
            {
                "username": account.sid,
                "password": token,
                "base": f"/Workspaces/{floor.sid}",
                "workflow": workflow.sid,
                "cookies": cookies,
            }
        )
    )


def add_agent(floor: models.Workspace, side: str) -> str:
    """Make an agent with a login, and return its session cookie."""
    (worker,) = bulk_rows.add_workers(floor, 1, side=side)
    user = get_user_model().objects.create_user(worker.sid.lower())
    models.Worker.objects.filter(pk=worker.pk).update(
        user=user, activity=floor.activities.get(friendly_name="Available")
    )
    browser = Client()
    browser.force_login(user, backend="config.patches.session_store.Backend")
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
