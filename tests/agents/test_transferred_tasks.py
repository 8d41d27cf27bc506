"""A worker who transferred a task cannot change it at the desk, by form or by socket."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import reservations, task_transitions, workers
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Floor, make_floor
from tests.agents.sockets import ask, do, opened

COMMANDS = ("task.wrap_up", "task.complete", "task.transfer", "task.cancel_transfer")
WAYS = ("cold", "warm", "queue")


def let_bob_work(floor: Floor) -> None:
    """Make Bob available."""
    workers.set_activity(
        worker=floor.bob.worker,
        activity=factories.activity(floor.workspace),
        actor=SYSTEM,
        now=timezone.now(),
    )


def transferred_reservation(floor: Floor, way: str) -> models.Reservation:
    """Return Bob's reservation of a task that Alice transferred to him in one of these ways."""
    held = floor.accepted()
    let_bob_work(floor)
    to = floor.queue if way == "queue" else floor.bob.worker
    his = factories.transferred(held, to, cold=way != "warm")
    if way == "warm":
        reservations.complete_reservation(reservation=held, actor=SYSTEM, now=timezone.now())
    assert his.worker == floor.bob.worker
    assert factories.status(held) == "completed"
    return his


@pytest.mark.parametrize("way", WAYS)
def test_a_transferred_task_cannot_be_changed_by_its_former_agent(floor: Floor, way: str) -> None:
    his = transferred_reservation(floor, way)
    for command in COMMANDS:
        fields = {"task": his.task.sid, "to": floor.queue.sid}
        status, reply = floor.alice.press(command, **fields)
        assert (status, reply["error"]["reason"]) == (404, "not_found")
    assert factories.status(his) == "accepted"
    assert factories.status(his.task) == "assigned"
    assert floor.bob.press("task.complete", task=his.task.sid)[0] == 200
    assert factories.status(his.task) == "completed"


@pytest.mark.parametrize("way", WAYS)
def test_a_transferred_and_completed_task_is_not_reported_as_completed_to_its_former_agent(
    floor: Floor, way: str
) -> None:
    his = transferred_reservation(floor, way)
    assert floor.bob.press("task.complete", task=his.task.sid)[0] == 200
    status, reply = floor.bob.press("task.complete", task=his.task.sid)
    assert (status, reply["error"]["message"]) == (409, "This task is already done.")
    assert floor.alice.press("task.complete", task=his.task.sid)[0] == 404


def test_after_a_warm_transfer_both_agents_have_the_task_until_the_first_leaves(
    floor: Floor,
) -> None:
    held = floor.accepted()
    let_bob_work(floor)
    his = factories.transferred(held, floor.bob.worker, cold=False)
    assert floor.alice.press("task.complete", task=held.task.sid)[0] == 200
    assert (factories.status(held), factories.status(his)) == ("completed", "accepted")
    assert floor.alice.press("task.complete", task=held.task.sid)[0] == 404


def test_a_task_that_is_transferred_while_it_is_completed_stays_with_the_next_worker(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = floor.accepted()
    let_bob_work(floor)
    complete = task_transitions.complete_task

    def handed_on_first(**given: Any) -> models.Task:
        factories.transferred(held, floor.bob.worker)
        return complete(**given)

    monkeypatch.setattr(task_transitions, "complete_task", handed_on_first)
    assert floor.alice.press("task.complete", task=held.task.sid)[0] == 404
    assert factories.status(held.task) == "assigned"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", WAYS)
async def test_the_socket_refuses_the_former_agent_too(transactional_db: None, way: str) -> None:
    floor = await do(make_floor)
    his = await do(transferred_reservation, floor, way)
    task = his.task.sid
    async with opened(floor.alice) as socket:
        for command in COMMANDS:
            reply = await ask(socket, command, task=task, to=floor.queue.sid)
            assert (reply["ok"], reply["error"]["reason"]) == (False, "not_found")
    assert await do(factories.status, his) == "accepted"
    async with opened(floor.bob) as socket:
        assert (await ask(socket, "task.complete", task=task))["ok"] is True
