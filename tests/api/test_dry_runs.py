"""Dry runs by request: what would become of a task, without creating it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.explanations import dry_run, trials
from routing.explanations.dry_run import DryRun
from supervisors.trial_words import WORDS
from tests import factories
from tests.api.conftest import Api

Queues = dict[str, models.TaskQueue]


@pytest.fixture(autouse=True)
def _same_in_the_cockpit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare each dry run of this file with what the cockpit says of it in English."""
    run_trial = dry_run.try_task

    def show(run: DryRun, say: trials.TrialWords) -> dict[str, Any]:
        shown = trials.show_run(run, say)
        for one in shown["filters"]:
            one.pop("words")
        return shown

    def compare(**given: Any) -> DryRun:
        run = run_trial(**given)
        assert show(run, WORDS) == show(run, trials.ENGLISH)
        return run

    monkeypatch.setattr(dry_run, "try_task", compare)


@pytest.fixture
def queues(workspace: models.Workspace) -> Queues:
    """Return the queues of the example in the docs."""
    return {
        "Spanish": factories.queue(
            workspace, friendly_name="Spanish", target_workers='languages HAS "es"'
        ),
        "Everybody": factories.queue(workspace, friendly_name="Everybody", target_workers="1==1"),
    }


@pytest.fixture
def document(queues: Queues) -> str:
    return factories.configuration(
        factories.filter_(
            'tier == "gold" AND language == "es"',
            factories.target(
                queues["Spanish"],
                expression="task.language IN worker.languages",
                timeout=30,
                priority=5,
            ),
            factories.target(queues["Everybody"]),
            name="Gold",
        ),
        factories.filter_(
            'tier == "silver" OR points > 100',
            factories.target(queues["Everybody"], timeout=60),
            name="Silver",
        ),
    )


@pytest.fixture
def workflow(workspace: models.Workspace, document: str) -> models.Workflow:
    return factories.workflow(workspace, configuration=document)


@pytest.fixture
def path(root: str, workflow: models.Workflow) -> str:
    return f"{root}/Workflows/{workflow.sid}/DryRuns"


def speaker(workspace: models.Workspace, name: str, **given: Any) -> models.Worker:
    languages = given.pop("languages", ["es"])
    return factories.worker(workspace, name, attributes={"languages": languages}, **given)


GOLD = json.dumps({"language": "es", "tier": "gold"})


def test_a_dry_run_names_each_step_each_worker_and_who_gets_the_offer(
    api: Api, workspace: models.Workspace, path: str, queues: Queues, workflow: models.Workflow
) -> None:
    ines = speaker(workspace, "Ines")
    omar = speaker(workspace, "Omar", capacity={"chat": 0})
    speaker(workspace, "Ada", languages=["en"])
    answer = api.post(path, Attributes=GOLD, TaskChannel="chat")
    assert answer.status == 200
    assert answer["workflow_sid"] == workflow.sid
    assert answer["problems"] == []
    assert answer["summary"] == (
        "Step 1, queue Spanish: Will be offered to Ines in the next cycle."
    )
    assert [
        (each["filter_name"], each["matched"], each["entered"]) for each in answer["filters"]
    ] == [
        ("Gold", True, True),
        ("Silver", False, False),
    ]
    assert answer["filters"][1]["because"] == [
        {
            "comparison": 'task.tier == "silver"',
            "read": [{"name": "task.tier", "value": '"gold"'}],
        },
        {"comparison": "task.points > 100", "read": [{"name": "task.points", "value": None}]},
    ]
    first, second = answer["steps"]
    assert (first["number"], first["target"], first["filter_name"]) == (1, 1, "Gold")
    assert (first["from_second"], first["until_second"], first["priority"]) == (0, 30, 5)
    assert first["task_queue_sid"] == queues["Spanish"].sid
    assert first["target_expression"] == "task.language IN worker.languages"
    assert first["worker_expression"] == 'worker.languages HAS "es"'
    assert (second["from_second"], second["until_second"], second["priority"]) == (30, 86_400, 5)
    assert second["task_queue_friendly_name"] == "Everybody"
    assert answer["ends"] == {
        "kind": "canceled",
        "after_second": 86_400,
        "reason": "Task TTL Exceeded or Max assignment count exceeded",
        "words": "After 86,400 seconds it is canceled, as its lifetime is over.",
    }
    assert answer["next_cycle"] == {
        "step": 1,
        "tasks_ahead": 0,
        "worker_sids": [ines.sid],
        "worker_names": ["Ines"],
    }
    assert answer["step"] == 1
    assert (answer["workers_in_queue"], answer["workers_elsewhere"]) == (2, 1)
    assert (answer["workers_eligible"], answer["refusals"]) == (1, {"no_capacity": 1})
    assert [(each["worker_sid"], each["rank"], each["reason"]) for each in answer["workers"]] == [
        (ines.sid, 1, None),
        (omar.sid, None, "no_capacity"),
    ]
    assert not workspace.tasks.exists()


