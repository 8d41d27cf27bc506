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
from tests.running import wait_until


def test_two_sessions_of_a_worker_get_the_same_events(office: Office) -> None:
    alice = office.worker()
    first, second = office.session(alice), office.session(alice)
    office.task()
    sid = first.hears("reservationCreated")["sid"]
    assert second.hears("reservationCreated")["sid"] == sid
    first.tell("accept", reservation=sid)
    assert first.hears("reservation.accepted")["sid"] == sid
    assert second.hears("reservation.accepted")["sid"] == sid
    assert not first.heard("reservationCreated")


def test_a_newer_session_with_the_option_replaces_the_others(office: Office) -> None:
    alice = office.worker()
    first = office.session(alice)
    office.session(alice, closeExistingSessions=True)
    assert "Replaced by a newer session" in str(first.hears("disconnected"))


def test_two_desks_that_replace_other_sessions_coexist(
    office: Office,
) -> None:
    alice = office.worker()
    first = office.session(alice, closeExistingSessions=True)
    token = office.token(alice, ttl=599)
    second = office.session(alice, token=token, closeExistingSessions=True)
    assert "Replaced by a newer session" in str(first.hears("disconnected"))
    first.hears("ready")
    office.task()
    sid = first.hears("reservationCreated")["sid"]
    assert second.hears("reservationCreated", sid)
    assert not second.heard("disconnected")
    # A reload: the page is gone, and begins again with the token that it has kept.
    second.tell("disconnect")
    second.hears("disconnected")
    again = office.session(alice, token=token, closeExistingSessions=True)
    again.tell("accept", reservation=sid)
    assert again.hears("reservation.accepted")["sid"] == sid


def test_sessions_of_a_crashed_browser_do_not_lock_out_its_worker(office: Office) -> None:
    alice = office.worker()
    token = office.token(alice)
    url = f"ws://127.0.0.1:{office.server.port}/v1/wschannels?token={token}"
    with contextlib.ExitStack() as left:
        sockets = [left.enter_context(connect(url)) for _ in range(20)]
        for socket in sockets:
            assert '"init"' in socket.recv(timeout=20)
        session = office.session(alice)
        with pytest.raises(ConnectionClosed) as ended:
            list(sockets[0])
        assert ended.value.rcvd is not None
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (
            4411,
            "Closed for a newer session, as the worker has too many",
        )
        office.task()
        assert session.hears("reservationCreated")["status"] == "pending"


def test_a_session_reconnects_by_itself_and_has_the_changes_since(office: Office) -> None:
    alice = office.worker(chat=2)
    session = office.session(alice)
    office.task()
    first = session.hears("reservationCreated")["sid"]
    office.session(alice, closeExistingSessions=True).tell("disconnect")
    session.hears("disconnected")
    office.rest.workers(alice.sid).reservations(first).update(reservation_status="accepted")
    office.task()
    session.hears("ready")
    found = {r["sid"]: r["status"] for r in session.look()["reservations"].values()}
    assert found.pop(first) == "accepted"
    if not found:
        found = {session.hears("reservationCreated")["sid"]: "pending"}
    assert list(found.values()) == ["pending"]


def test_no_event_is_lost_or_repeated_while_a_session_becomes_ready(office: Office) -> None:
    alice = office.worker(chat=20)
    sessions: list[Session] = []
    tasks = set()
    for _ in range(3):
        sessions.append(office.open(alice))
        tasks |= {office.task().sid for _ in range(5)}
    for session in sessions:
        session.hears("ready")

        def knows_all(session: Session = session) -> bool:
            found = session.look()["reservations"].values()
            return {r["task"]["sid"] for r in found} == tasks

        wait_until(knows_all, "the session knows of every offer")
    offer = office.offer_of(alice)
    sessions[0].tell("accept", reservation=offer)
    for session in sessions:
        assert session.hears("reservation.accepted", offer)["status"] == "accepted"


