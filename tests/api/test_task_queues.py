"""Task queues by request."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


def names(api: Api, root: str, **query: str) -> list[str]:
    answer = api.get(f"{root}/TaskQueues", **query)
    assert answer.status == 200, answer.json
    return [row["friendly_name"] for row in answer["task_queues"]]


def test_a_new_queue_is_served_by_all_workers_by_default(api: Api, root: str) -> None:
    made = api.post(f"{root}/TaskQueues", FriendlyName="All")
    assert made.status == 201
    assert (made["target_workers"], made["task_order"], made["max_reserved_workers"]) == (
        "1==1",
        "FIFO",
        1,
    )
    assert made["links"]["assignment_activity"] is None
    parked = api.post(f"{root}/TaskQueues", FriendlyName="Parked", TargetWorkers="")
    assert parked["target_workers"] == ""


def test_every_property_of_a_queue_can_be_set_and_cleared(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    busy = factories.activity(workspace, "Busy")
    made = api.post(
        f"{root}/TaskQueues",
        FriendlyName="Billing",
        TargetWorkers='skills HAS "billing"',
        MaxReservedWorkers=5,
        TaskOrder="lifo",
        ReservationActivitySid=busy.sid,
        AssignmentActivitySid=busy.sid,
        GrabPolicy="OLDEST",
        GrabLimit=3,
        GrabAfter=30,
        ExpectedHandlingTime=600,
        WrapUpLimit=90,
        WrapUpEnd="STAY",
        OutcomePolicy="asked",
    )
    assert made.status == 201
    assert (made["task_order"], made["max_reserved_workers"]) == ("LIFO", 5)
    assert (made["grab_policy"], made["grab_limit"], made["grab_after"]) == ("oldest", 3, 30)
    assert made["reservation_activity_name"] == made["assignment_activity_name"] == "Busy"
    assert (made["expected_handling_time"], made["wrap_up_limit"]) == (600, 90)
    assert (made["wrap_up_end"], made["outcome_policy"]) == ("stay", "asked")
    cleared = api.post(
        f"{root}/TaskQueues/{made['sid']}", ReservationActivitySid="", WrapUpLimit=""
    )
    assert (cleared["expected_handling_time"], cleared["wrap_up_limit"]) == (600, None)
    assert cleared["reservation_activity_sid"] is None
    assert cleared["assignment_activity_sid"] == busy.sid


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("TargetWorkers", "skill-level > 3"),
        ("TargetWorkers", "vip"),
        ("TargetWorkers", "task.a == 1"),
        ("TargetWorkers", "a == 1 OR " * 2_000 + "a == 1"),
        ("MaxReservedWorkers", "0"),
        ("MaxReservedWorkers", "51"),
        ("MaxReservedWorkers", ""),
        ("TaskOrder", "RANDOM"),
        ("TaskOrder", ""),
        ("ReservationActivitySid", "WA1"),
        ("AssignmentActivitySid", "WA" + "0" * 32),
        ("GrabPolicy", "everything"),
        ("GrabLimit", "0"),
        ("GrabAfter", "-1"),
        ("WrapUpLimit", "0"),
        ("WrapUpEnd", "never"),
        ("OutcomePolicy", "perhaps"),
        ("WrapUpLimit", "soon"),
        ("ExpectedHandlingTime", "86401"),
        ("FriendlyName", ""),
        ("FriendlyName", "x" * 65),
        ("FriendlyName", "a\x01b"),
    ],
)
def test_an_invalid_value_is_refused_by_name(
    api: Api, workspace: models.Workspace, root: str, field: str, value: str
) -> None:
    queue = factories.queue(workspace)
    stood = api.get(f"{root}/TaskQueues/{queue.sid}").json
    answer = api.post(f"{root}/TaskQueues/{queue.sid}", **{field: value})
    assert (answer.status, answer["code"]) == (400, 20001)
    assert field in answer.message
    assert api.get(f"{root}/TaskQueues/{queue.sid}").json == stood
    assert api.post(f"{root}/TaskQueues", **({"FriendlyName": "q"} | {field: value})).status == 400


def test_an_expression_is_shown_with_a_caret_at_its_fault(api: Api, root: str) -> None:
    answer = api.post(f"{root}/TaskQueues", FriendlyName="q", TargetWorkers="skill-level > 3")
    assert "^" in answer.message


def test_the_list_is_filtered_by_who_would_serve_a_queue(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.queue(workspace, friendly_name="All")
    factories.queue(workspace, friendly_name="Billing", target_workers='team == "billing"')
    factories.queue(workspace, friendly_name="Parked", target_workers="")
    worker = factories.worker(workspace, attributes={"team": "billing"})
    other = factories.worker(workspace)
    assert names(api, root) == ["All", "Billing", "Parked"]
    assert names(api, root, FriendlyName="Billing") == ["Billing"]
    assert names(api, root, WorkerSid=worker.sid) == ["All", "Billing"]
    assert names(api, root, WorkerSid=other.sid) == ["All"]
    assert names(api, root, WorkerSid="WK" + "0" * 32) == []
    assert names(api, root, EvaluateWorkerAttributes='{"team": "billing"}') == ["All", "Billing"]
    assert names(api, root, EvaluateWorkerAttributes="{}", FriendlyName="All") == ["All"]
    assert api.get(f"{root}/TaskQueues", WorkerSid="x").status == 400
    answer = api.get(f"{root}/TaskQueues", EvaluateWorkerAttributes="team")
    assert (answer.status, answer.message[:24]) == (400, "EvaluateWorkerAttributes")


def test_the_list_is_ordered_by_change(api: Api, workspace: models.Workspace, root: str) -> None:
    first = factories.queue(workspace, friendly_name="First")
    factories.queue(workspace, friendly_name="Second")
    api.post(f"{root}/TaskQueues/{first.sid}", MaxReservedWorkers=2)
    assert names(api, root, Ordering="DateUpdated:desc") == ["First", "Second"]
    assert names(api, root, Ordering="DateUpdated:asc") == ["Second", "First"]


def test_a_queue_in_use_is_not_deleted_and_another_is(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    used = factories.queue(workspace)
    factories.workflow(workspace, default=used)
    spare = factories.queue(workspace)
    answer = api.delete(f"{root}/TaskQueues/{used.sid}")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert api.delete(f"{root}/TaskQueues/{spare.sid}").status == 204
    assert api.get(f"{root}/TaskQueues/{spare.sid}").status == 404
