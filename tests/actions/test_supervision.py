"""What supervisors do to tasks: assign, move, route again, withdraw offers, take back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from routing import diagnosis, models
from routing.actions import offers, reservations, task_moves, task_transitions, transfers, workflows
from routing.actions import workers as worker_actions
from routing.actions.support.errors import InvalidInput, NotEligible, NotNow, StaleState
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import Refusal, TransferMode
from tests import factories
from tests.factories import NOW, filter_, later, target

Happened = Callable[[], list[str]]
KIM = Actor(type="user", sid="kim", source="supervisor", batch_sid="BA" + "1" * 32, note="covering")
BY: dict[str, Any] = {"actor": KIM, "now": NOW}


def assign(task: models.Task, worker: models.Worker, **given: Any) -> models.Reservation:
    return offers.assign_task(task=task, worker=worker, **BY | given)


def refusal(task: models.Task, worker: models.Worker, **given: Any) -> Refusal:
    with pytest.raises(NotEligible) as refused:
        assign(task, worker, **given)
    return refused.value.refusal


def newest_data(event_type: str) -> dict[str, Any]:
    data: dict[str, Any] = (
        models.Event.objects.filter(event_type=event_type).latest("pk").event_data
    )
    return data


# --- Assign ---------------------------------------------------------------------------------------


def test_an_assigned_task_is_offered_to_the_worker_with_its_origin(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    task, worker = factories.task(workspace), factories.worker(workspace)
    recorded_events()
    offer = assign(task, worker)
    assert (offer.reservation_status, offer.origin) == ("pending", "assigned")
    assert factories.status(task) == "reserved"
    assert recorded_events() == ["reservation.created"]
    event = models.Event.objects.latest("pk")
    assert (event.source, event.actor_type, event.origin) == ("supervisor", "user", "assigned")
    assert event.event_data["batch_sid"] == KIM.batch_sid
    assert event.event_data["note"] == "covering"


def test_a_task_handed_over_is_accepted_at_once(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    task, worker = factories.task(workspace), factories.worker(workspace)
    recorded_events()
    assert assign(task, worker, hand_over=True).reservation_status == "accepted"
    assert factories.status(task) == "assigned"
    assert recorded_events() == ["reservation.created", "reservation.accepted"]


def test_capacity_is_exceeded_only_where_the_supervisor_says_so(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    assign(factories.task(workspace), worker, hand_over=True)
    task = factories.task(workspace)
    assert refusal(task, worker) == Refusal.NO_CAPACITY
    assert refusal(task, worker, ignore_expressions=True) == Refusal.NO_CAPACITY
    assign(task, worker, ignore_capacity=True)
    assert factories.worker_channel(worker).consumed == 2
    assert list(diagnosis.find_problems()) == []


def test_nothing_lands_on_an_absent_worker_or_on_a_channel_that_is_off(
    workspace: models.Workspace,
) -> None:
    task = factories.task(workspace)
    both = {"ignore_capacity": True, "ignore_expressions": True}
    away = factories.worker(workspace, available=False)
    assert refusal(task, away, **both) == Refusal.WORKER_UNAVAILABLE
    off = factories.worker(workspace)
    factories.set_capacity(off, available=False)
    assert refusal(task, off, **both) == Refusal.CHANNEL_UNAVAILABLE


def test_what_queue_and_target_ask_is_ignored_only_on_request(workspace: models.Workspace) -> None:
    queue = factories.queue(workspace, target_workers="team == 'sales'")
    factories.workflow(workspace, default={"queue": queue.sid, "expression": "worker.level > 2"})
    task = factories.task(workspace)
    other = factories.worker(workspace, attributes={"team": "support", "level": 5})
    junior = factories.worker(workspace, attributes={"team": "sales", "level": 1})
    assert refusal(task, other, ignore_capacity=True) == Refusal.NOT_IN_QUEUE
    assert refusal(task, junior, ignore_capacity=True) == Refusal.EXPRESSION_NOT_MET
    assert assign(task, junior, ignore_expressions=True).worker == junior


def test_slots_kept_for_grabbing_and_a_recent_rejection_do_not_hinder_an_assignment(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    factories.set_capacity(worker, reserved_for_manual=1)
    task = factories.task(workspace)
    offer = assign(task, worker)
    reservations.reject_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    assert assign(task, worker).reservation_status == "pending"


def test_a_task_on_offer_or_changed_since_it_was_seen_is_not_assigned(
    workspace: models.Workspace,
) -> None:
    alice, bob = (factories.worker(workspace) for _ in range(2))
    task = factories.task(workspace)
    with pytest.raises(StaleState, match="has version 0, not 7"):
        assign(task, alice, if_version=7)
    assign(task, alice)
    assert refusal(task, alice) == Refusal.ALREADY_OFFERED
    assert refusal(task, bob) == Refusal.TASK_NOT_PENDING


def test_a_worker_or_task_of_another_workspace_is_refused(workspace: models.Workspace) -> None:
    stranger = factories.worker(factories.workspace())
    assert refusal(factories.task(workspace), stranger) == Refusal.NOT_IN_QUEUE


# --- Move and route again -------------------------------------------------------------------------


def test_a_task_moved_to_a_queue_leaves_its_workflow_and_keeps_age_and_priority(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    first, second = factories.queue(workspace), factories.queue(workspace)
    factories.workflow(workspace, default=first)
    task = factories.task(workspace, priority=3)
    recorded_events()
    task_moves.move_task(task=task, to=second, actor=KIM, now=later(50))
    assert recorded_events() == ["task.updated", "task-queue.moved", "task-queue.entered"]
    moved = models.Task.objects.get()
    assert (moved.task_queue, moved.routing_target, moved.filter_index) == (
        *(second, second.sid),
        None,
    )
    assert (moved.priority, moved.date_created, moved.task_queue_entered_date) == (
        *(3, NOW),
        later(50),
    )
    assert list(diagnosis.find_problems()) == []
    factories.worker(workspace)
    factories.run(workspace)
    assert factories.status(task) == "reserved"


def test_a_task_moved_to_a_workflow_begins_at_its_first_step(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.workflow(workspace)
    task = factories.task(workspace, attributes={"vip": True})
    lane = factories.queue(workspace)
    other = factories.workflow(
        workspace, filter_("vip == true", target(lane, priority=9, timeout=60)), default=lane
    )
    recorded_events()
    task_moves.move_task(task=task, to=other, actor=KIM, now=later(50))
    assert recorded_events() == [
        "task.updated",
        "workflow.entered",
        "task-queue.moved",
        "task-queue.entered",
        "workflow.target-matched",
    ]
    moved = models.Task.objects.get()
    assert (moved.workflow, moved.task_queue, moved.priority) == (other, lane, 9)
    assert moved.step_deadline_us == later(110).timestamp() * 1_000_000
    assert list(diagnosis.find_problems()) == []


def test_a_workflow_that_takes_no_such_task_leaves_it_where_it_is(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.workflow(workspace)
    task = factories.task(workspace)
    picky = factories.workflow(
        workspace, filter_("vip == true", target(factories.queue(workspace)))
    )
    recorded_events()
    with pytest.raises(NotNow, match="no filter of the workflow"):
        task_moves.move_task(task=task, to=picky, **BY)
    assert recorded_events() == []


def test_only_waiting_tasks_are_moved_and_only_within_the_workspace(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace)
    queue = factories.queue(workspace)
    offer = factories.offered(workspace)
    with pytest.raises(NotNow, match=r"it is reserved, not pending\. Withdraw its offers first"):
        task_moves.move_task(task=offer.task, to=queue, **BY)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow, match="it is assigned, not pending"):
        task_moves.move_task(task=offer.task, to=queue, **BY)
    elsewhere = factories.queue(factories.workspace())
    with pytest.raises(InvalidInput, match="belongs to another workspace"):
        task_moves.move_task(task=factories.task(workspace), to=elsewhere, **BY)


def test_a_task_is_routed_again_by_the_present_revision(workspace: models.Workspace) -> None:
    first, second = factories.queue(workspace), factories.queue(workspace)
    flow = factories.workflow(workspace, default=first)
    task = factories.task(workspace)
    workflows.update_workflow(
        workflow=flow, configuration=factories.configuration(default=second), actor=SYSTEM, now=NOW
    )
    task_moves.reevaluate_task(task=task, **BY)
    assert models.Task.objects.get().task_queue == second
    task_moves.move_task(task=task, to=first, **BY)
    with pytest.raises(NotNow, match="a queue without a workflow"):
        task_moves.reevaluate_task(task=task, **BY)


def test_a_task_that_no_filter_takes_any_more_is_not_canceled_by_routing_it_again(
    workspace: models.Workspace,
) -> None:
    lane = factories.queue(workspace)
    flow = factories.workflow(workspace, default=lane)
    task = factories.task(workspace)
    picky = factories.configuration(filter_("vip == true", target(lane)))
    workflows.update_workflow(workflow=flow, configuration=picky, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow, match="no filter of the workflow"):
        task_moves.reevaluate_task(task=task, **BY)
    assert factories.status(task) == "pending"


# --- Withdraw offers ------------------------------------------------------------------------------


def test_all_offers_of_a_task_are_withdrawn_and_it_waits_again(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    for _ in range(2):
        factories.worker(workspace)
    factories.workflow(workspace, default=factories.queue(workspace, max_reserved_workers=2))
    task = factories.offered(workspace).task
    recorded_events()
    assert reservations.withdraw_offers(task=task, **BY) == 2
    assert recorded_events() == ["reservation.canceled"] * 2
    assert factories.status(task) == "pending"
    assert list(diagnosis.find_problems()) == []
    with pytest.raises(NotNow, match="it is pending, not on offer"):
        reservations.withdraw_offers(task=task, **BY)


def test_the_offers_of_a_transfer_are_not_withdrawn(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    bob = factories.worker(workspace)
    transfers.begin_transfer(reservation=held, to=bob.sid, mode=TransferMode.COLD, **BY)
    with pytest.raises(NotNow, match="cancel the transfer first"):
        reservations.withdraw_offers(task=held.task, **BY)
    with pytest.raises(NotNow, match="cancel the transfer first"):
        task_moves.take_back_task(task=held.task, **BY)


# --- Take back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapping", [False, True])
def test_a_task_taken_back_waits_again_with_its_age(
    workspace: models.Workspace, recorded_events: Happened, wrapping: bool
) -> None:
    worker = factories.worker(workspace)
    held = factories.accepted(workspace, timeout=100)
    if wrapping:
        reservations.wrap_up_reservation(reservation=held, actor=SYSTEM, now=later(20))
    recorded_events()
    task = task_moves.take_back_task(
        task=held.task, reason="their computer died", actor=KIM, now=later(500)
    )
    assert recorded_events() == [
        "reservation.completed",
        "task.taken-back",
        "task-queue.entered",
        "workflow.target-matched",
    ]
    assert (factories.status(task), factories.status(held)) == ("pending", "completed")
    assert (task.date_created, task.task_queue_entered_date) == (NOW, later(500))
    completed, taken = newest_data("reservation.completed"), newest_data("task.taken-back")
    assert completed["reservation_ended_by"] == "taken_back"
    assert completed["task_assignment_status"] == "pending"
    assert (taken["worker_sid"], taken["reason"]) == (worker.sid, "their computer died")
    channel = factories.worker_channel(worker)
    assert (channel.consumed, channel.assigned) == (0, 0)
    assert list(diagnosis.find_problems()) == []
    # Its lifetime was over while the worker had it; it begins again.
    factories.run(workspace, later(550))
    again = factories.reservation(task)
    assert again.pk != held.pk
    reservations.accept_reservation(reservation=again, actor=SYSTEM, now=later(560))
    assert newest_data("reservation.accepted")["reservation_first"] == "false"


def test_a_task_taken_back_gets_the_whole_time_of_its_step_again(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace)
    first, second = factories.queue(workspace), factories.queue(workspace)
    factories.workflow(
        workspace, filter_("1 == 1", target(first, timeout=60), target(second, timeout=60))
    )
    held = factories.accepted(workspace)
    factories.set_capacity(held.current_worker, configured_capacity=0)
    task_moves.take_back_task(task=held.task, actor=KIM, now=later(1_000))
    factories.run(workspace, later(1_059))
    held.task.refresh_from_db()
    assert (held.task.assignment_status, held.task.task_queue) == ("pending", first)
    factories.run(workspace, later(1_061))
    held.task.refresh_from_db()
    assert (held.task.assignment_status, held.task.task_queue) == ("pending", second)


def test_a_task_is_taken_back_into_another_queue(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    other = factories.queue(workspace)
    task = task_moves.take_back_task(task=held.task, to=other, **BY)
    assert (task.task_queue, task.routing_target) == (other, other.sid)
    assert list(diagnosis.find_problems()) == []


def test_a_task_that_only_its_worker_may_have_needs_another_queue(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    held = factories.accepted(workspace, routing_target=worker.sid)
    with pytest.raises(NotNow, match=r"would go back to them\. Name a queue"):
        task_moves.take_back_task(task=held.task, **BY)
    task_moves.take_back_task(task=held.task, to=factories.queue(workspace), **BY)
    assert list(diagnosis.find_problems()) == []


def test_a_task_whose_workflow_was_deleted_waits_in_its_queue(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    flow = workspace.workflows.get()
    workflows.delete_workflow(workflow=flow, actor=SYSTEM, now=NOW)
    task = task_moves.take_back_task(task=held.task, **BY)
    assert (task.filter_index, task.assignment_status) == (None, "pending")
    assert list(diagnosis.find_problems()) == []


def test_both_workers_of_a_warm_transfer_lose_the_task(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    second = factories.transferred(held, factories.worker(workspace), cold=False)
    task_moves.take_back_task(task=held.task, **BY)
    assert factories.status(held) == factories.status(second) == "completed"
    assert list(diagnosis.find_problems()) == []


def test_what_no_worker_has_is_not_taken_back(workspace: models.Workspace) -> None:
    task = factories.task(workspace)
    with pytest.raises(NotNow, match=r"no worker has it \(it is pending\)"):
        task_moves.take_back_task(task=task, **BY)
    factories.worker(workspace)
    factories.run(workspace)
    held = factories.reservation(task)
    reservations.accept_reservation(reservation=held, actor=SYSTEM, now=NOW)
    task_transitions.complete_task(task=task, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow, match=r"it is completed"):
        task_moves.take_back_task(task=task, **BY)


def test_a_worker_who_lost_a_task_can_leave(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    held = factories.accepted(workspace)
    task_moves.take_back_task(task=held.task, **BY)
    worker_actions.delete_worker(worker=worker, **BY)
    assert not models.Worker.objects.exists()


def test_an_actor_without_a_batch_leaves_no_trace_of_one(workspace: models.Workspace) -> None:
    plain = dataclasses.replace(KIM, batch_sid=None, note=None)
    offers.assign_task(
        task=factories.task(workspace), worker=factories.worker(workspace), actor=plain, now=NOW
    )
    assert not {"batch_sid", "note"} & newest_data("reservation.created").keys()
