"""Refusals of the published SDK, with the messages that an application reads."""

from __future__ import annotations

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError


def test_a_supervisor_cannot_listen_in(office: Office) -> None:
    alice = office.worker()
    hers = office.open_session(alice)
    office.task()
    sid = hers.next_event("reservationCreated")["sid"]
    boss = office.open_session(office.worker("Boss", activity="Offline"), kind="supervisor")
    task = office.rest.workers(alice.sid).reservations(sid).fetch().task_sid
    with pytest.raises(SdkError, match=r"status code 501.*'supervise' is not supported") as said:
        boss.call("monitor", task, sid)
    assert said.value.name == "SERVER_ERROR"


def test_malformed_sids_are_refused_and_unknown_ones_are_not_found(
    office: Office,
) -> None:
    alice = office.worker()
    boss = office.open_session(alice, kind="supervisor")
    with pytest.raises(SdkError, match="status code 400"):
        boss.call("setWorkerActivity", alice.sid, "WAnonsense")
    with pytest.raises(SdkError, match="status code 404"):
        boss.call("setWorkerAttributes", "WK" + "0" * 32, {"a": 1})
    with pytest.raises(SdkError, match="status code 400"):
        boss.call("createTask", "to", "from", "WW" + "0" * 32, office.queue.sid)
    workspace = office.open_session(kind="workspace")
    for filters in ({"AfterSid": "WKnonsense"}, {"AfterSid": "WK" + "0" * 32}):
        with pytest.raises(SdkError, match="status code 400"):
            workspace.call("fetchWorkers", filters)


def test_a_token_for_the_workspace_only_reads(office: Office) -> None:
    alice = office.worker()
    session = office.begin_session(token=office.mint_token(), kind="worker")
    session.next_event("disconnected")
    assert not session.unread_events("ready")
    workspace = office.open_session(kind="workspace")
    assert workspace.call("fetchWorker", alice.sid)["name"] == "Alice"
