"""Explanations by request: why a task waits, and the workers of its queue page by page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models
from routing.actions import task_channels
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def task(workspace: models.Workspace) -> models.Task:
    """Return a waiting task whose queue asks for a team, and whose target asks for a level."""
    queue = factories.queue(workspace, friendly_name="Floor", target_workers="team == 1")
    target = factories.target(queue, expression="worker.level >= task.level", timeout=600)
    factories.workflow(workspace, factories.filter_("1==1", target, name="Everything"))
    return factories.task(workspace, attributes={"level": 3}, now=timezone.now())


@pytest.fixture
def path(root: str, task: models.Task) -> str:
    return f"{root}/Tasks/{task.sid}/Explanation"


def member(workspace: models.Workspace, name: str, **given: Any) -> models.Worker:
    """Make a worker of the queue's team, with a sufficient level."""
    level = given.pop("level", 3)
    return factories.worker(workspace, name, attributes={"team": 1, "level": level}, **given)


def test_an_explanation_says_where_a_task_stands(
    api: Api, workspace: models.Workspace, task: models.Task, path: str
) -> None:
    factories.worker(workspace, "Outsider")
    away = member(workspace, "Away", available=False)
    answer = api.get(path)
    assert answer.status == 200
    assert (answer["task_sid"], answer["workspace_sid"]) == (task.sid, workspace.sid)
    assert (answer["account_sid"], answer["assignment_status"]) == (api.account.sid, "pending")
    assert answer["summary"] == (
        "Away alone serves its queue. The worker's activity does not take work."
    )
    assert answer["steps_passed"] == []
    queue = task.task_queue
    assert queue is not None
    entered = f"{task.date_created:%Y-%m-%dT%H:%M:%SZ}"
    assert answer["step"] == {
        "filter_name": "Everything",
        "task_queue_sid": queue.sid,
        "task_queue_friendly_name": "Floor",
        "date_entered": entered,
        "date_left": None,
        "outcome": None,
    }
    assert answer["worker_expression"] == "worker.level >= 3"
    assert answer["next_deadline"]["kind"] == "step"
    assert answer["next_deadline"]["words"].endswith("the step ends and the workflow leads on.")
    assert (answer["workers_in_queue"], answer["workers_elsewhere"]) == (1, 1)
    assert (answer["workers_eligible"], answer["refusals"]) == (0, {"worker_unavailable": 1})
    assert (answer["next_cycle"], answer["known_worker"], answer["reservations"]) == (
        None,
        None,
        [],
    )
    assert answer["workers"] == [
        {
            "worker_sid": away.sid,
            "worker_name": "Away",
            "activity_name": "Offline",
            "rank": None,
            "reason": "worker_unavailable",
            "words": "The worker's activity does not take work.",
            "may_grab": False,
            "grab_reason": "worker_unavailable",
            "grab_words": "The worker's activity does not take work.",
        }
    ]
    assert api.send("GET", answer["url"]).json == answer.json


def test_the_router_does_what_an_explanation_foresees(
    api: Api, workspace: models.Workspace, task: models.Task, path: str
) -> None:
    member(workspace, "Junior", level=1)
    senior = member(workspace, "Senior")
    before = api.get(path)
    assert before["next_cycle"] == {
        "tasks_ahead": 0,
        "worker_sids": [senior.sid],
        "worker_names": ["Senior"],
    }
    assert [(w["worker_name"], w["rank"]) for w in before["workers"]] == [
        ("Senior", 1),
        ("Junior", None),
    ]
    assert [w["may_grab"] for w in before["workers"]] == [True, True]
    factories.run(workspace, timezone.now())
    after = api.get(path)
    assert after["assignment_status"] == "reserved"
    assert [r["worker_sid"] for r in after["reservations"]] == [senior.sid]
    assert after["reservations"][0]["until"] is not None
    assert {w["worker_name"]: w["reason"] for w in after["workers"]} == {
        "Junior": "task_not_pending",
        "Senior": "already_offered",
    }


