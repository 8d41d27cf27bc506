"""The official Python library drives every resource of a running server, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.server import Cordboard, wait_until

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def client(cordboard: Cordboard) -> Client:
    known = cordboard.credentials()
    client = Client(known["ACCOUNT_SID"], known["AUTH_TOKEN"])
    client.taskrouter.base_url = cordboard.url
    return client


@pytest.fixture
def floor(client: Client) -> Iterator[Any]:
    """Return a workspace with one queue that all workers serve, and one workflow."""
    workspaces = client.taskrouter.v1.workspaces
    made = workspaces.create(friendly_name="Over HTTP", template="FIFO")
    yield workspaces(made.sid)
    assert made.delete()


def test_the_official_client_configures_a_workspace(floor: Any) -> None:
    assert floor.update(friendly_name="Over HTTP, renamed").friendly_name.endswith("renamed")
    lunch = floor.activities.create(friendly_name="Lunch")
    assert lunch.update(friendly_name="Pause").fetch().friendly_name == "Pause"
    mail = floor.task_channels.create(friendly_name="Mail", unique_name="mail")
    assert mail.update(friendly_name="E-mail").fetch().friendly_name == "E-mail"
    queue = floor.task_queues.create(friendly_name="Billing", target_workers="level > 1")
    assert queue.update(max_reserved_workers=3).fetch().max_reserved_workers == 3
    document = json.dumps({"task_routing": {"default_filter": {"queue": queue.sid}}})
    flow = floor.workflows.create(friendly_name="Bills", configuration=document)
    assert flow.update(task_reservation_timeout=9).fetch().task_reservation_timeout == 9
    ada = floor.workers.create(friendly_name="Ada", attributes='{"level": 2}')
    assert ada.worker_channels("mail").update(capacity=4).fetch().configured_capacity == 4
    assert len(ada.worker_channels.list()) == len(floor.task_channels.list()) == 6
    assert floor.task_queues.list(worker_sid=ada.sid, friendly_name="Billing")
    for made, rows in (
        (ada, floor.workers),
        (flow, floor.workflows),
        (queue, floor.task_queues),
        (mail, floor.task_channels),
        (lunch, floor.activities),
    ):
        assert made.sid in {row.sid for row in rows.list(page_size=2)}
        assert made.delete()
        with pytest.raises(TwilioRestException) as gone:
            made.fetch()
        assert (gone.value.status, gone.value.code) == (404, 20404)


def test_the_official_client_follows_a_task_from_creation_to_statistics(floor: Any) -> None:
    (available,) = floor.activities.list(available="true")
    bob = floor.workers.create(friendly_name="Bob", activity_sid=available.sid)
    task = floor.tasks.create(task_channel="chat", attributes='{"topic": "bills"}')
    wait_until(lambda: task.reservations.list(), "the task is on offer")
    (offer,) = task.reservations.list(reservation_status="pending", worker_sid=bob.sid)
    mine = bob.reservations(offer.sid)
    assert mine.update(reservation_status="accepted").reservation_status == "accepted"
    assert task.update(priority=4).fetch().assignment_status == "assigned"
    assert task.update(assignment_status="completed", reason="paid").reason == "paid"
    assert mine.fetch().reservation_status == "completed"

    told = [event.event_type for event in floor.events.list(task_sid=task.sid, page_size=3)]
    assert told[-1] == "workflow.entered"
    assert {"reservation.accepted", "task.completed", "reservation.completed"} <= set(told)
    (accepted,) = floor.events.list(event_type="reservation.accepted", worker_sid=bob.sid)
    assert accepted.fetch().event_data["task_sid"] == task.sid

    waits = [floor.tasks.create(task_channel="voice", timeout=600).sid for _ in range(3)]
    wait_until(lambda: floor.tasks.list(assignment_status="reserved"), "one of them is on offer")
    assert [row.sid for row in floor.tasks.stream(page_size=2)] == [task.sid, *waits]
    (queue,), (flow,) = floor.task_queues.list(), floor.workflows.list()
    for about in (floor, floor.task_queues(queue.sid), floor.workflows(flow.sid)):
        now = about.real_time_statistics().fetch(task_channel="voice")
        assert (now.total_tasks, now.tasks_by_status["reserved"]) == (3, 1)
        past = about.cumulative_statistics().fetch(minutes=5, split_by_wait_time="60")
        assert past.split_by_wait_time["60"]["below"]["reservations_accepted"] == 1
        both = about.statistics().fetch(minutes=5)
        assert (both.realtime["total_tasks"], both.cumulative["reservations_accepted"]) == (3, 1)
    (each,) = floor.task_queues.statistics.list()
    assert each.cumulative["reservations_accepted"] == 1
    assert floor.workers.real_time_statistics().fetch().total_workers == 1
    assert floor.workers.cumulative_statistics().fetch(minutes=5).reservations_accepted == 1
    assert floor.workers.statistics().fetch(minutes=5).realtime["total_workers"] == 1
    alone = bob.statistics().fetch(minutes=5)
    assert alone.cumulative["reservations_accepted"] == 1
    for sid in waits:
        assert floor.tasks(sid).delete()
