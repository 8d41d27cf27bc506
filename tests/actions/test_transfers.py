"""Transfers: a task is handed on to a colleague or a queue, and stays until somebody takes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import diagnosis, models
from routing.actions import reservations, task_statuses, tasks, transfers, workers
from routing.actions.errors import InvalidInput, NotNow
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import TransferMode
from tests import factories
from tests.factories import NOW, later

Happened = Callable[[], list[str]]
COLD, WARM = TransferMode.COLD, TransferMode.WARM


@pytest.fixture
def held(floor: models.Workspace) -> models.Reservation:
    """Return a task that Alice has accepted."""
    factories.worker(floor, "Alice")
    return factories.accepted(floor, attributes={"subject": "refund"})


def begin(
    held: models.Reservation, to: str, mode: TransferMode = COLD, **given: object
) -> models.Transfer:
    return transfers.begin_transfer(
        reservation=held,
        to=to,
        mode=mode,
        actor=SYSTEM,
        now=NOW,
        **given,  # type: ignore[arg-type]
    )


def offer_of(worker: models.Worker) -> models.Reservation:
    return worker.reservations.filter(reservation_status="pending").get()


def accept(worker: models.Worker) -> models.Reservation:
    return reservations.accept_reservation(reservation=offer_of(worker), actor=SYSTEM, now=NOW)


def reject(worker: models.Worker) -> None:
    reservations.reject_reservation(reservation=offer_of(worker), actor=SYSTEM, now=NOW)


def consumed(worker: models.Worker) -> int:
    return factories.worker_channel(worker).consumed


def outcome(transfer: models.Transfer) -> tuple[str, str | None]:
    transfer.refresh_from_db()
    return transfer.transfer_status, transfer.transfer_failed_reason


@pytest.fixture(autouse=True)
def _nothing_disagrees(db: None) -> object:
    """After every test the rows agree with each other."""
    yield
    assert list(diagnosis.problems()) == []


def test_a_cold_transfer_goes_over_when_the_colleague_accepts(
    floor: models.Workspace, held: models.Reservation, happened: Happened
) -> None:
    bob = factories.worker(floor, "Bob")
    happened()
    transfer = begin(held, bob.sid)
    assert happened() == ["task.transfer-initiated", "task.updated", "reservation.created"]
    assert (factories.status(held.task), factories.status(held)) == ("reserved", "accepted")
    assert (consumed(held.worker), consumed(bob)) == (1, 1)
    taken = accept(bob)
    assert happened() == [
        "reservation.accepted",
        "task.transfer-completed",
        "reservation.completed",
        "task.updated",
    ]
    assert (factories.status(held.task), factories.status(held)) == ("assigned", "completed")
    assert (consumed(held.worker), consumed(bob)) == (0, 1)
    assert outcome(transfer) == ("complete", None)
    reservations.complete_reservation(reservation=taken, actor=SYSTEM, now=NOW)
    assert factories.status(held.task) == "completed"


def test_a_warm_transfer_leaves_both_until_the_first_one_goes(
    floor: models.Workspace, held: models.Reservation
) -> None:
    bob = factories.worker(floor, "Bob")
    begin(held, bob.sid, WARM)
    taken = accept(bob)
    assert (factories.status(held), factories.status(taken)) == ("accepted", "accepted")
    assert (consumed(held.worker), consumed(bob)) == (1, 1)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    assert (factories.status(held), factories.status(taken)) == ("completed", "accepted")
    assert (factories.status(held.task), consumed(held.worker)) == ("assigned", 0)


def test_the_first_one_goes_by_wrapping_up_too(
    floor: models.Workspace, held: models.Reservation
) -> None:
    bob = factories.worker(floor, "Bob")
    begin(held, bob.sid, WARM)
    accept(bob)
    reservations.wrap_up_reservation(reservation=held, actor=SYSTEM, now=NOW)
    assert (factories.status(held), factories.status(held.task)) == ("completed", "assigned")


def test_completing_the_task_as_the_first_one_leaves_it_to_the_second(
    floor: models.Workspace, held: models.Reservation
) -> None:
    bob = factories.worker(floor, "Bob")
    begin(held, bob.sid, WARM)
    accept(bob)
    alice, second = (Actor(type="worker", sid=w.sid, source="sdk") for w in (held.worker, bob))
    task_statuses.complete_task(task=held.task, actor=alice, now=NOW)
    assert (factories.status(held), factories.status(held.task)) == ("completed", "assigned")
    task_statuses.complete_task(task=held.task, actor=second, now=NOW)
    assert factories.status(held.task) == "completed"


@pytest.mark.parametrize("ending", ["wrap", "complete"])
def test_what_the_second_one_ends_is_over_for_the_first(
    floor: models.Workspace, held: models.Reservation, ending: str
) -> None:
    bob = factories.worker(floor, "Bob")
    begin(held, bob.sid, WARM)
    taken = accept(bob)
    if ending == "wrap":
        reservations.wrap_up_reservation(reservation=taken, actor=SYSTEM, now=NOW)
        assert factories.status(held.task) == "wrapping"
    else:
        reservations.complete_reservation(reservation=taken, actor=SYSTEM, now=NOW)
        assert factories.status(held.task) == "completed"
    assert (factories.status(held), consumed(held.worker)) == ("completed", 0)


@pytest.mark.parametrize(("answer", "reason"), [("reject", "rejected"), ("time out", "in time")])
def test_a_task_that_the_colleague_does_not_take_stays(
    floor: models.Workspace,
    held: models.Reservation,
    happened: Happened,
    answer: str,
    reason: str,
) -> None:
    bob = factories.worker(floor, "Bob")
    transfer = begin(held, bob.sid)
    happened()
    if answer == "reject":
        reject(bob)
        moved: list[str] = []
    else:
        factories.run(floor, later(121))
        moved = ["worker.activity.update"]
    event = "reservation.rejected" if answer == "reject" else "reservation.timeout"
    assert happened() == [
        event,
        *moved,
        "task.transfer-attempt-failed",
        "task.transfer-failed",
        "task.updated",
    ]
    assert (factories.status(held.task), factories.status(held)) == ("assigned", "accepted")
    assert (consumed(held.worker), consumed(bob)) == (1, 0)
    status, why = outcome(transfer)
    assert status == "failed"
    assert reason in (why or "")
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=later(130))
    assert factories.status(held.task) == "completed"


def test_a_colleague_is_offered_it_whatever_they_carry(
    floor: models.Workspace, held: models.Reservation
) -> None:
    bob = factories.worker(floor, "Bob", capacity={"chat": 1})
    factories.accepted(floor)
    begin(held, bob.sid)
    assert consumed(bob) == 2


def test_a_queue_s_workers_are_asked_one_after_the_other(
    floor: models.Workspace, held: models.Reservation, happened: Happened
) -> None:
    billing = {"team": "billing"}
    bob = factories.worker(floor, "Bob", attributes=billing)
    cecilia = factories.worker(floor, "Cecilia", attributes=billing)
    factories.worker(floor, "Dora")
    busy = factories.worker(floor, "Emil", capacity={"chat": 0}, attributes=billing)
    queue = factories.queue(floor, target_workers="team == 'billing'")
    transfer = begin(held, queue.sid)
    assert factories.status(held.task) == "reserved"
    factories.run(floor)
    first = bob if bob.reservations.exists() else cecilia
    second = cecilia if first is bob else bob
    assert (consumed(first), consumed(second), consumed(busy)) == (1, 0, 0)
    happened()
    reject(first)
    assert happened() == ["reservation.rejected", "task.transfer-attempt-failed"]
    assert outcome(transfer) == ("initiated", None)
    factories.run(floor, later(20))
    assert offer_of(second).reservation_timeout == 100
    accept(second)
    assert outcome(transfer) == ("complete", None)
    assert (factories.status(held), factories.status(held.task)) == ("completed", "assigned")


def test_a_queue_s_turn_ends_when_nobody_takes_it(
    floor: models.Workspace, held: models.Reservation
) -> None:
    queue = factories.queue(floor, target_workers="team == 'billing'")
    transfer = begin(held, queue.sid)
    factories.run(floor, later(119))
    assert outcome(transfer) == ("initiated", None)
    factories.run(floor, later(120))
    assert outcome(transfer)[0] == "failed"
    assert (factories.status(held.task), factories.status(held)) == ("assigned", "accepted")


def test_a_transfer_is_taken_back_once(
    floor: models.Workspace, held: models.Reservation, happened: Happened
) -> None:
    bob = factories.worker(floor, "Bob")
    transfer = begin(held, bob.sid)
    offer = offer_of(bob)
    happened()
    transfers.cancel_transfer(transfer=transfer, actor=SYSTEM, now=NOW)
    assert happened() == ["reservation.canceled", "task.transfer-canceled", "task.updated"]
    assert (factories.status(held.task), factories.status(offer)) == ("assigned", "canceled")
    words = f"Transfer {transfer.sid} is already canceled . Cannot cancel transfer."
    with pytest.raises(NotNow, match=words):
        transfers.cancel_transfer(transfer=transfer, actor=SYSTEM, now=NOW)
    again = begin(held, bob.sid)
    accept(bob)
    with pytest.raises(NotNow, match="already complete"):
        transfers.cancel_transfer(transfer=again, actor=SYSTEM, now=NOW)


def test_attributes_and_priority_go_with_it(
    floor: models.Workspace, held: models.Reservation
) -> None:
    begin(held, factories.worker(floor).sid, attributes='{"note": "angry"}', priority=7)
    held.task.refresh_from_db()
    assert held.task.attributes == '{"subject": "refund", "note": "angry"}'
    assert held.task.priority == 7


def test_a_task_on_its_way_is_not_ended(floor: models.Workspace, held: models.Reservation) -> None:
    begin(held, factories.worker(floor).sid)
    for end in (
        task_statuses.complete_task,
        task_statuses.wrap_up_task,
        task_statuses.cancel_task,
    ):
        with pytest.raises(NotNow, match="cancel the transfer first"):
            end(task=held.task, actor=SYSTEM, now=NOW)
    for leave in (reservations.complete_reservation, reservations.wrap_up_reservation):
        with pytest.raises(NotNow, match="cancel the transfer first"):
            leave(reservation=held, actor=SYSTEM, now=NOW)
    assert factories.status(held.task) == "reserved"


def test_a_task_on_its_way_is_deleted_with_all_that_belongs_to_it(
    floor: models.Workspace, held: models.Reservation, happened: Happened
) -> None:
    bob = factories.worker(floor)
    begin(held, bob.sid)
    happened()
    tasks.delete_task(task=held.task, actor=SYSTEM, now=NOW)
    assert happened()[:2] == ["task.transfer-canceled", "task.deleted"]
    assert (consumed(bob), consumed(held.worker)) == (0, 0)


def test_a_task_s_time_to_live_does_not_end_its_transfer(floor: models.Workspace) -> None:
    factories.worker(floor, "Alice")
    held = factories.accepted(floor, timeout=10)
    begin(held, factories.worker(floor).sid)
    factories.run(floor, later(60))
    assert factories.status(held.task) == "reserved"


def test_who_is_away_is_offered_nothing(floor: models.Workspace, held: models.Reservation) -> None:
    bob = factories.worker(floor, available=False)
    with pytest.raises(NotNow, match="takes no work"):
        begin(held, bob.sid)
    assert factories.status(held.task) == "assigned"


def test_who_leaves_for_a_break_gives_the_transfer_back(
    floor: models.Workspace, held: models.Reservation
) -> None:
    bob = factories.worker(floor)
    transfer = begin(held, bob.sid)
    workers.set_activity(
        worker=bob,
        activity=floor.activities.get(friendly_name="Offline"),
        reject_pending_reservations=True,
        actor=SYSTEM,
        now=NOW,
    )
    assert outcome(transfer)[0] == "failed"
    assert factories.status(held.task) == "assigned"


def test_nobody_transfers_to_themselves_to_nobody_or_elsewhere(
    floor: models.Workspace, held: models.Reservation
) -> None:
    other = factories.workspace()
    elsewhere = factories.worker(other).sid, factories.queue(other).sid
    for to in (held.worker.sid, "WK" + 32 * "0", "WQ" + 32 * "0", "nobody", *elsewhere):
        with pytest.raises(InvalidInput, match="to "):
            begin(held, to)
    assert factories.status(held.task) == "assigned"


def test_only_what_is_in_hand_is_transferred(floor: models.Workspace) -> None:
    factories.worker(floor, "Alice")
    offer = factories.offered(floor)
    bob = factories.worker(floor, "Bob")
    with pytest.raises(NotNow, match="pending"):
        begin(offer, bob.sid)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    reservations.complete_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow, match="completed"):
        begin(offer, bob.sid)
    assert not bob.reservations.exists()


def test_a_task_is_transferred_once_at_a_time(
    floor: models.Workspace, held: models.Reservation
) -> None:
    bob, cecilia = factories.worker(floor, "Bob"), factories.worker(floor, "Cecilia")
    begin(held, bob.sid, WARM)
    with pytest.raises(NotNow, match="is being transferred"):
        begin(held, cecilia.sid)
    taken = accept(bob)
    with pytest.raises(NotNow, match="both workers are with it"):
        begin(taken, cecilia.sid)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    begin(taken, held.worker.sid)
    accept(held.worker)
    assert (factories.status(taken), consumed(held.worker)) == ("completed", 1)


def test_calls_need_a_telephone(floor: models.Workspace) -> None:
    factories.worker(floor, "Alice")
    held = factories.accepted(floor, channel="voice")
    with pytest.raises(transfers.NeedsTelephone, match="not supported"):
        begin(held, factories.worker(floor).sid)
    assert factories.status(held.task) == "assigned"
