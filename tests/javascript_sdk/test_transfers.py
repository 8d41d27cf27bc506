"""Transfers to colleagues and queues, by the published SDK."""

from __future__ import annotations

from typing import Any

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError, Session


def in_hand(office: Office, worker: Any, **task: Any) -> tuple[Session, str]:
    """Return a session of a worker who has accepted a task, and the reservation's sid."""
    session = office.session(worker)
    office.task(**task)
    sid = session.hears("reservationCreated")["sid"]
    session.tell("accept", reservation=sid)
    session.hears("reservation.accepted")
    return session, sid


def test_a_cold_transfer_moves_a_task_to_a_colleague(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"), attributes='{"order": 1}')
    bob = office.worker("Bob")
    other = office.session(bob)
    options = {"mode": "COLD", "attributes": {"note": "angry"}}
    alice.tell("transfer", bob.sid, options, reservation=sid, on="task")
    begun = alice.hears("task.transferInitiated")
    assert (begun["status"], begun["mode"], begun["type"]) == ("initiated", "COLD", "WORKER")
    assert begun["reservationSid"] == sid
    offer = other.hears("reservationCreated")
    assert offer["transfer"]["sid"] == begun["sid"]
    assert offer["task"]["attributes"] == {"order": 1, "note": "angry"}
    assert offer["task"]["status"] == "reserved"
    other.tell("accept", reservation=offer["sid"])
    assert other.hears("reservation.accepted")["task"]["status"] == "assigned"
    assert alice.hears("transfer.completed")["status"] == "complete"
    alice.hears("reservation.completed")
    assert alice.look()["reservations"] == {}
    other.tell("complete", reservation=offer["sid"])
    other.hears("reservation.completed")


def test_a_warm_transfer_to_a_queue_leaves_both_with_the_task(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    other = office.session(office.worker("Bob"))
    alice.tell("transfer", office.queue.sid, reservation=sid, on="task")
    begun = alice.hears("task.transferInitiated")
    assert (begun["mode"], begun["type"]) == ("WARM", "QUEUE")
    offer = other.hears("reservationCreated")
    other.tell("accept", reservation=offer["sid"])
    alice.hears("transfer.completed")
    assert list(alice.look()["reservations"]) == [sid]
    alice.tell("complete", reservation=sid)
    alice.hears("reservation.completed")
    assert list(other.look()["reservations"]) == [offer["sid"]]


def test_a_transfer_that_is_rejected_leaves_the_task_where_it_was(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    bob = office.worker("Bob")
    other = office.session(bob)
    alice.tell("transfer", bob.sid, reservation=sid, on="task")
    alice.hears("task.transferInitiated")
    offer = other.hears("reservationCreated")
    assert (offer["transfer"]["status"], offer["transfer"]["mode"]) == ("initiated", "WARM")
    other.tell("reject", reservation=offer["sid"])
    rejected = other.hears("reservation.rejected")
    for shown in (rejected["transfer"], rejected["task"]["transfers"]["incoming"]):
        assert (shown["status"], shown["transferFailedReason"]) == (
            "failed",
            "the worker rejected it",
        )
    assert rejected["task"]["status"] == "assigned"
    assert alice.hears("transfer.attemptFailed")["status"] == "initiated"
    failed = alice.hears("transfer.failed")
    assert (failed["status"], failed["transferFailedReason"]) == (
        "failed",
        "the worker rejected it",
    )
    alice.tell("complete", reservation=sid)
    alice.hears("reservation.completed")


def test_a_transfer_can_be_canceled_once(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    bob = office.worker("Bob")
    other = office.session(bob)
    alice.tell("transfer", bob.sid, reservation=sid, on="task")
    alice.hears("task.transferInitiated")
    other.hears("reservationCreated")
    with pytest.raises(SdkError, match="cancel the transfer first"):
        alice.tell("complete", "done", reservation=sid, on="task")
    # A page that is loaded again finds the transfer that is under way.
    again = office.session(token=alice_token(office, alice, sid))
    assert again.look()["reservations"][sid]["task"]["transfers"]["outgoing"]["to"] == bob.sid
    alice.tell("cancel", reservation=sid, on="transfer")
    assert alice.hears("transfer.canceled")["status"] == "canceled"
    other.hears("reservation.canceled")
    with pytest.raises(SdkError, match=r"status code 400.*already canceled \. Cannot cancel"):
        alice.tell("cancel", reservation=sid, on="transfer")


def alice_token(office: Office, alice: Session, sid: str) -> str:
    """Return another token for the worker of a reservation."""
    return office.token(office.rest.workers(alice.look()["sid"]).fetch())


def test_a_transfer_that_is_not_possible_is_refused_with_a_message(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"))
    me = alice.look()["sid"]
    for to, words in (
        (me, "already"),
        ("WK" + 32 * "0", "not a worker or queue"),
        ("x", "not a worker"),
    ):
        with pytest.raises(SdkError, match=f"status code 400.*{words}"):
            alice.tell("transfer", to, reservation=sid, on="task")
    away = office.worker("Away", activity="Offline")
    with pytest.raises(SdkError, match=r"status code 400.*takes no work"):
        alice.tell("transfer", away.sid, reservation=sid, on="task")
    bob = office.worker("Bob")
    with pytest.raises(SdkError, match=r"501.*not supported"):
        alice.tell("hold", bob.sid, True, reservation=sid, on="task")


def test_a_transfer_of_a_call_is_refused(office: Office) -> None:
    alice, sid = in_hand(office, office.worker("Alice"), task_channel="voice")
    with pytest.raises(SdkError, match=r"status code 501.*no telephone network"):
        alice.tell("transfer", office.worker("Bob").sid, reservation=sid, on="task")