def test_another_step_has_its_own_workers(api: Api, workspace: models.Workspace, path: str) -> None:
    speaker(workspace, "Ada", languages=["en"], available=False)
    answer = api.post(path, Attributes=GOLD, Step="2")
    assert (answer["step"], answer["workers_in_queue"]) == (2, 1)
    assert answer["next_cycle"] is None
    refused = api.post(path, Attributes=GOLD, Step="3")
    assert refused.status == 400
    assert refused.message == "Step is 3; it must be a whole number from 1 to 2"


def test_a_task_that_no_filter_takes_would_be_refused(api: Api, path: str) -> None:
    answer = api.post(path, Attributes='{"tier": "bronze"}')
    assert answer["steps"] == []
    assert answer["ends"]["kind"] == "refused"
    assert answer["summary"].startswith("Its creation would be refused")
    assert (answer["step"], answer["workers"], answer["next_cycle"]) == (None, [], None)


def test_an_unsaved_text_is_tried_and_not_stored(
    api: Api, root: str, workspace: models.Workspace, queues: Queues, path: str
) -> None:
    speaker(workspace, "Ines")
    text = factories.configuration(default=queues["Everybody"])
    by_workflow = api.post(path, Attributes="{}", Configuration=text)
    assert [each["filter_name"] for each in by_workflow["steps"]] == ["default_filter"]
    alone = api.post(f"{root}/DryRuns", Configuration=text)
    assert (alone["workflow_sid"], alone["steps"]) == (None, by_workflow["steps"])
    assert models.WorkflowRevision.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", ""),
        ("", ""),
        ('{"task_routing": {"filters": [{"expression": "a =="}]}}', "filters[0].expression"),
        (
            '{"task_routing": {"default_filter": {"queue": "WQ00000000000000000000000000000000"}}}',
            "default_filter.queue",
        ),
    ],
)
def test_problems_of_a_text_are_the_answer_and_nothing_else(
    api: Api, path: str, text: str, place: str
) -> None:
    answer = api.post(path, Attributes=GOLD, Configuration=text)
    assert answer.status == 200
    assert place in answer["problems"][0]["path"]
    assert (answer["filters"], answer["steps"], answer["ends"], answer["workers"]) == (
        [],
        [],
        None,
        [],
    )
    assert "no task can be tried with it" in answer["summary"]


def test_a_workspace_with_one_workflow_needs_no_workflow_sid(
    api: Api, root: str, workspace: models.Workspace, workflow: models.Workflow, document: str
) -> None:
    answer = api.post(f"{root}/DryRuns", Attributes=GOLD)
    assert answer["workflow_sid"] == workflow.sid
    other = factories.workflow(workspace, configuration=document)
    assert api.post(f"{root}/DryRuns", Attributes=GOLD).message == (
        "The WorkflowSid field is required: the workspace has more than one workflow"
    )
    answer = api.post(f"{root}/DryRuns", Attributes=GOLD, WorkflowSid=other.sid)
    assert answer["workflow_sid"] == other.sid


@pytest.mark.parametrize(
    ("floor", "reasons"),
    [
        ("now", [("Away", "worker_unavailable"), ("Busy", "no_capacity")]),
        ("busy", [("Away", None), ("Busy", "no_capacity")]),
        ("ready", [("Away", None), ("Busy", None)]),
    ],
)
def test_a_floor_supposes_how_the_workers_are(
    api: Api,
    workspace: models.Workspace,
    path: str,
    floor: str,
    reasons: list[tuple[str, str | None]],
) -> None:
    speaker(workspace, "Away", available=False)
    busy = speaker(workspace, "Busy", capacity={"chat": 1})
    models.WorkerChannel.objects.filter(worker=busy).update(consumed=1)
    models.Worker.objects.update(workload_version=9)
    answer = api.post(path, Attributes=GOLD, Floor=floor, TaskChannel="chat")
    found = [(each["worker_name"], each["reason"]) for each in answer["workers"]]
    assert sorted(found) == reasons
    assert answer["next_cycle"] is None


def test_the_time_of_day_may_be_given(
    api: Api, root: str, workspace: models.Workspace, queues: Queues
) -> None:
    speaker(workspace, "Ines")
    text = factories.configuration(
        factories.filter_(
            "taskrouter.currentHour >= 20", factories.target(queues["Spanish"]), name="Night"
        ),
        default=queues["Everybody"],
    )
    night = api.post(f"{root}/DryRuns", Configuration=text, At="2026-03-02T21:00:00Z")
    assert (night["steps"][0]["filter_name"], night["next_cycle"]) == ("Night", None)
    assert night["date"] == "2026-03-02T21:00:00Z"
    day = api.post(f"{root}/DryRuns", Configuration=text, At="2026-03-02T12:00:00Z")
    assert day["filters"][0]["because"] == [
        {
            "comparison": "taskrouter.currentHour >= 20",
            "read": [{"name": "taskrouter.currentHour", "value": '"12"'}],
        }
    ]
    assert api.post(f"{root}/DryRuns", Configuration=text, At="9999-12-31T23:59:59Z").status == 400


