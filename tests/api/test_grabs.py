"""Grabs by request: a worker takes a waiting task by hand."""

from __future__ import annotations

import pytest
from django.utils import timezone

from routing import models
from routing.core.vocabulary import GrabPolicy, Refusal
from tests import factories
from tests.api.conftest import Answer, Api


@pytest.fixture
def task(workspace: models.Workspace) -> models.Task:
    """Return a waiting task that the router offers to no worker."""
    queue = factories.queue(workspace, friendly_name="Floor")
    target = factories.target(queue, expression="worker.automatic == true")
    factories.workflow(workspace, factories.filter_("1==1", target))
    return factories.task(workspace, now=timezone.now())


@pytest.fixture
def path(root: str, task: models.Task) -> str:
    return f"{root}/Tasks/{task.sid}/Grab"


def assert_refused(answer: Answer, refusal: Refusal) -> None:
    assert (answer.status, answer["code"]) == (409, 20409)
    assert answer["details"] == {"reason": refusal.value}
    assert answer.message == refusal.words


def test_a_grab_is_a_reservation_accepted_at_once(
    api: Api, workspace: models.Workspace, task: models.Task, path: str
) -> None:
    worker = factories.worker(workspace)
    factories.run(workspace)
    assert factories.status(task) == "pending"
    answer = api.post(path, WorkerSid=worker.sid)
    assert answer.status == 201
    assert (answer["reservation_status"], answer["worker_sid"]) == ("accepted", worker.sid)
    assert api.send("GET", answer["url"]).json == answer.json
    assert answer.response.headers["ETag"] == '"1"'
    assert factories.status(task) == "assigned"


def test_the_second_of_two_grabs_of_a_task_is_refused(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    alice, bob = factories.worker(workspace), factories.worker(workspace)
    assert api.post(path, WorkerSid=alice.sid).status == 201
    assert_refused(api.post(path, WorkerSid=bob.sid), Refusal.TASK_NOT_PENDING)


def test_each_refusal_has_its_reason_and_changes_nothing(
    api: Api, workspace: models.Workspace, task: models.Task, path: str
) -> None:
    queue = task.task_queue
    assert queue is not None
    root = f"Workspaces/{workspace.sid}"
    away = factories.worker(workspace, available=False)
    assert_refused(api.post(path, WorkerSid=away.sid), Refusal.WORKER_UNAVAILABLE)
    worker = factories.worker(workspace)
    chat = f"{root}/Workers/{worker.sid}/Channels/chat"
    api.post(chat, Available="false")
    assert_refused(api.post(path, WorkerSid=worker.sid), Refusal.CHANNEL_UNAVAILABLE)
    api.post(chat, Available="true", Capacity=0)
    assert_refused(api.post(path, WorkerSid=worker.sid), Refusal.NO_CAPACITY)
    api.post(chat, Capacity=1)
    api.post(f"{root}/TaskQueues/{queue.sid}", GrabPolicy=GrabPolicy.OFF)
    assert_refused(api.post(path, WorkerSid=worker.sid), Refusal.GRAB_NOT_ALLOWED)
    api.post(f"{root}/TaskQueues/{queue.sid}", GrabPolicy="anything", TargetWorkers="1==2")
    assert_refused(api.post(path, WorkerSid=worker.sid), Refusal.NOT_IN_QUEUE)
    assert not models.Reservation.objects.exists()
    api.post(f"{root}/TaskQueues/{queue.sid}", TargetWorkers="1==1")
    assert api.post(path, WorkerSid=worker.sid).status == 201


@pytest.mark.parametrize("sid", ["", "WK1", "WK" + "0" * 32, None])
def test_an_unknown_worker_is_bad_input(api: Api, path: str, sid: str | None) -> None:
    answer = api.post(path) if sid is None else api.post(path, WorkerSid=sid)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "WorkerSid" in answer.message


def test_a_grab_is_a_post_and_needs_a_task(
    api: Api, workspace: models.Workspace, root: str, path: str
) -> None:
    assert api.get(path).status == 405
    worker = factories.worker(workspace)
    answer = api.post(f"{root}/Tasks/WT{'0' * 32}/Grab", WorkerSid=worker.sid)
    assert answer.status == 404
