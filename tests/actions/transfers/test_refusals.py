"""What is refused during a transfer, and when a transfer is refused."""

from __future__ import annotations

import pytest

from routing import models
from routing.actions import reservations, task_transitions, tasks, transfers, workers
from routing.actions.support.errors import InvalidInput, NotNow
from routing.actors import SYSTEM
from tests import factories
from tests.actions.transfers.conftest import (
    WARM,
    Happened,
    accept,
    begin,
    consumed,
    outcome,
)
from tests.factories import NOW, later


def test_a_task_in_transfer_cannot_be_ended(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    begin(alice_reservation, factories.worker(workspace).sid)
    for end in (
        task_transitions.complete_task,
        task_transitions.wrap_up_task,
        task_transitions.cancel_task,
    ):
        with pytest.raises(NotNow, match="cancel the transfer first"):
            end(task=alice_reservation.task, actor=SYSTEM, now=NOW)
    for leave in (reservations.complete_reservation, reservations.wrap_up_reservation):
        with pytest.raises(NotNow, match="cancel the transfer first"):
            leave(reservation=alice_reservation, actor=SYSTEM, now=NOW)
    assert factories.status(alice_reservation.task) == "reserved"


def test_a_task_in_transfer_is_deleted_with_its_reservations(
    workspace: models.Workspace, alice_reservation: models.Reservation, recorded_events: Happened
) -> None:
    bob = factories.worker(workspace)
    begin(alice_reservation, bob.sid)
    recorded_events()
    tasks.delete_task(task=alice_reservation.task, actor=SYSTEM, now=NOW)
    assert recorded_events()[:2] == ["task.transfer-canceled", "task.deleted"]
    assert (consumed(bob), consumed(alice_reservation.current_worker)) == (0, 0)


def test_a_task_s_time_to_live_does_not_end_its_transfer(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    alice_reservation = factories.accepted(workspace, timeout=10)
    begin(alice_reservation, factories.worker(workspace).sid)
    factories.run(workspace, later(60))
    assert factories.status(alice_reservation.task) == "reserved"


def test_a_worker_in_an_unavailable_activity_gets_no_transfer(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace, available=False)
    with pytest.raises(NotNow, match="takes no work"):
        begin(alice_reservation, bob.sid)
    assert factories.status(alice_reservation.task) == "assigned"


def test_a_worker_who_leaves_for_a_break_rejects_the_transfer(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob = factories.worker(workspace)
    transfer = begin(alice_reservation, bob.sid)
    workers.set_activity(
        worker=bob,
        activity=workspace.activities.get(friendly_name="Offline"),
        reject_pending_reservations=True,
        actor=SYSTEM,
        now=NOW,
    )
    assert outcome(transfer)[0] == "failed"
    assert factories.status(alice_reservation.task) == "assigned"


def test_a_transfer_to_oneself_to_an_unknown_sid_or_to_another_workspace_is_refused(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    other = factories.workspace()
    elsewhere = factories.worker(other).sid, factories.queue(other).sid
    for to in (
        alice_reservation.current_worker.sid,
        "WK" + 32 * "0",
        "WQ" + 32 * "0",
        "not a sid",
        *elsewhere,
    ):
        with pytest.raises(InvalidInput, match="to "):
            begin(alice_reservation, to)
    assert factories.status(alice_reservation.task) == "assigned"


def test_only_an_accepted_task_can_be_transferred(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    offer = factories.offered(workspace)
    bob = factories.worker(workspace, "Bob")
    with pytest.raises(NotNow, match="pending"):
        begin(offer, bob.sid)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    reservations.complete_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow, match="completed"):
        begin(offer, bob.sid)
    assert not bob.reservations.exists()


def test_a_task_is_transferred_once_at_a_time(
    workspace: models.Workspace, alice_reservation: models.Reservation
) -> None:
    bob, cecilia = factories.worker(workspace, "Bob"), factories.worker(workspace, "Cecilia")
    begin(alice_reservation, bob.sid, WARM)
    with pytest.raises(NotNow, match="is being transferred"):
        begin(alice_reservation, cecilia.sid)
    taken = accept(bob)
    with pytest.raises(NotNow, match="both workers are with it"):
        begin(taken, cecilia.sid)
    reservations.complete_reservation(reservation=alice_reservation, actor=SYSTEM, now=NOW)
    begin(taken, alice_reservation.current_worker.sid)
    accept(alice_reservation.current_worker)
    assert (factories.status(taken), consumed(alice_reservation.current_worker)) == ("completed", 1)


def test_calls_cannot_be_transferred(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    alice_reservation = factories.accepted(workspace, channel="voice")
    with pytest.raises(transfers.NeedsTelephone, match="not supported"):
        begin(alice_reservation, factories.worker(workspace).sid)
    assert factories.status(alice_reservation.task) == "assigned"
