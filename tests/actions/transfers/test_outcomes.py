"""Transfers to a colleague or a queue: the first worker keeps the task until it is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from routing.actions import reservations, task_transitions, tasks, transfers, workers
from routing.actions.support import transfer_progress
from routing.actions.support.errors import NotNow, StaleState
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import TransferMode
from routing.snapshots import transfers as transfer_snapshots
from tests import factories
from tests.actions.transfers.conftest import (
    COLD,
    WARM,
    Happened,
    accept,
    begin,
    consumed,
    offer_of,
    outcome,
    reject,
)
from tests.factories import NOW, later


def test_a_cold_transfer_is_complete_when_the_colleague_accepts(
    workspace: models.Workspace, alice_reservation: models.Reservation, recorded_events: Happened
) -> None:
    bob = factories.worker(workspace, "Bob")
    recorded_events()
    transfer = begin(alice_reservation, bob.sid)
    assert recorded_events() == ["task.transfer-initiated", "task.updated", "reservation.created"]
    assert (factories.status(alice_reservation.task), factories.status(alice_reservation)) == (
        "reserved",
        "accepted",
    )
    assert (consumed(alice_reservation.current_worker), consumed(bob)) == (1, 1)
    taken = accept(bob)
    assert recorded_events() == [
        "reservation.accepted",
        "task.transfer-completed",
        "reservation.completed",
        "task.updated",
    ]
    assert (factories.status(alice_reservation.task), factories.status(alice_reservation)) == (
        "assigned",
        "completed",
    )
    assert (consumed(alice_reservation.current_worker), consumed(bob)) == (0, 1)
    assert outcome(transfer) == ("complete", None)
    reservations.complete_reservation(reservation=taken, actor=SYSTEM, now=NOW)
    assert factories.status(alice_reservation.task) == "completed"


def test_after_a_warm_transfer_both_have_the_task_until_the_first_one_leaves(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace, "Bob")
    begin(alice_reservation, bob.sid, WARM)
    taken = accept(bob)
    assert (factories.status(alice_reservation), factories.status(taken)) == (
        "accepted",
        "accepted",
    )
    assert (consumed(alice_reservation.current_worker), consumed(bob)) == (1, 1)
    reservations.complete_reservation(reservation=alice_reservation, actor=SYSTEM, now=NOW)
    assert (factories.status(alice_reservation), factories.status(taken)) == (
        "completed",
        "accepted",
    )
    assert (
        factories.status(alice_reservation.task),
        consumed(alice_reservation.current_worker),
    ) == ("assigned", 0)


def test_the_first_worker_leaves_by_wrapping_up_too(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace, "Bob")
    begin(alice_reservation, bob.sid, WARM)
    accept(bob)
    reservations.wrap_up_reservation(reservation=alice_reservation, actor=SYSTEM, now=NOW)
    assert (factories.status(alice_reservation), factories.status(alice_reservation.task)) == (
        "completed",
        "assigned",
    )


def test_when_the_first_worker_completes_the_task_the_second_keeps_it(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace, "Bob")
    begin(alice_reservation, bob.sid, WARM)
    accept(bob)
    alice, second = (
        Actor(type="worker", sid=w.sid, source="sdk")
        for w in (alice_reservation.current_worker, bob)
    )
    task_transitions.complete_task(task=alice_reservation.task, actor=alice, now=NOW)
    assert (factories.status(alice_reservation), factories.status(alice_reservation.task)) == (
        "completed",
        "assigned",
    )
    task_transitions.complete_task(task=alice_reservation.task, actor=second, now=NOW)
    assert factories.status(alice_reservation.task) == "completed"


def test_attributes_that_come_with_the_first_worker_s_leaving_advance_the_version(
    workspace: models.Workspace, alice_reservation: models.Reservation, recorded_events: Happened
) -> None:
    bob = factories.worker(workspace, "Bob")
    begin(alice_reservation, bob.sid, WARM)
    accept(bob)
    alice_reservation.task.refresh_from_db()
    before = alice_reservation.task.version
    recorded_events()
    alice = Actor(type="worker", sid=alice_reservation.worker_sid, source="sdk")
    task_transitions.complete_task(
        task=alice_reservation.task,
        attributes='{"subject": "paid"}',
        actor=alice,
        now=NOW,
        if_version=before,
    )
    assert recorded_events() == ["reservation.completed", "task.updated"]
    alice_reservation.task.refresh_from_db()
    assert (alice_reservation.task.attributes, alice_reservation.task.version) == (
        '{"subject": "paid"}',
        before + 1,
    )


@pytest.mark.parametrize("ending", ["wrap", "complete"])
def test_when_the_second_worker_completes_the_task_it_is_over_for_the_first(
    workspace: models.Workspace, alice_reservation: models.Reservation, ending: str
) -> None:
    bob = factories.worker(workspace, "Bob")
    begin(alice_reservation, bob.sid, WARM)
    taken = accept(bob)
    if ending == "wrap":
        reservations.wrap_up_reservation(reservation=taken, actor=SYSTEM, now=NOW)
        assert factories.status(alice_reservation.task) == "wrapping"
    else:
        reservations.complete_reservation(reservation=taken, actor=SYSTEM, now=NOW)
        assert factories.status(alice_reservation.task) == "completed"
    assert (factories.status(alice_reservation), consumed(alice_reservation.current_worker)) == (
        "completed",
        0,
    )


@pytest.mark.parametrize(("answer", "reason"), [("reject", "rejected"), ("time out", "in time")])
def test_a_task_that_the_colleague_does_not_accept_stays_with_its_worker(
    workspace: models.Workspace,
    alice_reservation: models.Reservation,
    recorded_events: Happened,
    answer: str,
    reason: str,
) -> None:
    bob = factories.worker(workspace, "Bob")
    transfer = begin(alice_reservation, bob.sid)
    recorded_events()
    if answer == "reject":
        reject(bob)
        moved: list[str] = []
    else:
        factories.run(workspace, later(121))
        moved = ["worker.activity.update"]
    event = "reservation.rejected" if answer == "reject" else "reservation.timeout"
    assert recorded_events() == [
        event,
        *moved,
        "task.transfer-attempt-failed",
        "task.transfer-failed",
        "task.updated",
    ]
    assert (factories.status(alice_reservation.task), factories.status(alice_reservation)) == (
        "assigned",
        "accepted",
    )
    assert (consumed(alice_reservation.current_worker), consumed(bob)) == (1, 0)
    status, why = outcome(transfer)
    assert status == "failed"
    assert reason in (why or "")
    reservations.complete_reservation(reservation=alice_reservation, actor=SYSTEM, now=later(130))
    assert factories.status(alice_reservation.task) == "completed"


def test_a_colleague_gets_the_offer_whatever_their_load(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace, "Bob", capacity={"chat": 1})
    factories.accepted(workspace)
    begin(alice_reservation, bob.sid)
    assert consumed(bob) == 2


def test_the_workers_of_a_queue_get_offers_one_after_the_other(
    workspace: models.Workspace, alice_reservation: models.Reservation, recorded_events: Happened
) -> None:
    billing = {"team": "billing"}
    bob = factories.worker(workspace, "Bob", attributes=billing)
    cecilia = factories.worker(workspace, "Cecilia", attributes=billing)
    factories.worker(workspace, "Dora")
    busy = factories.worker(workspace, "Emil", capacity={"chat": 0}, attributes=billing)
    queue = factories.queue(workspace, target_workers="team == 'billing'")
    transfer = begin(alice_reservation, queue.sid)
    assert factories.status(alice_reservation.task) == "reserved"
    factories.run(workspace)
    first = bob if bob.reservations.exists() else cecilia
    second = cecilia if first is bob else bob
    assert (consumed(first), consumed(second), consumed(busy)) == (1, 0, 0)
    recorded_events()
    reject(first)
    assert recorded_events() == ["reservation.rejected", "task.transfer-attempt-failed"]
    assert outcome(transfer) == ("initiated", None)
    factories.run(workspace, later(20))
    assert offer_of(second).reservation_timeout == 100
    accept(second)
    assert outcome(transfer) == ("complete", None)
    assert (factories.status(alice_reservation), factories.status(alice_reservation.task)) == (
        "completed",
        "assigned",
    )


def test_two_routers_at_once_make_only_one_offer(
    workspace: models.Workspace,
    alice_reservation: models.Reservation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bob = factories.worker(workspace, "Bob", attributes={"team": "billing"})
    transfer = begin(
        alice_reservation, factories.queue(workspace, target_workers="team == 'billing'").sid
    )
    choose = transfer_snapshots.find_next_worker

    def choose_slowly(*given: Any, **more: Any) -> int | None:
        """Choose a worker, but make the offer only after another router's offer was rejected."""
        monkeypatch.undo()
        chosen = choose(*given, **more)
        factories.run(workspace)
        reject(bob)
        return chosen

    monkeypatch.setattr(transfer_snapshots, "find_next_worker", choose_slowly)
    with pytest.raises(StaleState, match="has already been offered the transfer"):
        transfers.offer_to_next_worker(transfer=transfer, now=NOW)
    assert bob.reservations.count() == 1
    assert outcome(transfer) == ("initiated", None)