def test_a_republished_old_event_is_ignored_by_sessions(office: Office) -> None:
    bob = office.session(office.worker("Bob", activity="Offline"))
    # As if the process that made this workspace had died, or had been too busy to say so.
    with contextlib.closing(sqlite3.connect(office.server.home / "cordboard.sqlite3")) as database:
        ours = "workspace_sid = ? AND event_type IN ('activity.created', 'task-channel.created')"
        left = f"SELECT count(*) FROM events WHERE NOT delivered AND {ours}"

        def is_told() -> bool:
            (count,) = database.execute(left, [office.sid]).fetchone()
            return not count

        wait_until(is_told, "everything has been told", seconds=30)
        database.execute(f"UPDATE events SET delivered = 0 WHERE {ours}", [office.sid])
        database.commit()
        wait_until(is_told, "everything has been told again", seconds=30)
    task = office.task()
    bob.tell("setAsCurrent", activity=office.activities["Available"])
    assert bob.hears("reservationCreated")["task"]["sid"] == task.sid
    assert not bob.heard("disconnected")


def test_a_bad_token_is_refused_and_retried(office: Office) -> None:
    session = office.open(office.worker(), token=office.token() + "x")
    session.hears("error")
    session.hears("disconnected")
    session.hears("disconnected")
    assert not session.heard("ready")


def test_a_token_is_renewed_without_reconnecting(office: Office) -> None:
    alice = office.worker()
    token = office.token(alice, ttl=15)
    session = office.session(alice, token=token)
    began = time.monotonic()
    session.hears("tokenExpired")
    assert time.monotonic() - began < 15
    session.tell("updateToken", office.token(alice, ttl=600))
    session.hears("tokenUpdated")
    session.tell("setAttributes", {"token": "new"})
    assert session.hears("attributesUpdated")["attributes"] == {"token": "new"}
    assert "expired" in str(session.hears("disconnected"))
    session.hears("ready")
    office.task()
    assert session.hears("reservationCreated")["status"] == "pending"


def test_a_session_whose_token_is_not_renewed_ends_with_it(office: Office) -> None:
    alice = office.worker()
    session = office.session(alice, token=office.token(alice, ttl=8))
    session.hears("tokenExpired")
    assert "expired" in str(session.hears("disconnected"))
    with pytest.raises(SdkError, match=r"status code 401.*expired"):
        session.tell("setAttributes", {})
    assert not session.heard("ready")


def test_a_worker_goes_offline_after_the_last_session_with_the_option(
    office: Office,
) -> None:
    alice, bob = office.worker(), office.worker("Bob")
    hers = office.session(alice, setWorkerOfflineIfDisconnected=True)
    second = office.session(alice, setWorkerOfflineIfDisconnected=True)
    his = office.session(bob)
    watching = office.session(bob)
    hers.tell("disconnect")
    his.tell("disconnect")
    second.tell("disconnect")

    def activity(worker: object) -> str:
        name: str = office.rest.workers(worker.sid).fetch().activity_name  # type: ignore[attr-defined]
        return name

    wait_until(lambda: activity(alice) == "Offline", "Alice is offline", seconds=20)
    assert activity(bob) == "Available"
    assert not watching.heard("activityUpdated")


def test_only_a_supervisor_may_change_other_workers(office: Office) -> None:
    alice, bob = office.worker(), office.worker("Bob")
    heard = office.session(bob)
    boss = office.session(office.worker("Carol"), kind="supervisor")
    shown = boss.tell("setWorkerAttributes", bob.sid, {"team": "night"})
    assert shown["attributes"] == '{"team":"night"}'
    assert heard.hears("attributesUpdated")["attributes"] == {"team": "night"}
    boss.tell("setWorkerActivity", bob.sid, office.activities["Offline"])
    assert heard.hears("activityUpdated")["activity"]["name"] == "Offline"
    ordinary = office.session(alice, kind="supervisor", token=office.token(alice))
    with pytest.raises(SdkError, match=r"status code 403.*another worker"):
        ordinary.tell("setWorkerAttributes", bob.sid, {"team": "day"})
