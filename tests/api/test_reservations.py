"""Reservations by request, from the task's side and from the worker's."""

from __future__ import annotations

import pytest

from routing import models
from routing.core.clock import microseconds
from tests import factories
from tests.api.conftest import Api

SIDES = ["Tasks", "Workers"]


@pytest.fixture
def offer(workspace: models.Workspace) -> models.Reservation:
    """Return an offer to the one worker that stays open longer than any test."""
    factories.worker(workspace)
    reservation = factories.offered(workspace)
    models.Reservation.objects.update(deadline_us=microseconds(factories.later(10**9)))
    return reservation


def path_of(reservation: models.Reservation, side: str = "Tasks") -> str:
    parent = reservation.task.sid if side == "Tasks" else reservation.current_worker.sid
    workspace = reservation.workspace.sid
    return f"Workspaces/{workspace}/{side}/{parent}/Reservations/{reservation.sid}"


@pytest.mark.parametrize("side", SIDES)
def test_an_offer_is_accepted_worked_and_completed(
    api: Api, offer: models.Reservation, side: str
) -> None:
    path = path_of(offer, side)
    assert api.get(path)["reservation_status"] == "pending"
    accepted = api.post(path, ReservationStatus="accepted")
    assert (accepted.status, accepted["reservation_status"]) == (200, "accepted")
    assert accepted.response.headers["ETag"] == '"1"'
    assert factories.status(offer.task) == "assigned"
    assert api.post(path, ReservationStatus="Wrapping")["reservation_status"] == "wrapping"
    assert factories.status(offer.task) == "wrapping"
    assert api.post(path, ReservationStatus="COMPLETED")["reservation_status"] == "completed"
    assert factories.status(offer.task) == "completed"


def test_an_offer_is_accepted_once(api: Api, offer: models.Reservation) -> None:
    path = path_of(offer)
    assert api.post(path, ReservationStatus="accepted").status == 200
    again = api.post(path, ReservationStatus="accepted")
    assert (again.status, again["code"]) == (400, 20001)
    assert "already in state [accepted] and cannot go to [accepted]" in again.message


def test_the_first_to_accept_gets_the_task_and_a_later_one_gets_410(
    api: Api, workspace: models.Workspace
) -> None:
    factories.worker(workspace)
    factories.worker(workspace)
    queue = factories.queue(workspace, max_reserved_workers=2)
    factories.workflow(workspace, default=queue)
    task = factories.task(workspace)
    factories.run(workspace)
    models.Reservation.objects.update(deadline_us=microseconds(factories.later(10**9)))
    first, second = task.reservations.order_by("pk")
    assert api.post(path_of(first), ReservationStatus="accepted").status == 200
    assert api.get(path_of(second))["reservation_status"] == "rescinded"
    late = api.post(path_of(second), ReservationStatus="accepted")
    assert (late.status, late["code"]) == (410, 20410)


@pytest.mark.parametrize("form", [{"ReservationStatus": "rejected"}, {"Instruction": "reject"}])
def test_an_offer_is_rejected_with_an_activity_or_without(
    api: Api, workspace: models.Workspace, offer: models.Reservation, form: dict[str, str]
) -> None:
    offline = factories.activity(workspace, "Offline")
    elsewhere = factories.activity(factories.workspace())
    foreign = api.post(path_of(offer), WorkerActivitySid=elsewhere.sid, **form)
    assert (foreign.status, foreign["code"]) == (400, 20001)
    assert foreign.message.startswith("WorkerActivitySid")
    assert factories.status(offer) == "pending"
    answer = api.post(path_of(offer), WorkerActivitySid=offline.sid, **form)
    assert (answer.status, answer["reservation_status"]) == (200, "rejected")
    assert models.Worker.objects.get().activity == offline


def test_a_worker_who_rejects_keeps_their_activity_unless_one_is_given(
    api: Api, offer: models.Reservation
) -> None:
    activity = models.Worker.objects.get().activity
    api.post(path_of(offer), ReservationStatus="rejected")
    assert models.Worker.objects.get().activity == activity
    assert factories.status(offer.task) == "pending"


def test_an_instruction_can_accept_an_offer(api: Api, offer: models.Reservation) -> None:
    contradiction = api.post(path_of(offer), Instruction="accept", ReservationStatus="rejected")
    assert (contradiction.status, contradiction["code"]) == (400, 20001)
    assert api.post(path_of(offer), Instruction="Accept")["reservation_status"] == "accepted"


@pytest.mark.parametrize("status", ["pending", "timeout", "canceled", "rescinded", "taken", ""])
def test_statuses_that_no_request_may_set_are_refused(
    api: Api, offer: models.Reservation, status: str
) -> None:
    answer = api.post(path_of(offer), ReservationStatus=status)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith("ReservationStatus is ")


