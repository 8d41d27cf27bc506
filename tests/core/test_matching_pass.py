"""A pass requests tasks as it needs them, and is driven here from a list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.core import snapshot
from routing.core.matching import matching_pass
from routing.core.matching.matching_pass import NeedLaneTasks, NeedTasks, NeedWorkspaceTasks
from routing.core.vocabulary import QueueOrder
from tests.worlds.matching import match_list
from workflows.expressions import compile_expression as expression

CHAT = 1
NOW = 1_772_452_800_000_000
QUEUE = snapshot.TaskQueue(id=1, sid="WQ1", target_workers=expression("1==1", subject="worker"))
NEWEST_FIRST = replace(QUEUE, id=2, sid="WQ2", task_order=QueueOrder.LIFO)


def workspace(*lanes: snapshot.Lane, slots: int = 1) -> snapshot.Workspace:
    """Return a workspace with one worker, who has so many slots on a channel."""
    chat = snapshot.WorkerChannel(
        task_channel_id=CHAT, unique_name="chat", configured_capacity=slots
    )
    worker = snapshot.Worker(
        id=1,
        sid="WK1",
        friendly_name="Alice",
        activity_sid="WA",
        activity_name="Here",
        available=True,
        attributes={"language": "en"},
        channels={CHAT: chat},
    )
    return snapshot.Workspace(
        id=1,
        sid="WS",
        workers=[worker],
        lanes={lane.id: lane for lane in lanes},
    )


def lane(number: int = 1, condition: str = "", queue: snapshot.TaskQueue = QUEUE) -> snapshot.Lane:
    return snapshot.Lane(
        id=number,
        task_queue=queue,
        task_channel_id=CHAT,
        expression=expression(condition, subject="target") if condition else None,
    )


def tasks(count: int, *, lane: int = 1, first: int = 1, priority: int = 0) -> list[snapshot.Task]:
    """Return so many tasks of a lane, with ids in the order of their start."""
    return [
        snapshot.Task(
            id=number,
            sid=f"WT{number}",
            lane_id=lane,
            version=0,
            priority=priority,
            virtual_start_us=number,
            created_us=number,
        )
        for number in range(first, first + count)
    ]


def offered(result: matching_pass.MatchingResult) -> list[int]:
    return [decision.task.id for decision in result.decisions]


def test_without_a_lane_that_a_worker_can_serve_nothing_is_requested() -> None:
    requests: list[NeedTasks] = []
    closed = workspace(lane(condition='worker.language == "de"'))
    assert offered(match_list(closed, tasks(3), now=NOW, requests=requests)) == []
    assert requests == []


def test_only_lanes_that_a_worker_can_serve_are_requested() -> None:
    requests: list[NeedTasks] = []
    seen = workspace(lane(1, 'worker.language == "de"'), lane(2, 'worker.language == "en"'))
    waiting = [*tasks(3, lane=1), *tasks(3, lane=2, first=4)]
    assert offered(match_list(seen, waiting, now=NOW, requests=requests)) == [4]
    (request,) = requests
    assert isinstance(request, NeedLaneTasks)
    assert [lane.id for lane in request.lanes] == [2]


def test_a_lane_that_runs_out_is_read_on_in_growing_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_pass, "MOST_TASKS", 2)
    requests: list[NeedTasks] = []
    waiting = tasks(9)
    result = match_list(workspace(lane(), slots=9), waiting, now=NOW, requests=requests)
    assert offered(result) == [*range(1, 10)]
    assert [(r.size, r.after) for r in requests if isinstance(r, NeedLaneTasks)] == [
        *((2, None), (2, waiting[1]), (2, waiting[3]), (2, waiting[5]), (2, waiting[7]))
    ]
    monkeypatch.setattr(matching_pass, "MOST_TASKS", 6)
    requests.clear()
    seen = workspace(lane(1), lane(2), lane(3), slots=99)
    waiting = [*tasks(30), *tasks(1, lane=2, first=50), *tasks(1, lane=3, first=51)]
    assert len(offered(match_list(seen, waiting, now=NOW, requests=requests))) == 32
    assert [request.size for request in requests] == [2, 4, 6, 6, 6, 6, 6]


def test_a_lane_without_more_tasks_needs_no_other_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_pass, "MOST_TASKS", 2)
    assert not match_list(workspace(lane(), slots=9), tasks(4), now=NOW).unfinished


def test_a_pass_that_reaches_its_limit_leaves_work_for_another() -> None:
    seen = workspace(lane(), slots=9)
    result = match_list(seen, tasks(5), now=NOW, limit=3)
    assert (offered(result), result.unfinished) == ([1, 2, 3], True)
    assert not match_list(seen, tasks(3), now=NOW, limit=4).unfinished


def test_a_lane_is_read_only_so_often_if_no_worker_takes_its_tasks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Conditions on the age are evaluated for each task, so any of them might be taken."""
    monkeypatch.setattr(matching_pass, "MOST_TASKS", 2)
    requests: list[NeedTasks] = []
    aged = lane(1, "task.age > 1000000000000")
    waiting = [*tasks(99), *tasks(1, lane=2, first=100)]
    result = match_list(workspace(aged, lane(2)), waiting, now=NOW, requests=requests)
    assert offered(result) == [100]
    assert len(requests) == 1 + matching_pass.MOST_READS


def test_many_lanes_are_matched_by_the_first_tasks_of_the_workspace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching_pass, "MANY_LANES", 2)
    lanes = [lane(number) for number in (1, 2, 3)]
    waiting = [task for number in (1, 2, 3) for task in tasks(3, lane=number, first=number * 10)]
    requests: list[NeedTasks] = []
    result = match_list(workspace(*lanes, slots=2), waiting, now=NOW, requests=requests)
    assert (offered(result), requests) == ([10, 11], [NeedWorkspaceTasks(3)])
    assert not result.unfinished  # the worker has no slot left


def test_open_lanes_are_requested_after_the_first_tasks_of_the_workspace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No worker takes the first tasks, so those behind them are requested lane by lane."""
    monkeypatch.setattr(matching_pass, "MANY_LANES", 2)
    aged = lane(1, "task.age > 1000000000000")
    waiting = [*tasks(5), *tasks(2, lane=2, first=20), *tasks(2, lane=3, first=30)]
    requests: list[NeedTasks] = []
    seen = workspace(aged, lane(2), lane(3), slots=2)
    assert offered(match_list(seen, waiting, now=NOW, requests=requests)) == [20, 21]
    first, then = requests
    assert first == NeedWorkspaceTasks(3)
    assert isinstance(then, NeedLaneTasks)
    assert then.after == waiting[2]


def test_lanes_are_requested_one_by_one_if_some_are_served_newest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching_pass, "MANY_LANES", 1)
    seen = workspace(lane(1), lane(2, queue=NEWEST_FIRST), slots=9)
    waiting = [*tasks(2), *tasks(3, lane=2, first=10)]
    requests: list[NeedTasks] = []
    result = match_list(seen, waiting, now=NOW, requests=requests)
    assert offered(result) == [1, 2, 12, 11, 10]
    assert [type(request) for request in requests] == [NeedLaneTasks]


def test_the_decisions_ahead_of_a_task_are_counted_in_the_order_of_service() -> None:
    waiting = [*tasks(2), *tasks(1, first=9, priority=5)]
    result = match_list(workspace(lane(), slots=2), waiting, now=NOW)
    assert offered(result) == [9, 1]
    assert [result.count_ahead(task, lane()) for task in waiting] == [1, 2, 0]
