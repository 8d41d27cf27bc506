"""How sessions of the published SDK begin, end, come back and stand beside each other."""

from __future__ import annotations

import contextlib
import sqlite3
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError, Session
from tests.server import wait_until


def test_two_sessions_of_a_worker_get_the_same_events(office: Office) -> None:
    alice = office.worker()
    first, second = office.open_session(alice), office.open_session(alice)
    office.task()
    sid = first.next_event("reservationCreated")["sid"]
    assert second.next_event("reservationCreated")["sid"] == sid
    first.call("accept", reservation=sid)
    assert first.next_event("reservation.accepted")["sid"] == sid
    assert second.next_event("reservation.accepted")["sid"] == sid
    assert not first.unread_events("reservationCreated")


def test_a_newer_session_with_the_option_replaces_the_others(office: Office) -> None:
    alice = office.worker()
    first = office.open_session(alice)
    office.open_session(alice, closeExistingSessions=True)
    assert "Replaced by a newer session" in str(first.next_event("disconnected"))


def test_two_desks_that_replace_other_sessions_coexist(
    office: Office,
) -> None:
    alice = office.worker()
    first = office.open_session(alice, closeExistingSessions=True)
    token = office.mint_token(alice, ttl=599)
    second = office.open_session(alice, token=token, closeExistingSessions=True)
    assert "Replaced by a newer session" in str(first.next_event("disconnected"))
    first.next_event("ready")
    office.task()
    sid = first.next_event("reservationCreated")["sid"]
    assert second.next_event("reservationCreated", sid)
    assert not second.unread_events("disconnected")
    # A reload: the page is gone, and begins again with the token that it has kept.
    second.call("disconnect")
    second.next_event("disconnected")
    again = office.open_session(alice, token=token, closeExistingSessions=True)
    again.call("accept", reservation=sid)
    assert again.next_event("reservation.accepted")["sid"] == sid


def test_sessions_of_a_crashed_browser_do_not_lock_out_its_worker(office: Office) -> None:
    alice = office.worker()
    token = office.mint_token(alice)
    url = f"ws://127.0.0.1:{office.server.port}/v1/wschannels?token={token}"
    with contextlib.ExitStack() as left:
        sockets = [left.enter_context(connect(url)) for _ in range(20)]
        for socket in sockets:
            assert '"init"' in socket.recv(timeout=20)
        session = office.open_session(alice)
        with pytest.raises(ConnectionClosed) as ended:
            list(sockets[0])
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (
            4411,
            "Closed for a newer session, as the worker has too many",
        )
        office.task()
        assert session.next_event("reservationCreated")["status"] == "pending"


def test_a_session_reconnects_by_itself_and_has_the_changes_since(office: Office) -> None:
    alice = office.worker(chat=2)
    session = office.open_session(alice)
    office.task()
    first = session.next_event("reservationCreated")["sid"]
    office.open_session(alice, closeExistingSessions=True).call("disconnect")
    session.next_event("disconnected")
    office.rest.workers(alice.sid).reservations(first).update(reservation_status="accepted")
    office.task()
    session.next_event("ready")
    found = {r["sid"]: r["status"] for r in session.read_state()["reservations"].values()}
    assert found.pop(first) == "accepted"
    if not found:
        found = {session.next_event("reservationCreated")["sid"]: "pending"}
    assert list(found.values()) == ["pending"]


def test_no_event_is_lost_or_repeated_while_a_session_becomes_ready(office: Office) -> None:
    alice = office.worker(chat=20)
    sessions: list[Session] = []
    tasks = set()
    for _ in range(3):
        sessions.append(office.begin_session(alice))
        tasks |= {office.task().sid for _ in range(5)}
    for session in sessions:
        session.next_event("ready")

        def knows_all(session: Session = session) -> bool:
            found = session.read_state()["reservations"].values()
            return {r["task"]["sid"] for r in found} == tasks

        wait_until(knows_all, "the session knows of every offer")
    offer = office.wait_for_offer(alice)
    sessions[0].call("accept", reservation=offer)
    for session in sessions:
        assert session.next_event("reservation.accepted", offer)["status"] == "accepted"


