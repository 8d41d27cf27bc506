"""Rights of a worker's token: the worker, the worker's offers, and the tasks in hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from twilio.jwt.taskrouter.capabilities import WorkerCapabilityToken

from routing import models
from routing.actions import reservations, task_transitions
from routing.actors import SYSTEM
from tests import factories
from tests.sdk.conftest import AUTH_TOKEN, Floor

CHANGES: list[dict[str, Any]] = [
    {"Attributes": {"a": 1}},
    {"AssignmentStatus": "wrapping"},
    {"AssignmentStatus": "completed"},
]
RANKS: list[dict[str, Any]] = [
    {"AssignmentStatus": "canceled"},
    {"AssignmentStatus": " Canceled "},
    {"Priority": 999},
    {"TaskChannel": "voice"},
    {"TaskChannelSid": "voice"},
    {"TaskChannelUniqueName": "voice"},
]
START = {"VirtualStartTime": "2020-01-01T00:00:00Z"}
WAYS = ("cold", "warm", "queue")


def state(task: models.Task) -> dict[str, Any]:
    """Return everything stored of a task."""
    return dict(models.Task.objects.values().get(pk=task.pk))


def refused(floor: Floor, task: models.Task, token: str, **params: Any) -> str:
    """Check that a request is forbidden and changes nothing; return the message."""
    before = state(task)
    status, error = floor.send("POST", f"{{W}}/Tasks/{task.sid}", token, **params)
    assert (status, error["code"]) == (403, 20403)
    assert state(task) == before
    message: str = error["message"]
    return message


def transferred_reservation(floor: Floor, way: str) -> models.Reservation:
    """Return Bob's reservation of a task that Alice transferred to him in one of these ways."""
    held = factories.accepted(floor.workspace, now=timezone.now())
    bob = factories.worker(floor.workspace, "Bob")
    task = models.Task.objects.select_related("task_queue").get(pk=held.task_id)
    assert task.task_queue is not None
    his = factories.transferred(
        held, task.task_queue if way == "queue" else bob, cold=way != "warm"
    )
    if way == "warm":
        reservations.complete_reservation(reservation=held, actor=SYSTEM, now=timezone.now())
    assert his.worker == bob
    assert factories.status(held) == "completed"
    return his


@pytest.mark.parametrize("way", WAYS)
def test_a_transferred_task_belongs_to_the_next_worker_alone(floor: Floor, way: str) -> None:
    his = transferred_reservation(floor, way)
    hers, bobs = floor.token(floor.alice), floor.token(his.worker)
    for params in CHANGES:
        assert "does not hold this task" in refused(floor, his.task, hers, **params)
    path = f"{{W}}/Tasks/{his.task.sid}"
    assert floor.send("GET", path, hers)[0] == 200
    assert floor.send("POST", path, bobs, Attributes={"a": 1})[0] == 200
    assert floor.send("POST", path, bobs, AssignmentStatus="completed")[0] == 200
    assert floor.send("POST", path, bobs, Attributes={"a": 2})[0] == 200
    assert "does not hold" in refused(floor, his.task, hers, Attributes={"a": 3})


def test_a_worker_who_completed_a_task_may_still_change_its_attributes(floor: Floor) -> None:
    held = factories.accepted(floor.workspace, now=timezone.now())
    path = f"{{W}}/Tasks/{held.task.sid}"
    assert floor.send("POST", path, AssignmentStatus="wrapping")[0] == 200
    assert floor.send("POST", path, Attributes={"a": 1})[0] == 200
    assert floor.send("POST", path, AssignmentStatus="completed")[0] == 200
    assert floor.send("POST", path, Attributes={"a": 2})[0] == 200
    assert floor.send("POST", path, AssignmentStatus="completed")[0] == 400


def test_a_worker_may_complete_a_task_with_an_outcome(floor: Floor) -> None:
    factories.outcome_code(floor.workspace, unique_name="resolved")
    held = factories.accepted(floor.workspace, now=timezone.now())
    status, _ = floor.send(
        "POST",
        f"{{W}}/Tasks/{held.task.sid}",
        AssignmentStatus="completed",
        OutcomeCode="resolved",
        OutcomeNote="Sent again",
    )
    held.refresh_from_db()
    assert (status, held.reservation_status) == (200, "completed")
    assert (held.outcome_code, held.outcome_note) == ("resolved", "Sent again")


def test_a_worker_may_reject_an_offer_with_a_reason(floor: Floor) -> None:
    floor.workspace.rejection_reasons = "Conflict"
    floor.workspace.save()
    offer = factories.offered(floor.workspace, now=timezone.now())
    status, _ = floor.send(
        "POST",
        f"{{K}}/Reservations/{offer.sid}",
        ReservationStatus="rejected",
        RejectionReason="Conflict",
    )
    offer.refresh_from_db()
    assert (status, offer.rejection_reason) == (200, "Conflict")


@pytest.mark.parametrize("params", [*CHANGES, *RANKS, START])
def test_a_task_that_is_only_offered_can_only_be_read(floor: Floor, params: dict[str, Any]) -> None:
    task = factories.offered(floor.workspace, now=timezone.now()).task
    assert floor.send("GET", f"{{W}}/Tasks/{task.sid}")[0] == 200
    assert "accept" in refused(floor, task, floor.token(floor.alice), **params)


