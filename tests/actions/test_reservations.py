"""Offers and their answers; the loser of every race gets an error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from django.db import transaction

from routing import models
from routing.actions import claims, offers, reservations, task_statuses, workers
from routing.actions.support.errors import NotNow, Rescinded, StaleState
from routing.actors import SYSTEM
from routing.core.decisions import ReserveWorkers
from routing.snapshots import due_work
from tests import factories
from tests.factories import NOW, later

Happened = Callable[[], list[str]]
Assert = Callable[[int], AbstractContextManager[object]]


def accept(reservation: models.Reservation, seconds: float = 0) -> models.Reservation:
    return reservations.accept_reservation(
        reservation=reservation, actor=SYSTEM, now=later(seconds)
    )


def test_accepting_assigns_the_task_and_changes_no_activity(
    floor: models.Workspace, happened: Happened
) -> None:
    worker = factories.worker(floor)
    offer = factories.offered(floor)
    happened()
    accept(offer)
    assert happened() == ["reservation.accepted"]
    assert factories.status(offer.task) == "assigned"
    channel = factories.worker_channel(worker)
    assert (channel.consumed, channel.assigned) == (1, 1)
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Available"


def test_accepting_twice_is_refused_with_taskrouters_message(floor: models.Workspace) -> None:
    factories.worker(floor)
    offer = accept(factories.offered(floor))
    with pytest.raises(
        NotNow, match=r"already in state \[accepted\] and cannot go to \[accepted\]"
    ):
        accept(offer)


def test_the_slower_of_two_workers_with_offers_gets_the_error_rescinded(
    floor: models.Workspace, happened: Happened
) -> None:
    queue = factories.queue(floor, max_reserved_workers=2)
    factories.workflow(floor, default=queue)
    factories.worker(floor)
    factories.worker(floor)
    task = factories.task(floor)
    happened()
    factories.run(floor)
    assert happened() == ["reservation.created", "reservation.created"]
    first, second = task.reservations.order_by("pk")
    accept(second)
    assert happened() == ["reservation.accepted", "reservation.rescinded"]
    with pytest.raises(Rescinded):
        accept(first)
    task.refresh_from_db()
    assert task.assignments == 1


def test_an_answer_after_the_deadline_is_too_late_although_no_cycle_has_run(
    floor: models.Workspace, happened: Happened
) -> None:
    worker = factories.worker(floor)
    offer = factories.offered(floor)
    happened()
    with pytest.raises(NotNow, match=r"\[timeout\]"):
        accept(offer, seconds=120)
    assert happened() == ["reservation.timeout", "worker.activity.update"]
    assert factories.status(offer.task) == "pending"
    worker.refresh_from_db()
    assert worker.activity == floor.timeout_activity


def test_an_answer_in_the_last_moment_is_in_time(floor: models.Workspace) -> None:
    factories.worker(floor)
    offer = factories.offered(floor)
    accept(offer, seconds=119.9)
    assert factories.status(offer) == "accepted"


def test_rejecting_into_an_activity_moves_the_worker(
    floor: models.Workspace, happened: Happened
) -> None:
    worker = factories.worker(floor)
    offer = factories.offered(floor)
    happened()
    reservations.reject_reservation(
        reservation=offer,
        activity=factories.activity(floor, "Unavailable"),
        actor=SYSTEM,
        now=NOW,
    )
    assert happened() == ["reservation.rejected", "worker.activity.update"]
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Unavailable"


def test_completing_a_reservation_completes_its_task(
    floor: models.Workspace, happened: Happened
) -> None:
    factories.worker(floor)
    held = factories.accepted(floor)
    happened()
    reservations.wrap_up_reservation(reservation=held, actor=SYSTEM, now=NOW)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    assert happened() == [
        "task.wrapup",
        "reservation.wrapup",
        "task.completed",
        "reservation.completed",
        "task.updated",
    ]
    assert factories.status(held.task) == "completed"


def test_a_pending_offer_can_be_neither_wrapped_up_nor_completed(floor: models.Workspace) -> None:
    factories.worker(floor)
    offer = factories.offered(floor)
    with pytest.raises(NotNow):
        reservations.wrap_up_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow):
        reservations.complete_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    assert factories.status(offer) == "pending"


def test_a_stale_version_is_refused(floor: models.Workspace) -> None:
    factories.worker(floor)
    offer = factories.offered(floor)
    with pytest.raises(StaleState):
        reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW, if_version=5)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW, if_version=0)
    assert factories.status(offer) == "accepted"


def decision_for(floor: models.Workspace, task: models.Task) -> ReserveWorkers:
    """Return what the router decides about a task, without doing it."""
    found = due_work.run_pass(floor, now=NOW).decisions
    return next(d for d in found if d.task.sid == task.sid)


def test_a_decision_fails_when_the_task_has_changed_since(floor: models.Workspace) -> None:
    worker = factories.worker(floor)
    task = factories.task(floor)
    decision = decision_for(floor, task)
    task_statuses.cancel_task(task=task, actor=SYSTEM, now=NOW)
    assert offers.reserve_workers([decision], now=NOW) == 0
    assert factories.worker_channel(worker).consumed == 0
    assert not models.Reservation.objects.exists()


def test_a_decision_fails_when_the_worker_has_left_or_taken_another_task(
    floor: models.Workspace,
) -> None:
    worker = factories.worker(floor)
    task = factories.task(floor)
    decision = decision_for(floor, task)
    workers.set_activity(
        worker=worker, activity=factories.activity(floor, "Offline"), actor=SYSTEM, now=NOW
    )
    assert offers.reserve_workers([decision], now=NOW) == 0
    workers.set_activity(worker=worker, activity=factories.activity(floor), actor=SYSTEM, now=NOW)
    decision = decision_for(floor, task)
    factories.set_capacity(worker, "voice", configured_capacity=3)
    assert offers.reserve_workers([decision], now=NOW) == 0
    assert offers.reserve_workers([decision_for(floor, task)], now=NOW) == 1
    assert factories.status(task) == "reserved"


def test_only_decisions_with_stale_versions_are_dropped_from_a_batch(
    floor: models.Workspace,
) -> None:
    alice = factories.worker(floor, capacity={"chat": 3})
    bob = factories.worker(floor, capacity={"chat": 3})
    made = [factories.task(floor) for _ in range(6)]
    found = due_work.run_pass(floor, now=NOW).decisions
    assert len(found) == 6
    first = next(d for d in found if d.workers[0][0].id == alice.pk)
    gone = next(task for task in made if task.pk == first.task.id)
    task_statuses.cancel_task(task=gone, actor=SYSTEM, now=NOW)
    # Later decisions for Alice depended on it; those for Bob are carried out.
    assert offers.reserve_workers(found, now=NOW) == 3
    assert factories.worker_channel(alice).consumed == 0
    assert factories.worker_channel(bob).consumed == 3
    factories.run(floor)
    assert factories.worker_channel(alice).consumed == 2


def test_a_full_channel_is_not_claimed_even_if_an_older_snapshot_had_room(
    floor: models.Workspace,
) -> None:
    worker = factories.worker(floor)
    task = factories.offered(floor).task
    another = factories.task(floor)
    slot = worker.channels.select_related("worker__activity").get(task_channel=task.task_channel_id)
    with pytest.raises(StaleState), transaction.atomic():
        offers.make([claims.Offer(task=another, slots=[slot])], actor=SYSTEM, now=NOW)
    assert factories.worker_channel(worker).consumed == 1
    assert factories.status(another) == "pending"


@pytest.mark.parametrize(("sizes", "statements"), [((1, 12), 10), ((25, 45), 18)])
def test_a_batch_takes_as_many_statements_as_one_decision(
    floor: models.Workspace,
    django_assert_num_queries: Assert,
    sizes: tuple[int, ...],
    statements: int,
) -> None:
    """Three to read under lock, five to write, and two for the savepoint of the test.

    Beside many rows, what they refer to is read by statements of their own, and most of what is
    new is written by statements that are prepared once.
    """
    for people in sizes:
        for _ in range(people):
            factories.worker(floor)
            factories.task(floor)
        found = due_work.run_pass(floor, now=NOW).decisions
        assert len(found) == people
        with django_assert_num_queries(statements):
            assert offers.reserve_workers(found, now=NOW) == people


def test_the_last_slot_is_claimed_once(floor: models.Workspace) -> None:
    factories.worker(floor)
    one, two = factories.task(floor), factories.task(floor)
    decision = decision_for(floor, one)
    other = replace(decision, task=replace(decision.task, id=two.pk, sid=two.sid))
    assert offers.reserve_workers([decision], now=NOW) == 1
    assert offers.reserve_workers([other], now=NOW) == 0
    assert factories.status(two) == "pending"


def test_with_multitasking_off_offers_move_the_worker_between_activities(
    happened: Happened,
) -> None:
    floor = factories.workspace(multi_task_enabled=False)
    worker = factories.worker(floor)
    offer = factories.offered(floor)
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Reserved"
    reservations.reject_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Available"
    factories.run(floor)
    accept(factories.reservation(offer.task))
    worker.refresh_from_db()
    assert worker.activity.friendly_name == "Busy"
