"""Tasks by request."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from routing import models
from routing.core.vocabulary import QueueOrder
from tests import factories
from tests.api.conftest import Answer, Api


@pytest.fixture
def path(workspace: models.Workspace, root: str) -> str:
    """Return the path of the tasks of a workspace with one workflow."""
    factories.workflow(workspace, friendly_name="Main")
    return f"{root}/Tasks"


def refused(answer: Answer, field: str = "") -> bool:
    return (answer.status, answer["code"]) == (400, 20001) and field in answer.message


def test_a_task_can_be_created_with_only_a_workflow(api: Api, path: str) -> None:
    made = api.post(path)
    assert made.status == 201
    assert made.response.headers["ETag"] == '"0"'
    assert (made["assignment_status"], made["attributes"], made["priority"]) == ("pending", "{}", 0)
    assert (made["task_channel_unique_name"], made["timeout"]) == ("default", 86_400)
    assert made["virtual_start_time"] == made["date_created"] == made["task_queue_entered_date"]
    assert made["workflow_friendly_name"] == "Main"
    assert api.get(f"{path}/{made['sid']}")["sid"] == made["sid"]


def test_every_parameter_can_be_set_at_creation(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    workflow = workspace.workflows.get()
    made = api.post(
        path,
        Attributes='{"language": "en"}',
        WorkflowSid=workflow.sid,
        TaskChannel="VOICE",
        Priority=2**31 - 1,
        Timeout=1_209_600,
        VirtualStartTime="2020-01-01T13:00:00.5+01:00",
    )
    assert made.status == 201
    assert (made["priority"], made["timeout"]) == (2**31 - 1, 1_209_600)
    assert made["task_channel_unique_name"] == "voice"
    assert made["virtual_start_time"] == "2020-01-01T12:00:00Z"


@pytest.mark.parametrize("name", ["TaskChannel", "TaskChannelUniqueName", "TaskChannelSid"])
def test_the_channel_has_three_names(
    api: Api, workspace: models.Workspace, path: str, name: str
) -> None:
    chat = factories.channel(workspace)
    assert api.post(path, **{name: "chat"})["task_channel_sid"] == chat.sid
    assert api.post(path, **{name: chat.sid})["task_channel_unique_name"] == "chat"


def test_the_workflow_may_be_left_out_only_when_there_is_one(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    assert api.post(path).status == 201
    second = factories.workflow(workspace)
    answer = api.post(path)
    assert refused(answer, "WorkflowSid")
    assert api.post(path, WorkflowSid=second.sid)["workflow_sid"] == second.sid


def test_a_task_that_no_filter_matches_is_not_created(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, factories.filter_("vip == true", factories.target(queue)))
    assert refused(api.post(f"{root}/Tasks", Attributes='{"vip": false}'), "Attributes")
    assert not models.Task.objects.exists()
    assert api.post(f"{root}/Tasks", Attributes='{"vip": true}').status == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Attributes", "{"),
        ("Attributes", "[]"),
        ("Attributes", '{"a": "' + "x" * 4_096 + '"}'),
        ("Attributes", '{"a": "\\u0000"}'),
        ("Attributes", "\x00"),
        ("WorkflowSid", "WW1"),
        ("WorkflowSid", ""),
        ("WorkflowSid", "WW" + "0" * 32),
        ("TaskChannel", "nothing"),
        ("TaskChannel", ""),
        ("TaskChannel", "TC" + "0" * 32),
        ("Priority", "-1"),
        ("Priority", str(2**31)),
        ("Priority", "high"),
        ("Priority", "1.5"),
        ("Priority", "9" * 5_000),
        ("Timeout", "0"),
        ("Timeout", "1209601"),
        ("VirtualStartTime", "yesterday"),
        ("VirtualStartTime", "2999-01-01T00:00:00Z"),
        ("VirtualStartTime", "1899-12-31T23:59:59Z"),
        ("VirtualStartTime", "0001-01-01T00:00:00+14:00"),
        ("VirtualStartTime", "9999-12-31T23:59:59-14:00"),
        ("VirtualStartTime", "2020-13-01T00:00:00Z"),
        ("RoutingTarget", "WT" + "0" * 32),
        ("RoutingTarget", "WK" + "0" * 32),
        ("IgnoreCapacity", "true"),
        ("TaskQueueSid", "WQ1"),
    ],
)
def test_an_invalid_value_is_refused_by_name(api: Api, path: str, field: str, value: str) -> None:
    answer = api.post(path, **{field: value})
    assert refused(answer, field), answer.json
    assert len(answer.message) < 400
    assert not models.Task.objects.exists()


def test_a_worker_is_targeted_directly_whatever_their_activity(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    worker = factories.worker(workspace, available=False)
    made = api.post(path, RoutingTarget=worker.sid)
    assert (made["routing_target"], made["ignore_capacity"]) == (worker.sid, True)
    assert (made["workflow_sid"], made["task_queue_sid"]) == (None, None)
    factories.run(workspace)
    assert api.get(f"{path}/{made['sid']}")["assignment_status"] == "reserved"
    waits = api.post(path, RoutingTarget=worker.sid, IgnoreCapacity="False")
    assert waits["ignore_capacity"] is False


def test_a_queue_and_a_workflow_are_targeted_too(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    queue = factories.queue(workspace)
    assert api.post(path, RoutingTarget=queue.sid)["task_queue_sid"] == queue.sid
    workflow = factories.workflow(workspace)
    assert api.post(path, RoutingTarget=workflow.sid)["workflow_sid"] == workflow.sid
    assert refused(api.post(path, RoutingTarget=queue.sid, IgnoreCapacity="1"), "IgnoreCapacity")


def test_new_attributes_route_a_pending_task_again_and_keep_its_age(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    vip, rest = factories.queue(workspace), factories.queue(workspace)
    factories.workflow(
        workspace,
        factories.filter_("vip == true", factories.target(vip, priority=9)),
        default=rest,
    )
    made = api.post(f"{root}/Tasks", Priority=1)
    assert (made["task_queue_sid"], made["priority"]) == (rest.sid, 1)
    after = api.post(f"{root}/Tasks/{made['sid']}", Attributes='{"vip": true}')
    assert (after["task_queue_sid"], after["priority"]) == (vip.sid, 9)
    assert after["date_created"] == made["date_created"]
    assert after.response.headers["ETag"] == '"1"'


def test_priority_channel_and_start_are_changed_while_a_task_waits(api: Api, path: str) -> None:
    task = f"{path}/{api.post(path)['sid']}"
    start = "2020-01-01T00:00:00Z"
    after = api.post(task, Priority=5, TaskChannel="sms", VirtualStartTime=start)
    assert (after["priority"], after["task_channel_unique_name"]) == (5, "sms")
    assert after["virtual_start_time"] == start


def test_a_pending_task_is_canceled_and_not_completed(api: Api, path: str) -> None:
    task = f"{path}/{api.post(path)['sid']}"
    answer = api.post(task, AssignmentStatus="completed", Reason="done")
    assert refused(answer, "not currently assigned")
    assert refused(api.post(task, AssignmentStatus="wrapping"), "not currently assigned")
    after = api.post(task, AssignmentStatus="Canceled", Reason="hung up")
    assert (after["assignment_status"], after["reason"]) == ("canceled", "hung up")
    assert refused(api.post(task, AssignmentStatus="canceled"), "not pending or reserved")


def test_an_assigned_task_is_wrapped_up_and_completed_and_not_canceled(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    factories.worker(workspace)
    reservation = factories.accepted(workspace)
    task = f"{path}/{reservation.task.sid}"
    assert api.get(task)["assignment_status"] == "assigned"
    assert refused(api.post(task, AssignmentStatus="canceled"), "not pending or reserved")
    assert api.post(task, AssignmentStatus="WRAPPING")["assignment_status"] == "wrapping"
    assert factories.status(reservation) == "wrapping"
    done = api.post(task, AssignmentStatus="completed")
    assert (done["assignment_status"], done["reason"]) == ("completed", None)
    assert factories.status(reservation) == "completed"
    assert api.post(task, Attributes='{"note": 1}')["attributes"] == '{"note": 1}'
    assert refused(api.post(task, Priority=1))


@pytest.mark.parametrize("status", ["pending", "reserved", "assigned", "done", ""])
def test_statuses_that_no_request_may_set_are_refused(api: Api, path: str, status: str) -> None:
    task = f"{path}/{api.post(path)['sid']}"
    assert refused(api.post(task, AssignmentStatus=status), "AssignmentStatus")


def test_completing_and_changing_attributes_are_two_requests(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    factories.worker(workspace)
    task = f"{path}/{factories.accepted(workspace).task.sid}"
    for status in ("completed", "wrapping"):
        answer = api.post(task, AssignmentStatus=status, Attributes='{"a": 1}')
        assert refused(answer, "Attributes")
        assert api.get(task)["assignment_status"] == "assigned"
    assert api.post(task, AssignmentStatus="completed", Priority=4)["priority"] == 4


def test_canceling_and_changing_attributes_are_one(api: Api, path: str) -> None:
    task = f"{path}/{api.post(path)['sid']}"
    answer = api.post(task, AssignmentStatus="canceled", Attributes="{", Reason="x", Priority=3)
    assert refused(answer, "Attributes")
    stood = api.get(task)
    assert (stood["assignment_status"], stood["priority"]) == ("pending", 0)
    after = api.post(task, AssignmentStatus="canceled", Attributes='{"a": 1}', Reason="x")
    assert (after["assignment_status"], after["attributes"]) == ("canceled", '{"a": 1}')


def test_a_stale_version_is_refused_and_a_request_without_one_is_applied(
    api: Api, path: str
) -> None:
    task = f"{path}/{api.post(path)['sid']}"
    assert api.post(task, if_match="0", Priority=1).response.headers["ETag"] == '"1"'
    before = factories.last_event()
    for answer in (
        api.post(task, if_match="0", Priority=2),
        api.post(task, if_match='"0"', AssignmentStatus="canceled"),
        api.delete(task, if_match="0"),
    ):
        assert (answer.status, answer["code"]) == (412, 20412)
    assert factories.event_types(before) == []
    assert api.post(task, Priority=3)["priority"] == 3
    both = {"AssignmentStatus": "canceled", "Attributes": "{}", "Priority": "4"}
    assert api.post(task, if_match='W/"2"', **both)["assignment_status"] == "canceled"


def test_fields_and_status_of_one_request_are_one_change(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    waits = f"{path}/{api.post(path)['sid']}"
    before = factories.last_event()
    change = {"Attributes": '{"a": 1}', "Priority": "4", "TaskChannel": "sms"}
    gone = api.post(waits, if_match="0", AssignmentStatus="canceled", **change)
    assert (gone["priority"], gone["task_channel_unique_name"]) == (4, "sms")
    assert gone.response.headers["ETag"] == '"1"'
    assert api.get(waits).json == gone.json
    assert factories.event_types(before) == ["task.canceled", "task.updated"]
    factories.worker(workspace)
    work = f"{path}/{factories.accepted(workspace).task.sid}"
    version = int(api.get(work).response.headers["ETag"].strip('"'))
    for status in ("wrapping", "completed"):
        version += 1
        changed = api.post(work, AssignmentStatus=status, Priority=version)
        assert (changed["assignment_status"], changed["priority"]) == (status, version)
        assert changed.response.headers["ETag"] == f'"{version}"'
        assert api.get(work)["priority"] == version


def test_a_change_after_which_no_filter_matches_is_one_version_too(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, factories.filter_("vip == true", factories.target(queue)))
    made = api.post(f"{root}/Tasks", Attributes='{"vip": true}')
    after = api.post(f"{root}/Tasks/{made['sid']}", Attributes="{}", Priority=7)
    assert (after["assignment_status"], after["attributes"]) == ("canceled", "{}")
    assert (after["priority"], after.response.headers["ETag"]) == (7, '"1"')
    assert api.get(f"{root}/Tasks/{made['sid']}").json == after.json


def test_the_version_follows_the_router_too(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    task = f"{path}/{api.post(path)['sid']}"
    factories.worker(workspace)
    factories.run(workspace)
    assert api.get(task).response.headers["ETag"] == '"1"'
    assert api.post(task, if_match="0", Priority=1).status == 412


def test_a_task_is_deleted_in_any_state_and_frees_its_slot(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    worker = factories.worker(workspace)
    reservation = factories.accepted(workspace)
    assert api.delete(f"{path}/{reservation.task.sid}").status == 204
    assert api.get(f"{path}/{reservation.task.sid}").status == 404
    assert factories.worker_channel(worker).consumed == 0


@pytest.mark.parametrize("written_back", [0, 1, 2])
@pytest.mark.parametrize(("task_order", "turned"), [(QueueOrder.FIFO, 1), (QueueOrder.LIFO, -1)])
def test_a_virtual_start_that_was_read_and_is_written_back_changes_no_order(
    api: Api,
    workspace: models.Workspace,
    root: str,
    noon: time_machine.Traveller,
    task_order: QueueOrder,
    turned: int,
    written_back: int,
) -> None:
    factories.workflow(workspace, default=factories.queue(workspace, task_order=task_order))
    made = []
    for _ in range(3):
        noon.shift(timedelta(milliseconds=200))
        made.append(api.post(f"{root}/Tasks"))
    for again in range(2):
        task = made[written_back]
        shown = api.get(f"{root}/Tasks/{task['sid']}")["virtual_start_time"]
        # The second time after a whole second has passed.
        noon.shift(timedelta(seconds=again))
        api.post(f"{root}/Tasks/{task['sid']}", VirtualStartTime=shown)
    expected = [task["sid"] for task in made]
    for direction, order in (("asc", expected), ("desc", expected[::-1])):
        listed = api.get(f"{root}/Tasks", Ordering=f"VirtualStartTime:{direction}")
        assert [task["sid"] for task in listed["tasks"]] == order
    factories.worker(workspace, capacity={"default": 3})
    factories.run(workspace, timezone.now())
    offers = models.Reservation.objects.order_by("pk").values_list("task__sid", flat=True)
    assert list(offers) == expected[::turned]


def test_tasks_with_the_same_virtual_start_are_listed_oldest_first(
    api: Api, workspace: models.Workspace, path: str, noon: time_machine.Traveller
) -> None:
    noon.shift(timedelta(milliseconds=600))
    first = api.post(path)
    noon.shift(timedelta(minutes=5))
    callback = api.post(path, VirtualStartTime=first["date_created"])
    fraction = first["date_created"].replace("Z", ".100Z")
    another = api.post(path, VirtualStartTime=fraction)
    assert first["virtual_start_time"] == callback["virtual_start_time"]
    expected = [first["sid"], callback["sid"], another["sid"]]
    listed = api.get(path, Ordering="VirtualStartTime:asc")
    assert [task["sid"] for task in listed["tasks"]] == expected
    factories.worker(workspace, capacity={"default": 3})
    factories.run(workspace, timezone.now())
    offers = models.Reservation.objects.order_by("pk").values_list("task__sid", flat=True)
    assert list(offers) == expected
