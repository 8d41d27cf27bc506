"""Queries of a workspace, by the published SDK."""

from __future__ import annotations

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError


def test_workers_are_listed_by_pages_and_filters(office: Office) -> None:
    for number in range(7):
        office.worker(f"Worker {number}", activity="Available" if number % 2 else "Offline")
    workspace = office.session(kind="workspace", pageSize=3)
    found = workspace.tell("fetchWorkers")
    assert sorted(each["name"] for each in found.values()) == [f"Worker {n}" for n in range(7)]
    away = workspace.tell("fetchWorkers", {"ActivityName": "Offline"})
    assert len(away) == 4
    named = workspace.tell("fetchWorkers", {"FriendlyName": "Worker 5"})
    assert [each["name"] for each in named.values()] == ["Worker 5"]
    chosen = {"TargetWorkersExpression": "worker.sid == '" + next(iter(named)) + "'"}
    assert list(workspace.tell("fetchWorkers", chosen)) == list(named)
    with pytest.raises(SdkError, match="status code 400"):
        workspace.tell("fetchWorkers", {"ActivitySid": "nonsense"})


def test_sorted_lists_are_paged_by_a_token(office: Office) -> None:
    made = [office.worker(f"Worker {number}").sid for number in range(7)]
    workspace = office.session(kind="workspace", pageSize=2)
    found = workspace.tell("fetchWorkers", {"Ordering": "DateStatusChanged:desc"})
    assert list(found) == made[::-1]
    found = workspace.tell("fetchWorkers", {"Ordering": "DateStatusChanged:asc", "MaxWorkers": 3})
    assert list(found)[:3] == made[:3]


def test_queues_and_tasks_are_fetched(office: Office) -> None:
    alice = office.worker()
    other = office.rest.task_queues.create(
        friendly_name="Nobody's", target_workers="1 == 2", task_order="LIFO"
    )
    workspace = office.session(kind="workspace", pageSize=1)
    assert set(workspace.tell("fetchTaskQueues")) == {office.queue.sid, other.sid}
    served = workspace.tell("fetchTaskQueues", {"WorkerSid": alice.sid})
    assert list(served) == [office.queue.sid]
    assert workspace.tell("fetchTaskQueue", other.sid)["taskOrder"] == "LIFO"
    task = office.task(attributes='{"subject": "refund"}')
    assert workspace.tell("fetchTask", task.sid)["attributes"] == {"subject": "refund"}
    assert workspace.tell("fetchWorker", alice.sid)["name"] == "Alice"


@pytest.mark.parametrize(
    ("method", "sid"),
    [("fetchWorker", "WK"), ("fetchTaskQueue", "WQ"), ("fetchTask", "WT")],
)
def test_a_missing_row_is_not_found(office: Office, method: str, sid: str) -> None:
    workspace = office.session(kind="workspace")
    with pytest.raises(SdkError, match="status code 404"):
        workspace.tell(method, sid + "0" * 32)
