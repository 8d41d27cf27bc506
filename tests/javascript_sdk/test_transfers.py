"""Transfers to colleagues and queues, by the published SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError, Session


def in_hand(office: Office, worker: Any, **task: Any) -> tuple[Session, str]:
    """Return a session of a worker who has accepted a task, and the reservation's sid."""
    session = office.open_session(worker)
    office.task(**task)
    sid = session.next_event("reservationCreated")["sid"]
    session.call("accept", reservation=sid)
    session.next_event("reservation.accepted")
    return session, sid


def test_a_cold_transfer_moves_a_task_to_a_colleague(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"), attributes='{"order": 1}')
    bob = office.worker("Bob")
    other = office.open_session(bob)
    options = {"mode": "COLD", "attributes": {"note": "angry"}}
    alice.call("transfer", bob.sid, options, reservation=sid, on="task")
    begun = alice.next_event("task.transferInitiated")
    assert (begun["status"], begun["mode"], begun["type"]) == ("initiated", "COLD", "WORKER")
    assert begun["reservationSid"] == sid
    offer = other.next_event("reservationCreated")
    assert offer["transfer"]["sid"] == begun["sid"]
    assert offer["task"]["attributes"] == {"order": 1, "note": "angry"}
    assert offer["task"]["status"] == "reserved"
    other.call("accept", reservation=offer["sid"])
    assert other.next_event("reservation.accepted")["task"]["status"] == "assigned"
    assert alice.next_event("transfer.completed")["status"] == "complete"
    alice.next_event("reservation.completed")
    assert alice.read_state()["reservations"] == {}
    other.call("complete", reservation=offer["sid"])
    other.next_event("reservation.completed")


def test_a_warm_transfer_to_a_queue_leaves_both_with_the_task(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    other = office.open_session(office.worker("Bob"))
    alice.call("transfer", office.queue.sid, reservation=sid, on="task")
    begun = alice.next_event("task.transferInitiated")
    assert (begun["mode"], begun["type"]) == ("WARM", "QUEUE")
    offer = other.next_event("reservationCreated")
    other.call("accept", reservation=offer["sid"])
    alice.next_event("transfer.completed")
    assert list(alice.read_state()["reservations"]) == [sid]
    alice.call("complete", reservation=sid)
    alice.next_event("reservation.completed")
    assert list(other.read_state()["reservations"]) == [offer["sid"]]


def test_a_transfer_that_is_rejected_leaves_the_task_where_it_was(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    bob = office.worker("Bob")
    other = office.open_session(bob)
    alice.call("transfer", bob.sid, reservation=sid, on="task")
    alice.next_event("task.transferInitiated")
    offer = other.next_event("reservationCreated")
    assert (offer["transfer"]["status"], offer["transfer"]["mode"]) == ("initiated", "WARM")
    other.call("reject", reservation=offer["sid"])
    rejected = other.next_event("reservation.rejected")
    for shown in (rejected["transfer"], rejected["task"]["transfers"]["incoming"]):
        assert (shown["status"], shown["transferFailedReason"]) == (
            "failed",
            "the worker rejected it",
        )
    assert rejected["task"]["status"] == "assigned"
    assert alice.next_event("transfer.attemptFailed")["status"] == "initiated"
    failed = alice.next_event("transfer.failed")
    assert (failed["status"], failed["transferFailedReason"]) == (
        "failed",
        "the worker rejected it",
    )
    alice.call("complete", reservation=sid)
    alice.next_event("reservation.completed")


def test_a_transfer_can_be_canceled_once(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    bob = office.worker("Bob")
    other = office.open_session(bob)
    alice.call("transfer", bob.sid, reservation=sid, on="task")
    alice.next_event("task.transferInitiated")
    other.next_event("reservationCreated")
    with pytest.raises(SdkError, match="cancel the transfer first"):
        alice.call("complete", "done", reservation=sid, on="task")
    # A page that is loaded again finds the transfer that is under way.
    again = office.open_session(token=alice_token(office, alice, sid))
    assert again.read_state()["reservations"][sid]["task"]["transfers"]["outgoing"]["to"] == bob.sid
    alice.call("cancel", reservation=sid, on="transfer")
    assert alice.next_event("transfer.canceled")["status"] == "canceled"
    other.next_event("reservation.canceled")
    with pytest.raises(SdkError, match=r"status code 400.*already canceled \. Cannot cancel"):
        alice.call("cancel", reservation=sid, on="transfer")


def alice_token(office: Office, alice: Session, sid: str) -> str:
    """Return another token for the worker of a reservation."""
    return office.mint_token(office.rest.workers(alice.read_state()["sid"]).fetch())


def test_a_transfer_that_is_not_possible_is_refused_with_a_message(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    me = alice.read_state()["sid"]
    for to, words in (
        (me, "already"),
        ("WK" + 32 * "0", "not a worker or queue"),
        ("x", "not a worker"),
    ):
        with pytest.raises(SdkError, match=f"status code 400.*{words}"):
            alice.call("transfer", to, reservation=sid, on="task")
    away = office.worker("Away", activity="Offline")
    with pytest.raises(SdkError, match=r"status code 400.*takes no work"):
        alice.call("transfer", away.sid, reservation=sid, on="task")
    bob = office.worker("Bob")
    with pytest.raises(SdkError, match=r"501.*not supported"):
        alice.call("hold", bob.sid, True, reservation=sid, on="task")


def test_a_transfer_of_a_call_is_refused(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"), task_channel="voice")
    with pytest.raises(SdkError, match=r"status code 501.*no telephone network"):
        alice.call("transfer", office.worker("Bob").sid, reservation=sid, on="task")