def test_a_republished_old_event_is_ignored_by_sessions(office: Office) -> None:
    bob = office.open_session(office.worker("Bob", activity="Offline"))
    # As if the process that made this workspace had died, or had been too busy to say so.
    with contextlib.closing(sqlite3.connect(office.server.home / "cordboard.sqlite3")) as database:
        ours = "workspace_sid = ? AND event_type IN ('activity.created', 'task-channel.created')"
        rows = f"SELECT id FROM events WHERE {ours}"
        left = f"SELECT count(*) FROM unpublished_events WHERE event_id IN ({rows})"

        def is_told() -> bool:
            (count,) = database.execute(left, [office.sid]).fetchone()
            return not count

        wait_until(is_told, "everything has been told", seconds=30)
        database.execute(f"INSERT INTO unpublished_events {rows}", [office.sid])
        database.commit()
        wait_until(is_told, "everything has been told again", seconds=30)
    task = office.task()
    bob.call("setAsCurrent", activity=office.activities["Available"])
    assert bob.next_event("reservationCreated")["task"]["sid"] == task.sid
    assert not bob.unread_events("disconnected")


def test_a_bad_token_is_refused_and_retried(office: Office) -> None:
    session = office.begin_session(office.worker(), token=office.mint_token() + "x")
    session.next_event("error")
    session.next_event("disconnected")
    session.next_event("disconnected")
    assert not session.unread_events("ready")


def test_a_token_is_renewed_without_reconnecting(office: Office) -> None:
    alice = office.worker()
    token = office.mint_token(alice, ttl=15)
    session = office.open_session(alice, token=token)
    began = time.monotonic()
    session.next_event("tokenExpired")
    assert time.monotonic() - began < 15
    session.call("updateToken", office.mint_token(alice, ttl=600))
    session.next_event("tokenUpdated")
    session.call("setAttributes", {"token": "new"})
    assert session.next_event("attributesUpdated")["attributes"] == {"token": "new"}
    assert "expired" in str(session.next_event("disconnected"))
    session.next_event("ready")
    office.task()
    assert session.next_event("reservationCreated")["status"] == "pending"


def test_a_session_whose_token_is_not_renewed_ends_with_it(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice, token=office.mint_token(alice, ttl=8))
    session.next_event("tokenExpired")
    assert "expired" in str(session.next_event("disconnected"))
    with pytest.raises(SdkError, match=r"status code 401.*expired"):
        session.call("setAttributes", {})
    assert not session.unread_events("ready")


def test_a_worker_goes_offline_after_the_last_session_with_the_option(
    office: Office,
) -> None:
    alice, bob = office.worker(), office.worker("Bob")
    hers = office.open_session(alice, setWorkerOfflineIfDisconnected=True)
    second = office.open_session(alice, setWorkerOfflineIfDisconnected=True)
    his = office.open_session(bob)
    watching = office.open_session(bob)
    hers.call("disconnect")
    his.call("disconnect")
    second.call("disconnect")

    def activity(worker: object) -> str:
        name: str = office.rest.workers(worker.sid).fetch().activity_name  # type: ignore[attr-defined]
        return name

    wait_until(lambda: activity(alice) == "Offline", "Alice is offline", seconds=20)
    assert activity(bob) == "Available"
    assert not watching.unread_events("activityUpdated")


def test_only_a_supervisor_may_change_other_workers(office: Office) -> None:
    alice, bob = office.worker(), office.worker("Bob")
    heard = office.open_session(bob)
    boss = office.open_session(office.worker("Carol"), kind="supervisor")
    shown = boss.call("setWorkerAttributes", bob.sid, {"team": "night"})
    assert shown["attributes"] == '{"team":"night"}'
    assert heard.next_event("attributesUpdated")["attributes"] == {"team": "night"}
    boss.call("setWorkerActivity", bob.sid, office.activities["Offline"])
    assert heard.next_event("activityUpdated")["activity"]["name"] == "Offline"
    ordinary = office.open_session(alice, kind="supervisor", token=office.mint_token(alice))
    with pytest.raises(SdkError, match=r"status code 403.*another worker"):
        ordinary.call("setWorkerAttributes", bob.sid, {"team": "day"})
