"""Outcome codes by request, and completions with an outcome."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from routing import models
from tests import factories
from tests.api.conftest import Api


def names(api: Api, root: str, **query: Any) -> list[str]:
    return [row["unique_name"] for row in api.get(f"{root}/OutcomeCodes", **query)["outcome_codes"]]


def create(api: Api, root: str, name: str, **given: Any) -> Any:
    return api.post(
        f"{root}/OutcomeCodes", UniqueName=name, FriendlyName=name.capitalize(), **given
    )


def test_codes_are_created_listed_changed_and_deleted(api: Api, root: str) -> None:
    made = create(api, root, "resolved", Position=2)
    assert (made.status, made["active"], made["position"]) == (201, True, 2)
    spam = create(api, root, "spam", Position=1)
    assert names(api, root) == ["spam", "resolved"]
    changed = api.post(f"{root}/OutcomeCodes/{spam['sid']}", Active="false", FriendlyName="Junk")
    assert (changed["unique_name"], changed["friendly_name"]) == ("spam", "Junk")
    assert names(api, root, Active="true") == ["resolved"]
    assert api.delete(f"{root}/OutcomeCodes/{made['sid']}").status == 204
    assert api.get(f"{root}/OutcomeCodes/{made['sid']}").status == 404


def test_the_event_of_a_code_leads_to_the_code(api: Api, root: str) -> None:
    made = create(api, root, "resolved")
    (event,) = api.get(f"{root}/Events", EventType="outcome-code.created")["events"]
    assert event["event_data"]["outcome_code_unique_name"] == "resolved"
    assert api.send("GET", event["resource_url"])["sid"] == made["sid"]


def test_a_name_that_exists_is_refused(api: Api, root: str) -> None:
    create(api, root, "resolved")
    answer = create(api, root, "Resolved")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "exists already" in answer.message


@pytest.fixture
def held(workspace: models.Workspace) -> models.Reservation:
    factories.worker(workspace)
    factories.outcome_code(workspace, unique_name="resolved")
    return factories.accepted(workspace, now=timezone.now())


def test_a_task_is_completed_with_an_outcome(api: Api, root: str, held: models.Reservation) -> None:
    url = f"{root}/Tasks/{held.task.sid}"
    done = api.post(
        url, AssignmentStatus="completed", OutcomeCode="resolved", OutcomeNote="Sent again"
    )
    assert done["assignment_status"] == "completed"
    shown = api.get(f"{url}/Reservations/{held.sid}")
    assert (shown["outcome_code"], shown["outcome_note"]) == ("resolved", "Sent again")


def test_a_reservation_is_completed_with_an_outcome(
    api: Api, root: str, workspace: models.Workspace, held: models.Reservation
) -> None:
    code = workspace.outcome_codes.get()
    done = api.post(
        f"{root}/Workers/{held.worker_sid}/Reservations/{held.sid}",
        ReservationStatus="completed",
        OutcomeCode=code.sid,
    )
    assert (done["reservation_status"], done["outcome_code"]) == ("completed", "resolved")


def test_an_outcome_is_optional_by_request_even_where_the_desk_requires_one(
    api: Api, root: str, held: models.Reservation
) -> None:
    queue = held.task.task_queue
    assert queue is not None
    api.post(f"{root}/TaskQueues/{queue.sid}", OutcomePolicy="required")
    done = api.post(f"{root}/Tasks/{held.task.sid}", AssignmentStatus="completed")
    assert done["assignment_status"] == "completed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"AssignmentStatus": "completed", "OutcomeCode": "unknown"}, "no such outcome code"),
        ({"AssignmentStatus": "completed", "OutcomeNote": "x" * 1_001}, "OutcomeNote"),
        ({"AssignmentStatus": "wrapping", "OutcomeCode": "resolved"}, "OutcomeCode"),
        ({"OutcomeNote": "Too early"}, "OutcomeNote"),
    ],
)
def test_a_wrong_outcome_changes_nothing(
    api: Api, root: str, held: models.Reservation, given: dict[str, str], words: str
) -> None:
    answer = api.post(f"{root}/Tasks/{held.task.sid}", **given)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert words in answer.message
    assert factories.status(held) == "accepted"


def test_statistics_count_completed_tasks_by_code(
    api: Api, root: str, workspace: models.Workspace, held: models.Reservation
) -> None:
    factories.outcome_code(workspace, unique_name="spam")
    queue = held.task.task_queue
    assert queue is not None
    other = factories.queue(workspace)
    api.post(f"{root}/Tasks/{held.task.sid}", AssignmentStatus="completed", OutcomeCode="resolved")
    counted = {"resolved": 1, "spam": 0}
    assert api.get(f"{root}/CumulativeStatistics")["outcomes"] == counted
    assert api.get(f"{root}/Statistics")["cumulative"]["outcomes"] == counted
    of_queue = f"{root}/TaskQueues/{queue.sid}"
    assert api.get(f"{of_queue}/CumulativeStatistics")["outcomes"] == counted
    assert api.get(f"{of_queue}/CumulativeStatistics", TaskChannel="sms")["outcomes"] == {
        "resolved": 0,
        "spam": 0,
    }
    listed = api.get(f"{root}/TaskQueues/Statistics")["task_queues_statistics"]
    found = {row["task_queue_sid"]: row["cumulative"]["outcomes"] for row in listed}
    assert found == {queue.sid: counted, other.sid: {"resolved": 0, "spam": 0}}


def test_a_workspace_without_codes_has_no_outcomes(api: Api, root: str) -> None:
    assert api.get(f"{root}/CumulativeStatistics")["outcomes"] == {}
