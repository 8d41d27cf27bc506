"""Statistics of many queues by request: page by page, and at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Answer, Api
from tests.api.statistics.conftest import accept


def test_statistics_of_queues_are_paged(
    api: Api, root: str, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    factories.worker(workspace)
    named = factories.queue(workspace, friendly_name="Named")
    factories.queue(workspace)
    accept(factories.offered(workspace), 0)
    pages = api.pages(f"{root}/TaskQueues/Statistics", PageSize=1, TaskChannel="chat")
    assert [len(page) for page in pages] == [1, 1, 1]
    for (found,), queue in zip(pages, workspace.task_queues.order_by("pk"), strict=True):
        alone = api.get(f"{root}/TaskQueues/{queue.sid}/Statistics", TaskChannel="chat").json
        alone.pop("url")
        assert found == alone
    (found,) = api.get(f"{root}/TaskQueues/Statistics", FriendlyName="Named")[
        "task_queues_statistics"
    ]
    assert found["task_queue_sid"] == named.sid


def bulk(api: Api, root: str, body: Any) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    path = f"{root}/TaskQueues/RealTimeStatistics"
    return api.send("POST", path, body=text, content_type="application/json")


@pytest.mark.parametrize("name", ["queueSids", "QueueSids"])
def test_real_time_figures_of_many_queues_in_one_request(
    api: Api,
    root: str,
    workspace: models.Workspace,
    queue: models.TaskQueue,
    workflow: models.Workflow,
    name: str,
) -> None:
    factories.task(workspace)
    foreign = factories.queue(factories.workspace()).sid
    answer = bulk(api, root, {name: [foreign, queue.sid, foreign]})
    assert answer.status == 200
    assert answer["task_queue_response_count"] == 2
    other, mine = answer["task_queue_data"]
    assert (other["task_queue_sid"], mine["task_queue_sid"]) == (foreign, queue.sid)
    alone = api.get(f"{root}/TaskQueues/{queue.sid}/RealTimeStatistics").json
    relative = {"longest_relative_task_age_in_queue", "longest_relative_task_sid_in_queue"}
    assert mine == {
        key: [{k: v for k, v in each.items() if k not in relative} for each in value]
        if key == "task_channels"
        else value
        for key, value in alone.items()
        if key not in relative | {"account_sid", "workspace_sid", "url"}
    }
    assert other["total_tasks"] == other["total_eligible_workers"] == 0
    assert other.keys() == mine.keys()
    form = api.post(f"{root}/TaskQueues/RealTimeStatistics", QueueSids=f"{foreign},{queue.sid}")
    assert form.json == answer.json


def test_there_is_no_limit_of_fifty_queues(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    sids = [factories.queue(workspace).sid for _ in range(60)]
    assert bulk(api, root, {"queueSids": sids})["task_queue_response_count"] == 60
