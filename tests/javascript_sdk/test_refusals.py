"""Refusals of the published SDK, with the messages that an application reads."""

from __future__ import annotations

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError


def test_a_supervisor_cannot_listen_in(office: Office) -> None:
    alice = office.worker()
    hers = office.session(alice)
    office.task()
    sid = hers.hears("reservationCreated")["sid"]
    boss = office.session(office.worker("Boss", activity="Offline"), kind="supervisor")
    task = office.rest.workers(alice.sid).reservations(sid).fetch().task_sid
    with pytest.raises(SdkError, match=r"status code 501.*'supervise' is not supported") as said:
        boss.tell("monitor", task, sid)
    assert said.value.name == "SERVER_ERROR"


def test_malformed_sids_are_refused_and_unknown_ones_are_not_found(
    office: Office,
) -> None:
    alice = office.worker()
    boss = office.session(alice, kind="supervisor")
    with pytest.raises(SdkError, match="status code 400"):
        boss.tell("setWorkerActivity", alice.sid, "WAnonsense")
    with pytest.raises(SdkError, match="status code 404"):
        boss.tell("setWorkerAttributes", "WK" + "0" * 32, {"a": 1})
    with pytest.raises(SdkError, match="status code 400"):
        boss.tell("createTask", "to", "from", "WW" + "0" * 32, office.queue.sid)
    workspace = office.session(kind="workspace")
    for filters in ({"AfterSid": "WKnonsense"}, {"AfterSid": "WK" + "0" * 32}):
        with pytest.raises(SdkError, match="status code 400"):
            workspace.tell("fetchWorkers", filters)


def test_a_token_for_the_workspace_only_reads(office: Office) -> None:
    alice = office.worker()
    session = office.open(token=office.token(), kind="worker")
    session.hears("disconnected")
    assert not session.heard("ready")
    workspace = office.session(kind="workspace")
    assert workspace.tell("fetchWorker", alice.sid)["name"] == "Alice"