def test_a_step_whose_skip_if_holds_is_marked_with_the_counts_it_read(
    api: Api, root: str, workspace: models.Workspace, queues: Queues
) -> None:
    speaker(workspace, "Ines", available=False)
    text = factories.configuration(
        factories.filter_(
            "1==1",
            factories.target(queues["Spanish"], skip_if="workers.available == 0", timeout=30),
            factories.target(queues["Everybody"]),
        )
    )
    answer = api.post(f"{root}/DryRuns", Configuration=text)
    first, second = answer["steps"]
    assert (first["skipped"], first["until_second"]) == (True, 0)
    assert first["skip_if"] == "workers.available == 0"
    assert first["skip_counts"] == {"workers.available": 0}
    assert (second["skipped"], second["from_second"], answer["step"]) == (False, 0, 2)


def test_workers_come_page_by_page(api: Api, workspace: models.Workspace, path: str) -> None:
    for number in range(5):
        speaker(workspace, f"Worker {number}")
    names: list[str] = []
    token: str | None = None
    for _ in range(3):
        more = {} if token is None else {"PageToken": token}
        answer = api.post(path, Attributes=GOLD, PageSize="2", **more)
        names += [each["worker_name"] for each in answer["workers"]]
        token = answer["meta"]["next_page_token"]
    assert token is None
    assert names == [f"Worker {number}" for number in range(5)]


def test_a_dry_run_only_reads(api: Api, workspace: models.Workspace, path: str) -> None:
    speaker(workspace, "Ines")
    before = models.Event.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert api.post(path, Attributes=GOLD).status == 200
    writing = [
        each["sql"]
        for each in queries
        if each["sql"].lstrip().split(" ")[0] in ("INSERT", "UPDATE", "DELETE")
    ]
    assert all("api_keys" in sql or "accounts" in sql for sql in writing), writing
    assert models.Event.objects.count() == before
    assert (models.Task.objects.count(), models.Lane.objects.count()) == (0, 0)


def test_many_filters_are_listed_up_to_a_limit(api: Api, root: str, queues: Queues) -> None:
    target = factories.target(queues["Everybody"], timeout=1)
    many = [factories.filter_(f"number == {number}", target) for number in range(501)]
    text = factories.configuration(*many)
    answer = api.post(f"{root}/DryRuns", Configuration=text, Attributes='{"number": 500}')
    assert (len(answer["filters"]), answer["filters_left_out"]) == (500, 1)
    assert len(answer["steps"]) == 1


def test_a_way_of_many_steps_is_cut_off(api: Api, root: str, queues: Queues) -> None:
    targets = [factories.target(queues["Everybody"], timeout=1) for _ in range(501)]
    text = factories.configuration(factories.filter_("1==1", *targets))
    answer = api.post(f"{root}/DryRuns", Configuration=text)
    assert len(answer["steps"]) == 500
    assert answer["ends"] == {
        "kind": "cut_off",
        "after_second": None,
        "reason": None,
        "words": "After 500 steps the dry run was cut off.",
    }


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"Attributes": "{"}, "Attributes is not valid JSON"),
        ({"Attributes": "[]"}, "Attributes must be a JSON object"),
        ({"Floor": "tomorrow"}, "Floor is 'tomorrow'; it must be one of now, ready, busy"),
        ({"TaskChannel": "pigeon"}, "TaskChannel"),
        ({"Timeout": "0"}, "Timeout is '0'"),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    api: Api, path: str, form: dict[str, str], message: str
) -> None:
    answer = api.post(path, **form)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert message in answer.message


def test_workflows_and_queues_of_another_workspace_are_unknown(
    api: Api, root: str, account: models.Account
) -> None:
    elsewhere = factories.workspace(account=account)
    queue = factories.queue(elsewhere)
    other = factories.workflow(elsewhere, default=queue)
    assert api.post(f"{root}/Workflows/{other.sid}/DryRuns").status == 404
    assert api.post(f"{root}/DryRuns", WorkflowSid=other.sid).status == 400
    text = factories.configuration(default=queue)
    assert api.post(f"{root}/DryRuns", Configuration=text)["problems"] != []


@override_settings(RATE_LIMIT=(2, 3600))
def test_dry_runs_count_towards_the_rate_limit(api: Api, path: str) -> None:
    statuses = [api.post(path, Attributes=GOLD).status for _ in range(3)]
    assert statuses == [200, 200, 429]
