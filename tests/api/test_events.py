"""Events by request: newest first, and as a log that a consumer follows."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from routing import housekeeping, models
from routing.actions import task_channels, task_queues, tasks, workers
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Answer, Api
from tests.factories import NOW, later

pytestmark = pytest.mark.usefixtures("noon")


def types(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.json
    return [event["event_type"] for event in answer["events"]]


def event_sids(answer: Answer) -> set[str]:
    assert answer.status == 200, answer.json
    return {event["sid"] for event in answer["events"]}


def test_events_are_listed_newest_first(
    api: Api, root: str, accepted: models.Reservation, noon: time_machine.Traveller
) -> None:
    noon.shift(60)
    assert types(api.get(f"{root}/Events"))[:6] == [
        "reservation.accepted",
        "reservation.created",
        "workflow.target-matched",
        "task.created",
        "task-queue.entered",
        "workflow.entered",
    ]


def test_an_event_names_its_type_its_resource_and_its_actor(api: Api, root: str) -> None:
    made = api.post(f"{root}/Workers", FriendlyName="Alice")
    (event,) = api.get(f"{root}/Events", EventType="worker.created")["events"]
    data = event.pop("event_data")
    base = f"http://testserver/v1/{root}"
    assert event == {
        "sid": event["sid"],
        "account_sid": api.account.sid,
        "workspace_sid": root.partition("/")[2],
        "event_type": "worker.created",
        "event_date": "2026-03-02T12:00:00Z",
        "event_date_ms": 1_772_452_800_000,
        "description": "Worker created",
        "actor_type": "account",
        "actor_sid": api.account.sid,
        "actor_url": None,
        "resource_type": "worker",
        "resource_sid": made["sid"],
        "resource_url": made["url"],
        "source": "api",
        "source_ip_address": "127.0.0.1",
        "url": f"{base}/Events/{event['sid']}",
    }
    assert data["worker_name"] == "Alice"
    assert all(value is None or isinstance(value, str) for value in data.values())
    fetched = api.send("GET", event["url"])
    assert fetched.json == event | {"event_data": data}


def test_every_resource_url_leads_to_the_event_s_resource(
    api: Api, root: str, workspace: models.Workspace, accepted: models.Reservation
) -> None:
    factories.channel(workspace, "fax")
    seen = set()
    for event in api.get(f"{root}/Events", Minutes=60, PageSize=1000)["events"]:
        seen.add(event["resource_type"])
        found = api.send("GET", event["resource_url"])
        assert (found.status, found["sid"]) == (200, event["resource_sid"])
    assert seen == {
        "workspace",
        "activity",
        "task-channel",
        "task-queue",
        "workflow",
        "worker",
        "task",
        "reservation",
    }


def test_each_filter_keeps_what_it_names(
    api: Api, root: str, workspace: models.Workspace, accepted: models.Reservation
) -> None:
    other = factories.task(workspace, channel="sms", workflow=factories.workflow(workspace))
    task = accepted.task
    with time_machine.travel(later(20), tick=False):
        everything = api.get(f"{root}/Events", PageSize=1000)["events"]
        for name, key, value in (
            ("TaskSid", "task_sid", task.sid),
            ("WorkerSid", "worker_sid", accepted.current_worker.sid),
            ("TaskQueueSid", "task_queue_sid", other.task_queue and other.task_queue.sid),
            ("WorkflowSid", "workflow_sid", other.workflow and other.workflow.sid),
            ("TaskChannel", "task_channel_sid", task.task_channel.sid),
        ):
            wanted = {e["sid"] for e in everything if e["event_data"].get(key) == value}
            assert 0 < len(wanted) < len(everything)
            assert event_sids(api.get(f"{root}/Events", **{name: value})) == wanted, name
        by_name = api.get(f"{root}/Events", TaskChannel="Chat")
        assert event_sids(by_name) == event_sids(
            api.get(f"{root}/Events", TaskChannel=task.task_channel.sid)
        )
        assert types(api.get(f"{root}/Events", ReservationSid=accepted.sid)) == [
            "reservation.accepted",
            "reservation.created",
        ]
        both = api.get(f"{root}/Events", ReservationSid=accepted.sid, EventType="task.created")
        assert types(both) == []
        assert types(api.get(f"{root}/Events", EventType="Task.Created")) == ["task.created"] * 2
        several = api.get(f"{root}/Events", EventType="task.created,worker.created")
        assert sorted(types(several)) == ["task.created", "task.created", "worker.created"]
        one = everything[0]["sid"]
        assert event_sids(api.get(f"{root}/Events", Sid=one)) == {one}


def test_filters_that_only_the_hosted_service_has_find_nothing(api: Api, root: str) -> None:
    assert types(api.get(f"{root}/Events", EventType="task.transfer-initiated")) == []
    refused = api.get(f"{root}/Events", EventType="task.transferred")
    assert (refused.status, refused["code"]) == (400, 20001)
    assert "task.created" in refused.message


def test_the_window_is_the_last_quarter_of_an_hour_unless_dates_or_minutes_say_otherwise(
    api: Api, root: str, workspace: models.Workspace, noon: time_machine.Traveller
) -> None:
    factories.task(workspace, now=later(60))
    noon.shift(15 * 60)
    everything = event_sids(api.get(f"{root}/Events", Minutes=16))
    assert event_sids(api.get(f"{root}/Events")) == everything
    noon.shift(1)
    tasks_only = event_sids(api.get(f"{root}/Events"))
    assert 0 < len(tasks_only) < len(everything)
    assert event_sids(api.get(f"{root}/Events", Minutes=16, PageSize=1000)) == everything
    minute = "2026-03-02T12:01:00Z"
    assert event_sids(api.get(f"{root}/Events", StartDate=minute)) == tasks_only
    assert event_sids(api.get(f"{root}/Events", StartDate=minute, EndDate=minute)) == tasks_only
    before = event_sids(api.get(f"{root}/Events", EndDate="2026-03-02T12:00:59Z"))
    assert before == everything - tasks_only
    assert event_sids(api.get(f"{root}/Events", StartDate="2026-03-02T12:01:01Z")) == set()


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ({"Minutes": "5", "StartDate": "2026-03-02T11:00:00Z"}, 20001, "Minutes and StartDate"),
        ({"Minutes": "5", "EndDate": "2026-03-02T11:00:00Z"}, 20001, "Minutes and EndDate"),
        ({"Minutes": "0"}, 20001, "Minutes"),
        ({"Minutes": "-5"}, 20001, "Minutes"),
        ({"Minutes": "43201"}, 20001, "43200"),
        ({"Minutes": "soon"}, 20001, "Minutes"),
        ({"StartDate": "2026-01-02T12:00:00Z"}, 14241, "30 days"),
        ({"StartDate": "0001-01-01T00:00:00Z"}, 14241, "30 days"),
        ({"EndDate": "0165-01-05T22:37:20Z"}, 20001, "EndDate"),
        ({"StartDate": "yesterday"}, 20001, "StartDate"),
        ({"StartDate": "2026-03-02T13:00:00Z"}, 20001, "StartDate"),
        (
            {"StartDate": "2026-03-02T11:00:00Z", "EndDate": "2026-03-02T10:00:00Z"},
            20001,
            "EndDate",
        ),
        ({"TaskSid": "WK" + "0" * 32}, 20001, "TaskSid"),
        ({"WorkerSid": "a\x00b"}, 20001, "WorkerSid"),
        ({"TaskChannel": "fax"}, 20001, "TaskChannel"),
        ({"After": "WT" + "0" * 32}, 20001, "After"),
        ({"After": "EV" + "0" * 32}, 20001, "After"),
    ],
)
def test_contradictory_parameters_are_refused_by_name(
    api: Api, root: str, query: dict[str, str], code: int, named: str
) -> None:
    answer = api.get(f"{root}/Events", **query)
    assert (answer.status, answer["code"]) == (400, code)
    assert named in answer.message


def test_events_outlive_their_resources(
    api: Api, root: str, workspace: models.Workspace, accepted: models.Reservation
) -> None:
    task, worker, channel = accepted.task, accepted.current_worker, factories.channel(workspace)
    queue = factories.queue(workspace)
    tasks.delete_task(task=task, actor=SYSTEM, now=later(20))
    workers.delete_worker(worker=worker, actor=SYSTEM, now=later(20))
    task_queues.delete_task_queue(queue=queue, actor=SYSTEM, now=later(20))
    task_channels.delete_task_channel(channel=channel, actor=SYSTEM, now=later(20))
    with time_machine.travel(later(30), tick=False):
        assert api.get(f"{root}/Tasks/{task.sid}").status == 404
        assert types(api.get(f"{root}/Events", TaskSid=task.sid)) == [
            "reservation.completed",
            "task.deleted",
            "reservation.accepted",
            "reservation.created",
            "workflow.target-matched",
            "task.created",
            "task-queue.entered",
            "workflow.entered",
        ]
        assert len(types(api.get(f"{root}/Events", ReservationSid=accepted.sid))) == 3
        assert "worker.deleted" in types(api.get(f"{root}/Events", WorkerSid=worker.sid))
        assert "task-queue.deleted" in types(api.get(f"{root}/Events", TaskQueueSid=queue.sid))
        assert "task.created" in types(api.get(f"{root}/Events", TaskChannel=channel.sid))


def test_events_are_kept_for_the_days_that_the_settings_say(
    api: Api, root: str, workspace: models.Workspace, settings: Any
) -> None:
    settings.TASK_RETENTION_DAYS = 2
    factories.task(workspace)
    factories.task(workspace, now=later(86_400))
    housekeeping.delete_old_rows(now=later(2 * 86_400 + 1))
    with time_machine.travel(later(2 * 86_400 + 1), tick=False):
        found = api.get(f"{root}/Events", Minutes=2 * 1440)
    assert len(types(found)) == 4
    assert models.Event.objects.filter(event_date__lte=NOW).count() == 0


def test_events_of_another_workspace_are_not_listed(
    api: Api, stranger: Api, account: models.Account, workspace: models.Workspace, root: str
) -> None:
    other = factories.workspace(account=account)
    mine = event_sids(api.get(f"{root}/Events", PageSize=1000))
    theirs = event_sids(api.get(f"Workspaces/{other.sid}/Events", PageSize=1000))
    assert mine
    assert not mine & theirs
    foreign = next(iter(theirs))
    assert api.get(f"{root}/Events/{foreign}").status == 404
    assert api.get(f"{root}/Events", After=foreign).status == 400
    assert event_sids(api.get(f"{root}/Events", Sid=foreign)) == set()
    assert api.get(f"Workspaces/{other.sid}/Events/{foreign}").status == 200
    assert stranger.get(f"Workspaces/{other.sid}/Events/{foreign}").status == 404
    assert stranger.get(f"{root}/Events").status == 404


def test_events_cannot_be_changed(api: Api, root: str) -> None:
    sid = next(iter(event_sids(api.get(f"{root}/Events"))))
    for path in (f"{root}/Events", f"{root}/Events/{sid}"):
        assert api.post(path).status == 405
        assert api.delete(path).status == 405
