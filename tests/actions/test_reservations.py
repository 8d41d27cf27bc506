"""Offers and their answers; the loser of every race gets an error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from django.db import transaction

from routing import models
from routing.actions import offers, reservations, task_transitions, workers
from routing.actions.support import claiming
from routing.actions.support.errors import NotNow, Rescinded, StaleState
from routing.actors import SYSTEM
from routing.core.decisions import ReserveWorkers
from routing.router.matching import match_workspace
from tests import factories
from tests.factories import NOW, later

Happened = Callable[[], list[str]]
Assert = Callable[[int], AbstractContextManager[object]]


def accept(reservation: models.Reservation, seconds: float = 0) -> models.Reservation:
    return reservations.accept_reservation(
        reservation=reservation, actor=SYSTEM, now=later(seconds)
    )


def test_accepting_assigns_the_task_and_changes_no_activity(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    recorded_events()
    accept(offer)
    assert recorded_events() == ["reservation.accepted"]
    assert factories.status(offer.task) == "assigned"
    channel = factories.worker_channel(worker)
    assert (channel.consumed, channel.assigned) == (1, 1)
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Available"


def test_accepting_twice_is_refused_with_taskrouters_message(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    offer = accept(factories.offered(workspace))
    with pytest.raises(
        NotNow, match=r"already in state \[accepted\] and cannot go to \[accepted\]"
    ):
        accept(offer)


def test_the_slower_of_two_workers_with_offers_gets_the_error_rescinded(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    queue = factories.queue(workspace, max_reserved_workers=2)
    factories.workflow(workspace, default=queue)
    factories.worker(workspace)
    factories.worker(workspace)
    task = factories.task(workspace)
    recorded_events()
    factories.run(workspace)
    assert recorded_events() == ["reservation.created", "reservation.created"]
    first, second = task.reservations.order_by("pk")
    accept(second)
    assert recorded_events() == ["reservation.accepted", "reservation.rescinded"]
    with pytest.raises(Rescinded):
        accept(first)
    task.refresh_from_db()
    assert task.assignments == 1


def test_an_answer_after_the_deadline_is_too_late_although_no_cycle_has_run(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    recorded_events()
    with pytest.raises(NotNow, match=r"\[timeout\]"):
        accept(offer, seconds=120)
    assert recorded_events() == ["reservation.timeout", "worker.activity.update"]
    assert factories.status(offer.task) == "pending"
    worker.refresh_from_db()
    assert worker.activity == workspace.timeout_activity


def test_an_answer_in_the_last_moment_is_in_time(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace)
    accept(offer, seconds=119.9)
    assert factories.status(offer) == "accepted"


def test_rejecting_into_an_activity_moves_the_worker(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    recorded_events()
    reservations.reject_reservation(
        reservation=offer,
        activity=factories.activity(workspace, "Unavailable"),
        actor=SYSTEM,
        now=NOW,
    )
    assert recorded_events() == ["reservation.rejected", "worker.activity.update"]
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Unavailable"


def test_completing_a_reservation_completes_its_task(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace)
    recorded_events()
    reservations.wrap_up_reservation(reservation=held, actor=SYSTEM, now=NOW)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    assert recorded_events() == [
        "task.wrapup",
        "reservation.wrapup",
        "task.completed",
        "reservation.completed",
        "task.updated",
    ]
    assert factories.status(held.task) == "completed"


def test_a_pending_offer_can_be_neither_wrapped_up_nor_completed(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace)
    with pytest.raises(NotNow):
        reservations.wrap_up_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow):
        reservations.complete_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    assert factories.status(offer) == "pending"


def test_a_stale_version_is_refused(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace)
    with pytest.raises(StaleState):
        reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW, if_version=5)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW, if_version=0)
    assert factories.status(offer) == "accepted"


def decision_for(workspace: models.Workspace, task: models.Task) -> ReserveWorkers:
    """Return what the router decides about a task, without doing it."""
    found = match_workspace(workspace, now=NOW).decisions
    return next(d for d in found if d.task.sid == task.sid)


def test_a_decision_fails_when_the_task_has_changed_since(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    task = factories.task(workspace)
    decision = decision_for(workspace, task)
    task_transitions.cancel_task(task=task, actor=SYSTEM, now=NOW)
    assert offers.reserve_workers([decision], now=NOW) == 0
    assert factories.worker_channel(worker).consumed == 0
    assert not models.Reservation.objects.exists()


def test_a_decision_fails_when_the_worker_has_left_or_taken_another_task(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    task = factories.task(workspace)
    decision = decision_for(workspace, task)
    workers.set_activity(
        worker=worker, activity=factories.activity(workspace, "Offline"), actor=SYSTEM, now=NOW
    )
    assert offers.reserve_workers([decision], now=NOW) == 0
    workers.set_activity(
        worker=worker, activity=factories.activity(workspace), actor=SYSTEM, now=NOW
    )
    decision = decision_for(workspace, task)
    factories.set_capacity(worker, "voice", configured_capacity=3)
    assert offers.reserve_workers([decision], now=NOW) == 0
    assert offers.reserve_workers([decision_for(workspace, task)], now=NOW) == 1
    assert factories.status(task) == "reserved"


def test_only_decisions_with_stale_versions_are_dropped_from_a_batch(
    workspace: models.Workspace,
) -> None:
    alice = factories.worker(workspace, capacity={"chat": 3})
    bob = factories.worker(workspace, capacity={"chat": 3})
    made = [factories.task(workspace) for _ in range(6)]
    found = match_workspace(workspace, now=NOW).decisions
    assert len(found) == 6
    first = next(d for d in found if d.workers[0][0].id == alice.pk)
    gone = next(task for task in made if task.pk == first.task.id)
    task_transitions.cancel_task(task=gone, actor=SYSTEM, now=NOW)
    # Later decisions for Alice depended on it; those for Bob are carried out.
    assert offers.reserve_workers(found, now=NOW) == 3
    assert factories.worker_channel(alice).consumed == 0
    assert factories.worker_channel(bob).consumed == 3
    factories.run(workspace)
    assert factories.worker_channel(alice).consumed == 2


def test_a_full_channel_is_not_claimed_even_if_an_older_snapshot_had_room(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    task = factories.offered(workspace).task
    another = factories.task(workspace)
    slot = worker.channels.select_related("worker__activity").get(task_channel=task.task_channel_id)
    with pytest.raises(StaleState), transaction.atomic():
        offers.make_offers([claiming.Offer(task=another, slots=[slot])], actor=SYSTEM, now=NOW)
    assert factories.worker_channel(worker).consumed == 1
    assert factories.status(another) == "pending"


@pytest.mark.parametrize(("sizes", "statements"), [((1, 12), 11), ((25, 45), 19)])
def test_a_batch_takes_as_many_statements_as_one_decision(
    workspace: models.Workspace,
    django_assert_num_queries: Assert,
    sizes: tuple[int, ...],
    statements: int,
) -> None:
    """Three to read under lock, six to write, and two for the savepoint of the test.

    Beside many rows, what they refer to is read by statements of their own, and most of what is
    new is written by statements that are prepared once.
    """
    for people in sizes:
        for _ in range(people):
            factories.worker(workspace)
            factories.task(workspace)
        found = match_workspace(workspace, now=NOW).decisions
        assert len(found) == people
        with django_assert_num_queries(statements):
            assert offers.reserve_workers(found, now=NOW) == people


def test_the_last_slot_is_claimed_once(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    one, two = factories.task(workspace), factories.task(workspace)
    decision = decision_for(workspace, one)
    other = decision._replace(task=replace(decision.task, id=two.pk, sid=two.sid))
    assert offers.reserve_workers([decision], now=NOW) == 1
    assert offers.reserve_workers([other], now=NOW) == 0
    assert factories.status(two) == "pending"


def test_with_multitasking_off_offers_move_the_worker_between_activities(
    recorded_events: Happened,
) -> None:
    workspace = factories.workspace(multi_task_enabled=False)
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Reserved"
    reservations.reject_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Available"
    factories.run(workspace)
    accept(factories.reservation(offer.task))
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Busy"
