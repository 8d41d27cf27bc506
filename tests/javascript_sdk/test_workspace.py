"""Queries of a workspace, by the published SDK."""

from __future__ import annotations

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError


def test_workers_are_listed_by_pages_and_filters(office: Office) -> None:
    for number in range(7):
        office.worker(f"Worker {number}", activity="Available" if number % 2 else "Offline")
    workspace = office.open_session(kind="workspace", pageSize=3)
    found = workspace.call("fetchWorkers")
    assert sorted(each["name"] for each in found.values()) == [f"Worker {n}" for n in range(7)]
    away = workspace.call("fetchWorkers", {"ActivityName": "Offline"})
    assert len(away) == 4
    named = workspace.call("fetchWorkers", {"FriendlyName": "Worker 5"})
    assert [each["name"] for each in named.values()] == ["Worker 5"]
    chosen = {"TargetWorkersExpression": "worker.sid == '" + next(iter(named)) + "'"}
    assert list(workspace.call("fetchWorkers", chosen)) == list(named)
    with pytest.raises(SdkError, match="status code 400"):
        workspace.call("fetchWorkers", {"ActivitySid": "nonsense"})


def test_sorted_lists_are_paged_by_a_token(office: Office) -> None:
    made = [office.worker(f"Worker {number}").sid for number in range(7)]
    workspace = office.open_session(kind="workspace", pageSize=2)
    found = workspace.call("fetchWorkers", {"Ordering": "DateStatusChanged:desc"})
    assert list(found) == made[::-1]
    found = workspace.call("fetchWorkers", {"Ordering": "DateStatusChanged:asc", "MaxWorkers": 3})
    assert list(found)[:3] == made[:3]


def test_queues_and_tasks_are_fetched(office: Office) -> None:
    alice = office.worker()
    other = office.rest.task_queues.create(
        friendly_name="Nobody's", target_workers="1 == 2", task_order="LIFO"
    )
    workspace = office.open_session(kind="workspace", pageSize=1)
    assert set(workspace.call("fetchTaskQueues")) == {office.queue.sid, other.sid}
    served = workspace.call("fetchTaskQueues", {"WorkerSid": alice.sid})
    assert list(served) == [office.queue.sid]
    assert workspace.call("fetchTaskQueue", other.sid)["taskOrder"] == "LIFO"
    task = office.task(attributes='{"subject": "refund"}')
    assert workspace.call("fetchTask", task.sid)["attributes"] == {"subject": "refund"}
    assert workspace.call("fetchWorker", alice.sid)["name"] == "Alice"


@pytest.mark.parametrize(
    ("method", "sid"),
    [("fetchWorker", "WK"), ("fetchTaskQueue", "WQ"), ("fetchTask", "WT")],
)
def test_a_missing_row_is_not_found(office: Office, method: str, sid: str) -> None:
    workspace = office.open_session(kind="workspace")
    with pytest.raises(SdkError, match="status code 404"):
        workspace.call(method, sid + "0" * 32)
