"""Grabbing by one call, and by attributes and a filter as the TaskRouter guide describes it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from routing import models
from routing.actions import offers, reservations, task_transitions, tasks, workers
from routing.actions.support.errors import NotEligible, StaleState
from routing.actors import SYSTEM
from routing.core.vocabulary import Refusal
from tests import factories
from tests.factories import NOW, filter_, later, target

Happened = Callable[[], list[str]]


def grab(task: models.Task, worker: models.Worker) -> models.Reservation:
    return offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=NOW)


def refusal(task: models.Task, worker: models.Worker) -> Refusal:
    with pytest.raises(NotEligible) as refused:
        grab(task, worker)
    return refused.value.refusal


def test_a_grab_leaves_the_same_history_as_an_offer_that_was_accepted(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    task, worker = factories.task(workspace), factories.worker(workspace)
    recorded_events()
    reservation = grab(task, worker)
    assert reservation.reservation_status == "accepted"
    assert recorded_events() == ["reservation.created", "reservation.accepted"]
    assert factories.status(task) == "assigned"
    channel = factories.worker_channel(worker)
    assert (channel.consumed, channel.assigned) == (1, 1)


def test_a_refused_grab_changes_nothing(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    task, worker = factories.task(workspace), factories.worker(workspace, available=False)
    recorded_events()
    assert refusal(task, worker) == Refusal.WORKER_UNAVAILABLE
    assert recorded_events() == []
    assert factories.worker_channel(worker).consumed == 0


def test_a_target_s_grab_expression_decides_who_may_grab(workspace: models.Workspace) -> None:
    queue = factories.queue(workspace)
    factories.workflow(
        workspace, default={"queue": queue.sid, "grab_expression": "worker.level >= task.level"}
    )
    junior = factories.worker(workspace, attributes={"level": 1})
    senior = factories.worker(workspace, attributes={"level": 5})
    task = factories.task(workspace, attributes={"level": 3})
    assert refusal(task, junior) == Refusal.EXPRESSION_NOT_MET
    assert grab(task, senior).worker == senior


def test_a_worker_of_another_workspace_is_not_in_the_queue(workspace: models.Workspace) -> None:
    task, stranger = factories.task(workspace), factories.worker(factories.workspace())
    assert refusal(task, stranger) == Refusal.NOT_IN_QUEUE


def test_the_last_kept_slot_is_for_grabbing(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace, capacity={"chat": 2})
    factories.set_capacity(worker, reserved_for_manual=2)
    task = factories.task(workspace)
    factories.run(workspace)
    assert factories.status(task) == "pending"
    assert grab(task, worker).reservation_status == "accepted"


def test_a_task_that_is_over_or_gone_cannot_be_grabbed(workspace: models.Workspace) -> None:
    task, worker = factories.task(workspace), factories.worker(workspace)
    task_transitions.cancel_task(task=task, actor=SYSTEM, now=NOW)
    assert refusal(task, worker) == Refusal.TASK_NOT_PENDING
    tasks.delete_task(task=task, actor=SYSTEM, now=NOW)
    with pytest.raises(StaleState):
        grab(task, worker)


def test_a_task_whose_life_is_over_cannot_be_grabbed_although_no_cycle_has_run(
    workspace: models.Workspace,
) -> None:
    task, worker = factories.task(workspace, timeout=60), factories.worker(workspace)
    for asker in (worker, factories.worker(workspace, available=False)):
        with pytest.raises(NotEligible) as refused:
            offers.grab_task(task=task, worker=asker, actor=SYSTEM, now=later(60))
        # The first reason that holds, for every worker.
        assert refused.value.refusal == Refusal.TASK_NOT_PENDING
    offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=later(59))
    assert factories.status(task) == "assigned"


def test_a_grab_by_a_worker_who_was_just_deleted_is_refused(workspace: models.Workspace) -> None:
    task, worker = factories.task(workspace), factories.worker(workspace)
    workers.delete_worker(worker=models.Worker.objects.get(pk=worker.pk), actor=SYSTEM, now=NOW)
    with pytest.raises(StaleState):
        grab(task, worker)


@pytest.fixture
def chats(workspace: models.Workspace) -> models.Workflow:
    """Return a workflow that keeps one chat slot in four for those who mark a task as theirs."""
    queue = factories.queue(workspace)
    return factories.workflow(
        workspace,
        filter_(
            'manual == 1 AND task_channel_unique_name == "chat"',
            target(queue, expression="task.worker_sid = worker.sid", priority=1000),
        ),
        filter_(
            'task_channel_unique_name == "chat"',
            target(queue, expression="worker.channel.chat.available_capacity_percentage > 25"),
        ),
    )


def mark(task: models.Task, worker: models.Worker, if_version: int | None = None) -> models.Task:
    """Write the worker into the task's attributes, as an integration without Grab does."""
    return tasks.update_task(
        task=task,
        attributes=json.dumps({"manual": 1, "worker_sid": worker.sid}),
        if_version=if_version,
        actor=SYSTEM,
        now=NOW,
    )


def test_a_task_that_is_marked_by_attributes_is_routed_to_the_worker_who_marked_it(
    workspace: models.Workspace, chats: models.Workflow
) -> None:
    """Vector V2."""
    worker = factories.worker(workspace, capacity={"chat": 4})
    made = [factories.task(workspace) for _ in range(5)]
    factories.run(workspace)
    assert [factories.status(task) for task in made] == ["reserved"] * 3 + ["pending"] * 2
    marked = mark(made[3], worker)
    assert marked.priority == 1000
    factories.run(workspace)
    assert factories.reservation(marked).worker == worker
    assert factories.worker_channel(worker).available_capacity_percentage == 0
    assert factories.status(made[4]) == "pending"


def test_the_second_worker_who_marks_a_task_has_a_stale_version(
    workspace: models.Workspace, chats: models.Workflow
) -> None:
    alice, bob = (factories.worker(workspace, capacity={"chat": 1}) for _ in range(2))
    for worker in (alice, bob):
        factories.set_capacity(worker, reserved_for_manual=0, configured_capacity=1)
    task = factories.task(workspace)
    seen = task.version
    mark(task, alice, if_version=seen)
    with pytest.raises(StaleState):
        mark(task, bob, if_version=seen)
    factories.run(workspace)
    assert factories.reservation(task).worker == alice


def test_a_marked_task_waits_while_its_worker_has_no_free_slot(
    workspace: models.Workspace, chats: models.Workflow
) -> None:
    worker = factories.worker(workspace)
    held = factories.task(workspace)
    mark(held, worker)
    factories.run(workspace)
    wanted = mark(factories.task(workspace), worker)
    factories.run(workspace)
    assert factories.status(wanted) == "pending"
    reservations.accept_reservation(reservation=factories.reservation(held), actor=SYSTEM, now=NOW)
    task_transitions.complete_task(task=held, actor=SYSTEM, now=NOW)
    factories.run(workspace)
    assert factories.status(wanted) == "reserved"