@pytest.mark.parametrize("role", ["supervisor", "admin"])
@pytest.mark.parametrize("params", [{"AssignmentStatus": "canceled"}, {"Priority": 999}, START])
def test_supervisors_cancel_and_prioritize_offered_tasks(
    floor: Floor, role: str, params: dict[str, Any]
) -> None:
    task = factories.offered(floor.workspace, now=timezone.now()).task
    boss = floor.token(floor.alice, role=role)
    assert floor.send("POST", f"{{W}}/Tasks/{task.sid}", boss, **params)[0] == 200


@pytest.mark.parametrize("params", RANKS)
def test_only_a_supervisor_cancels_or_prioritizes_a_task_in_hand(
    floor: Floor, params: dict[str, Any]
) -> None:
    task = factories.accepted(floor.workspace, now=timezone.now()).task
    message = refused(floor, task, floor.token(floor.alice), **params)
    assert next(iter(params)) in message
    assert "supervisor" in message


def test_a_task_in_hand_accepts_the_sdk_s_changes(floor: Floor) -> None:
    task = factories.accepted(floor.workspace, now=timezone.now()).task
    path = f"{{W}}/Tasks/{task.sid}"
    assert floor.send("POST", path, **START)[0] == 200
    assert floor.send("POST", path, undefined=1, Priority=None, Attributes={"a": 1})[0] == 200


def test_a_task_that_is_transferred_during_the_request_is_not_changed(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = factories.accepted(floor.workspace, now=timezone.now())
    bob = factories.worker(floor.workspace, "Bob")
    complete = task_transitions.complete_task

    def handed_on_first(**given: Any) -> models.Task:
        factories.transferred(held, bob)
        return complete(**given)

    monkeypatch.setattr(task_transitions, "complete_task", handed_on_first)
    path = f"{{W}}/Tasks/{held.task.sid}"
    status, error = floor.send("POST", path, AssignmentStatus="completed")
    assert (status, error["code"]) == (403, 20403)
    assert factories.status(held.task) == "assigned"


@pytest.mark.parametrize("name", ["FriendlyName"])
def test_a_worker_cannot_change_the_name_that_routes_to_them(floor: Floor, name: str) -> None:
    status, error = floor.send("POST", "{K}", **{name: "the boss"}, Attributes={"a": 1})
    assert (status, error["code"]) == (403, 20403)
    assert name in error["message"]
    floor.alice.refresh_from_db()
    assert (floor.alice.friendly_name, floor.alice.attributes) == ("Alice", "{}")
    boss = floor.token(floor.alice, role="supervisor")
    assert floor.send("POST", "{K}", boss, **{name: "the boss"})[0] == 200


# --- Capability tokens ---------------------------------------------------------------------


def capability(floor: Floor, *policies: dict[str, Any], **given: bool) -> str:
    """Make a worker's capability token with the official library."""
    sids = floor.account.sid, AUTH_TOKEN, floor.workspace.sid, floor.alice.sid
    token = WorkerCapabilityToken(*sids, **given)
    for policy in policies:
        token._make_policy(policy["url"], policy["method"], True, **policy["filters"])
    text: str = token.to_jwt()
    return text


def test_a_policy_with_a_filter_allows_the_parameters_that_it_names_alone(floor: Floor) -> None:
    token = capability(floor, allow_update_activities=True)
    redis_switch = factories.activity(floor.workspace, "Unavailable").sid
    for params in (
        {"Attributes": {"skills": ["admin"]}},
        {"RejectPendingReservations": True},
        {"undefined": "x"},
    ):
        assert floor.send("POST", "{K}", token, ActivitySid=redis_switch, **params)[0] == 403
        floor.alice.refresh_from_db()
        assert (floor.alice.activity.friendly_name, floor.alice.attributes) == ("Available", "{}")
    assert floor.send("POST", "{K}", token, ActivitySid=redis_switch, Attributes=None)[0] == 200
    floor.alice.refresh_from_db()
    assert floor.alice.activity.friendly_name == "Unavailable"


def test_a_parameter_that_a_filter_names_as_optional_may_be_left_out(floor: Floor) -> None:
    url = f"https://taskrouter.twilio.com/v1/Workspaces/{floor.workspace.sid}"
    filters = {"ActivitySid": {"required": True}, "RejectPendingReservations": {"required": False}}
    policy = {
        "url": f"{url}/Workers/{floor.alice.sid}",
        "method": "POST",
        "filters": {"post_filter": filters},
    }
    token = capability(floor, policy)
    redis_switch = factories.activity(floor.workspace, "Unavailable").sid
    both: dict[str, Any] = {"ActivitySid": redis_switch, "RejectPendingReservations": True}
    assert floor.send("POST", "{K}", token, **both)[0] == 200
    assert floor.send("POST", "{K}", token, ActivitySid=redis_switch)[0] == 200
    assert floor.send("POST", "{K}", token, RejectPendingReservations=True)[0] == 403
    assert floor.send("POST", "{K}", token, **both, Attributes={})[0] == 403


def test_a_policy_without_a_filter_allows_what_the_worker_s_role_does(floor: Floor) -> None:
    url = f"https://taskrouter.twilio.com/v1/Workspaces/{floor.workspace.sid}"
    policy = {"url": f"{url}/Workers/{floor.alice.sid}", "method": "POST", "filters": {}}
    token = capability(floor, policy)
    assert floor.send("POST", "{K}", token, Attributes={"a": 1})[0] == 200
    assert floor.send("POST", "{K}", token, FriendlyName="the boss")[0] == 403