def test_workers_come_in_pages_that_lead_both_ways(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    for number in range(7):
        member(workspace, f"Worker {number}", available=number % 2 == 0)
    whole = api.get(path)["workers"]
    assert [worker["rank"] for worker in whole] == [1, 2, 3, 4, None, None, None]
    pages = api.pages(path, PageSize=2)
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert [worker for page in pages for worker in page] == whole
    first = api.get(path, PageSize=3)
    assert first["meta"]["previous_page_url"] is None
    second = api.send("GET", first["meta"]["next_page_url"])
    assert second["workers"] == whole[3:6]
    back = api.send("GET", second["meta"]["previous_page_url"])
    assert (back["workers"], back["meta"]["key"]) == (whole[:3], "workers")
    assert api.get(path, PageSize=7)["meta"]["next_page_url"] is None
    assert api.get(path, Page=1).json["code"] == 40153
    assert api.get(path, PageSize=2, Page=1, PageToken="PAnonsense").status == 400


def test_a_page_goes_on_though_the_worker_it_ended_at_is_gone(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    people = [member(workspace, f"Worker {n}", available=False) for n in range(4)]
    first = api.get(path, PageSize=2)
    models.Worker.objects.filter(pk=people[1].pk).delete()
    rest = api.send("GET", first["meta"]["next_page_url"])
    assert [w["worker_sid"] for w in rest["workers"]] == [people[2].sid, people[3].sid]


def test_one_worker_can_be_explained_in_the_queue_or_outside_it(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    outsider = factories.worker(workspace, "Outsider")
    insider = member(workspace, "Insider")
    (asked,) = api.get(path, WorkerSid=outsider.sid)["workers"]
    assert (asked["reason"], asked["grab_reason"]) == ("not_in_queue", "not_in_queue")
    (asked,) = api.get(path, WorkerSid=insider.sid)["workers"]
    assert (asked["rank"], asked["words"]) == (1, "The router asks this worker as number 1.")
    assert api.get(path, WorkerSid="WK" + "0" * 32).status == 400
    assert api.get(path, WorkerSid="nobody").status == 400


def test_the_explanation_of_a_finished_task_gives_its_end(
    api: Api, workspace: models.Workspace, root: str, task: models.Task, path: str
) -> None:
    api.post(f"{root}/Tasks/{task.sid}", AssignmentStatus="canceled", Reason="Gave up")
    answer = api.get(path)
    assert (answer["assignment_status"], answer["reason"]) == ("canceled", "Gave up")
    assert answer["summary"].endswith("Reason: Gave up")
    assert answer["date_finished"] is not None
    assert (answer["step"], answer["next_deadline"]) == (None, None)
    assert [step["outcome"] for step in answer["steps_passed"]] == ["canceled"]


def test_a_task_on_a_channel_of_its_own_and_routed_directly_is_explained(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace, "Alice")
    task_channels.create_task_channel(
        workspace=workspace, friendly_name="Fax", unique_name="fax", actor=SYSTEM, now=factories.NOW
    )
    task = factories.task(workspace, channel="fax", routing_target=worker.sid, now=timezone.now())
    answer = api.get(f"{root}/Tasks/{task.sid}/Explanation")
    assert answer["known_worker"] == {
        "attribute": "routing_target",
        "named": worker.sid,
        "worker_sid": worker.sid,
        "problem": None,
        "words": "The task asks for Alice alone, directly.",
    }
    assert answer["next_cycle"]["worker_names"] == ["Alice"]
    assert [w["grab_reason"] for w in answer["workers"]] == ["not_in_queue"]


def test_an_explanation_is_read_only_and_visible_to_its_account_only(
    api: Api, stranger: Api, root: str, path: str
) -> None:
    assert api.post(path).status == 405
    assert api.delete(path).status == 405
    assert stranger.get(path).status == 404
    assert api.get(f"{root}/Tasks/WT{'0' * 32}/Explanation").status == 404
    assert api.get(f"{root}/Tasks/nonsense/Explanation").status == 404


def test_an_explanation_takes_the_same_number_of_queries_for_any_number_of_workers_and_tasks(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(path)["next_cycle"] is not None
        return len(captured)

    member(workspace, "First")
    cost()  # a new lane is read once
    few = cost()
    for number in range(30):
        member(workspace, f"Worker {number}")
        factories.task(workspace, attributes={"level": 3}, now=timezone.now())
    assert cost() == few
    # Credentials, workspace, task; workers, channels; steps; six for the router's snapshot.
    assert few <= 13


def test_a_thousand_workers_are_read_in_one_page(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    pattern = member(workspace, "Pattern")
    made = models.Worker.objects.bulk_create(
        models.Worker(
            sid=f"WK{number:032x}",
            workspace=workspace,
            friendly_name=f"Worker {number}",
            activity=pattern.activity,
            attributes=json.dumps({"team": 1, "level": number % 5}),
            date_status_changed=factories.NOW,
            date_created=factories.NOW,
            date_updated=factories.NOW,
        )
        for number in range(999)
    )
    chat = factories.worker_channel(pattern)
    models.WorkerChannel.objects.bulk_create(
        models.WorkerChannel(
            sid=f"WC{worker.pk:032x}",
            worker=worker,
            task_channel=chat.task_channel,
            date_created=factories.NOW,
            date_updated=factories.NOW,
        )
        for worker in made
    )
    answer = api.get(path, PageSize=1000)
    assert len(answer["workers"]) == 1000
    assert answer["meta"]["next_page_url"] is None
    assert answer["refusals"] == {"expression_not_met": 600}


def test_a_task_that_rules_out_every_worker_shows_its_own_attributes(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    asked = "task.vip == true AND worker.level > 1 AND worker.sid NOT IN task.busy"
    target = factories.target(factories.queue(workspace), expression=asked)
    factories.workflow(workspace, factories.filter_("1==1", target))
    factories.worker(workspace, "Ann", attributes={"level": 2})
    task = factories.task(workspace, attributes={"vip": False}, now=timezone.now())
    answer = api.get(f"{root}/Tasks/{task.sid}/Explanation")
    assert answer["target_expression"] == asked
    assert answer["worker_expression"] == "1 == 0"
    words = (
        "No worker can have it in this step: the task's vip is false and the task has no busy, and"
        " the target asks for task.vip == true AND worker.sid NOT IN task.busy."
    )
    assert answer["task_condition"] == {
        "rules_out_all": True,
        "expression": "task.vip == true AND worker.sid NOT IN task.busy",
        "attributes": {"vip": False, "busy": None},
        "missing": ["busy"],
        "words": words,
    }
    assert answer["summary"] == words
    (ann,) = answer["workers"]
    assert (ann["reason"], ann["words"]) == (
        "expression_not_met",
        "The task itself rules out every worker in this step.",
    )
    api.post(f"{root}/Tasks/{task.sid}", Attributes='{"vip": true, "busy": []}')
    answer = api.get(f"{root}/Tasks/{task.sid}/Explanation")
    assert answer["task_condition"] is None
    assert answer["workers_eligible"] == 1
    api.post(f"{root}/Tasks/{task.sid}", AssignmentStatus="canceled")
    answer = api.get(f"{root}/Tasks/{task.sid}/Explanation")
    assert answer["target_expression"] is answer["task_condition"] is None