def test_a_transfer_to_a_queue_fails_when_no_worker_accepts(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    queue = factories.queue(workspace, target_workers="team == 'billing'")
    transfer = begin(alice_reservation, queue.sid)
    factories.run(workspace, later(119))
    assert outcome(transfer) == ("initiated", None)
    factories.run(workspace, later(120))
    assert outcome(transfer)[0] == "failed"
    assert (factories.status(alice_reservation.task), factories.status(alice_reservation)) == (
        "assigned",
        "accepted",
    )


def test_a_transfer_is_taken_back_once(
    workspace: models.Workspace, alice_reservation: models.Reservation, recorded_events: Happened
) -> None:
    bob = factories.worker(workspace, "Bob")
    transfer = begin(alice_reservation, bob.sid)
    offer = offer_of(bob)
    recorded_events()
    transfers.cancel_transfer(transfer=transfer, actor=SYSTEM, now=NOW)
    assert recorded_events() == ["reservation.canceled", "task.transfer-canceled", "task.updated"]
    assert (factories.status(alice_reservation.task), factories.status(offer)) == (
        "assigned",
        "canceled",
    )
    words = f"Transfer {transfer.sid} is already canceled . Cannot cancel transfer."
    with pytest.raises(NotNow, match=words):
        transfers.cancel_transfer(transfer=transfer, actor=SYSTEM, now=NOW)
    again = begin(alice_reservation, bob.sid)
    accept(bob)
    with pytest.raises(NotNow, match="already complete"):
        transfers.cancel_transfer(transfer=again, actor=SYSTEM, now=NOW)


def test_attributes_and_priority_go_with_it(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    begin(
        alice_reservation,
        factories.worker(workspace).sid,
        attributes='{"note": "angry"}',
        priority=7,
    )
    alice_reservation.task.refresh_from_db()
    assert alice_reservation.task.attributes == '{"subject": "refund", "note": "angry"}'
    assert alice_reservation.task.priority == 7


# --- What the event of an offer says of its transfer ----------------------------------------


def transfer_in(event_type: str) -> tuple[str, str | None]:
    """Return the transfer's status and reason in the newest event of a type."""
    data = models.Event.objects.filter(event_type=event_type).latest("pk").event_data
    return data["transfer_status"], data["transfer_failed_reason"]


@pytest.mark.parametrize("mode", [COLD, WARM])
def test_the_event_of_an_answer_carries_the_transfer_s_status_after_it(
    workspace: models.Workspace, alice_reservation: models.Reservation, mode: TransferMode
) -> None:
    bob = factories.worker(workspace, "Bob")
    begin(alice_reservation, bob.sid, mode)
    assert transfer_in("reservation.created") == ("initiated", None)
    reject(bob)
    assert transfer_in("reservation.rejected") == ("failed", "the worker rejected it")
    begin(alice_reservation, bob.sid, mode)
    factories.run(workspace, later(121))
    assert transfer_in("reservation.timeout") == (
        "failed",
        "the worker did not answer in time",
    )
    workers.set_activity(
        worker=bob, activity=factories.activity(workspace), actor=SYSTEM, now=later(122)
    )
    transfer = begin(alice_reservation, bob.sid, mode)
    transfers.cancel_transfer(transfer=transfer, actor=SYSTEM, now=NOW)
    assert transfer_in("reservation.canceled") == ("canceled", None)
    begin(alice_reservation, bob.sid, mode)
    accept(bob)
    assert transfer_in("reservation.accepted") == ("complete", None)


def test_when_a_deleted_task_ends_an_offer_its_event_says_that_the_transfer_is_canceled(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    begin(alice_reservation, factories.worker(workspace, "Bob").sid)
    tasks.delete_task(task=alice_reservation.task, actor=SYSTEM, now=NOW)
    assert transfer_in("reservation.canceled") == ("canceled", None)


def test_a_transfer_to_a_queue_goes_on_after_one_of_its_workers_rejects(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace, "Bob", attributes={"team": "billing"})
    queue = factories.queue(workspace, target_workers="team == 'billing'")
    begin(alice_reservation, queue.sid)
    factories.run(workspace)
    reject(bob)
    assert transfer_in("reservation.rejected") == ("initiated", None)
    factories.run(workspace, later(120))
    cecilia = factories.worker(workspace, "Cecilia", attributes={"team": "billing"})
    begin(alice_reservation, queue.sid)
    factories.run(workspace)
    offer_of(cecilia)
    factories.run(workspace, later(121))
    assert transfer_in("reservation.timeout") == ("failed", transfer_progress.NOT_ACCEPTED)