def test_an_offer_whose_time_is_up_is_not_accepted(api: Api, offer: models.Reservation) -> None:
    models.Reservation.objects.update(deadline_us=microseconds(factories.NOW))
    answer = api.post(path_of(offer), ReservationStatus="accepted")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert factories.status(offer) == "timeout"


@pytest.mark.parametrize("side", SIDES)
def test_a_stale_version_is_412(api: Api, offer: models.Reservation, side: str) -> None:
    path = path_of(offer, side)
    stale = api.post(path, if_match="5", ReservationStatus="accepted")
    assert (stale.status, stale["code"]) == (412, 20412)
    assert factories.status(offer) == "pending"
    assert api.post(path, if_match='"0"', ReservationStatus="accepted").status == 200


TELEPHONY = {
    "call": {"CallFrom": "+4930", "CallUrl": "https://example.com"},
    "redirect": {"RedirectCallSid": "CA1", "RedirectUrl": "https://example.com"},
    "conference": {"From": "+4930", "MaxParticipants": "2"},
    "dequeue": {"DequeueFrom": "+4930"},
    "supervise": {"SupervisorMode": "whisper"},
}


@pytest.mark.parametrize("instruction", TELEPHONY)
def test_voice_instructions_are_answered_501(
    api: Api, offer: models.Reservation, instruction: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = api.post(path_of(offer), Instruction=instruction, **TELEPHONY[instruction])
    assert (answer.status, answer["code"]) == (501, 20501)
    assert "telephone" in answer.message
    assert factories.status(offer) == "pending"
    assert not caplog.records


@pytest.mark.parametrize(
    ("instruction", "form", "field"),
    [
        ("call", {"CallUrl": "https://example.com"}, "CallFrom"),
        ("call", {"CallFrom": "+49"}, "CallUrl"),
        ("redirect", {"RedirectUrl": "https://example.com"}, "RedirectCallSid"),
        ("conference", {"MaxParticipants": "1"}, "MaxParticipants"),
        ("conference", {"MaxParticipants": "251"}, "MaxParticipants"),
        ("conference", {"StatusCallbackEvent": "ringing,singing"}, "StatusCallbackEvent"),
        ("conference", {"PostWorkActivitySid": "WA1"}, "PostWorkActivitySid"),
        ("dequeue", {"DequeueRecord": "perhaps"}, "DequeueRecord"),
        ("supervise", {"SupervisorMode": "shout"}, "SupervisorMode"),
        ("dance", {}, "Instruction"),
    ],
)
def test_parameters_of_unsupported_instructions_are_checked(
    api: Api, offer: models.Reservation, instruction: str, form: dict[str, str], field: str
) -> None:
    answer = api.post(path_of(offer), Instruction=instruction, **form)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert field in answer.message


def test_supervise_is_refused_from_the_worker_s_side(api: Api, offer: models.Reservation) -> None:
    answer = api.post(path_of(offer, "Workers"), Instruction="supervise")
    assert (answer.status, answer["code"]) == (400, 20001)


def test_an_instruction_needs_an_open_offer(api: Api, offer: models.Reservation) -> None:
    api.post(path_of(offer), ReservationStatus="accepted")
    answer = api.post(path_of(offer), Instruction="dequeue")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "not in a Pending state" in answer.message


@pytest.mark.parametrize("side", SIDES)
def test_lists_are_filtered_by_status(
    api: Api, workspace: models.Workspace, offer: models.Reservation, side: str
) -> None:
    api.post(path_of(offer), ReservationStatus="rejected")
    factories.run(workspace)
    second = factories.reservation(offer.task)
    path = path_of(offer, side).rsplit("/", 1)[0]

    def sids(**query: object) -> list[str]:
        return [row["sid"] for row in api.get(path, **query)["reservations"]]

    assert sids() == [offer.sid, second.sid]
    assert sids(ReservationStatus="Rejected") == [offer.sid]
    assert sids(ReservationStatus=["rejected", "pending"]) == [offer.sid, second.sid]
    assert sids(ReservationStatus="accepted,timeout") == []
    assert api.get(path, ReservationStatus="lost").status == 400


def test_the_tasks_list_is_filtered_by_worker(
    api: Api, workspace: models.Workspace, offer: models.Reservation
) -> None:
    path = path_of(offer).rsplit("/", 1)[0]
    assert len(api.get(path, WorkerSid=offer.current_worker.sid)["reservations"]) == 1
    assert api.get(path, WorkerSid="WK" + "0" * 32)["reservations"] == []
    assert api.get(path, WorkerSid="WK").status == 400


def test_a_reservation_is_not_found_under_another_task(
    api: Api, workspace: models.Workspace, offer: models.Reservation
) -> None:
    other = factories.task(workspace)
    path = path_of(offer).replace(offer.task.sid, other.sid)
    assert api.get(path).status == 404
    assert api.post(path, ReservationStatus="accepted").status == 404
