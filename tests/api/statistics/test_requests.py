"""Requests for statistics: their parameters, their links, their cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from tests import factories
from tests.api.conftest import Answer, Api
from tests.api.statistics.conftest import accept


def bulk(api: Api, root: str, body: Any) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    path = f"{root}/TaskQueues/RealTimeStatistics"
    return api.send("POST", path, body=text, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("", "QueueSids"),
        ("{", "JSON"),
        ("[" * 20_000, "JSON"),
        ("[]", "QueueSids"),
        ("{}", "QueueSids"),
        ('{"queueSids": []}', "QueueSids"),
        ('{"queueSids": ["WQ123"]}', "QueueSids"),
        ('{"queueSids": ["\\u0000"]}', "QueueSids"),
        ('{"queueSids": [1]}', "QueueSids"),
        ('{"queueSids": {"a": 1}}', "QueueSids"),
        ('{"queueSids": null}', "QueueSids"),
        ('{"queueSids": [], "taskChannel": "\\ud800"}', "lone surrogate"),
        (json.dumps({"queueSids": [f"WQ{n:032x}" for n in range(5_001)]}), "QueueSids"),
    ],
)
def test_a_bulk_request_that_names_no_queues_is_refused(
    api: Api, root: str, body: str, named: str
) -> None:
    answer = bulk(api, root, body)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert named in answer.message


REAL_TIME = ["RealTimeStatistics", "Workers/RealTimeStatistics"]
PAST = ["CumulativeStatistics", "Statistics", "Workers/CumulativeStatistics", "Workers/Statistics"]


@pytest.mark.parametrize(
    "path", [*PAST, "TaskQueues/Statistics", "{wq}/Statistics", "{wk}/Statistics"]
)
@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ({"Minutes": "5", "StartDate": "2026-03-02T11:00:00Z"}, 20001, "Minutes and StartDate"),
        ({"Minutes": "0"}, 20001, "Minutes"),
        ({"Minutes": "9" * 30}, 20001, "Minutes"),
        ({"StartDate": "2026-01-02T12:00:00Z"}, 14241, "30 days"),
        ({"StartDate": "0001-01-01T00:00:00Z"}, 14241, "30 days"),
        ({"EndDate": "0165-01-05T22:37:20Z"}, 20001, "EndDate"),
        ({"StartDate": "2026-03-02T13:00:00Z"}, 20001, "StartDate"),
        ({"EndDate": "soon"}, 20001, "EndDate"),
        ({"TaskChannel": "fax"}, 20001, "TaskChannel"),
        ({"TaskChannel": "TC" + "0" * 32}, 20001, "TaskChannel"),
        ({"TaskChannel": "a\x00b"}, 20001, "TaskChannel"),
    ],
)
def test_contradictory_parameters_are_refused_by_name(
    api: Api,
    root: str,
    workspace: models.Workspace,
    queue: models.TaskQueue,
    path: str,
    query: dict[str, str],
    code: int,
    named: str,
) -> None:
    worker = factories.worker(workspace)
    filled = path.format(wq=f"TaskQueues/{queue.sid}", wk=f"Workers/{worker.sid}")
    assert api.get(f"{root}/{filled}", Minutes=5).status == 200
    answer = api.get(f"{root}/{filled}", **query)
    assert (answer.status, answer["code"]) == (400, code)
    assert named in answer.message


@pytest.mark.parametrize(
    "value", ["soon", "-5", "1.5", "5;30", "1e3", "٣", ",".join(map(str, range(21))), "9" * 10]
)
def test_thresholds_other_than_whole_seconds_are_refused(api: Api, root: str, value: str) -> None:
    assert api.get(f"{root}/CumulativeStatistics", SplitByWaitTime="5,30").status == 200
    answer = api.get(f"{root}/CumulativeStatistics", SplitByWaitTime=value)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "SplitByWaitTime" in answer.message


def test_statistics_of_a_missing_row_are_not_found(api: Api, root: str) -> None:
    for path in ("TaskQueues/WQ", "Workflows/WW", "Workers/WK"):
        for sid in ("0" * 32, "x"):
            assert api.get(f"{root}/{path}{sid}/Statistics").status == 404
    assert api.post(f"{root}/Statistics").status == 405
    assert api.get(f"{root}/TaskQueues/RealTimeStatistics").status == 405


def test_all_links_to_statistics_lead_there(
    api: Api, root: str, workspace: models.Workspace, workflow: models.Workflow
) -> None:
    worker = factories.worker(workspace)
    queue = workspace.task_queues.get()
    for path in (
        "",
        f"/TaskQueues/{queue.sid}",
        f"/Workflows/{workflow.sid}",
        f"/Workers/{worker.sid}",
    ):
        links = api.get(f"{root}{path}")["links"]
        followed = {name: url for name, url in links.items() if "statistics" in name}
        assert len(followed) >= 3
        for name, url in followed.items():
            if name != "bulk_real_time_statistics":
                assert api.send("GET", url).status == 200, url


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("RealTimeStatistics", 8),
        ("CumulativeStatistics", 4),
        ("Statistics", 10),
        ("{ww}/RealTimeStatistics", 7),
        ("{ww}/CumulativeStatistics", 4),
        ("{wq}/RealTimeStatistics", 10),
        ("{wq}/CumulativeStatistics", 5),
        ("{wq}/Statistics", 12),
        ("TaskQueues/Statistics", 12),
        ("Workers/RealTimeStatistics", 6),
        ("Workers/CumulativeStatistics", 7),
        ("Workers/Statistics", 10),
        ("{wk}/Statistics", 9),
    ],
)
def test_figures_take_the_same_number_of_queries_whatever_the_size(
    api: Api,
    root: str,
    workspace: models.Workspace,
    queue: models.TaskQueue,
    workflow: models.Workflow,
    path: str,
    queries: int,
) -> None:
    worker = factories.worker(workspace, capacity={"chat": 9})
    filled = path.format(
        wq=f"TaskQueues/{queue.sid}", ww=f"Workflows/{workflow.sid}", wk=f"Workers/{worker.sid}"
    )

    def cost(act: Callable[[], Answer]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert act().status == 200
        return len(captured)

    accept(factories.offered(workspace), 0)
    factories.task(workspace, channel="video", workflow=workflow)
    assert cost(lambda: api.get(f"{root}/{filled}")) == queries
    for name in ("fax", "letter"):
        factories.channel(workspace, name)
        factories.queue(workspace)
        factories.worker(workspace)
        accept(factories.offered(workspace), 0)
        factories.task(workspace, channel=name)
    assert cost(lambda: api.get(f"{root}/{filled}")) == queries
