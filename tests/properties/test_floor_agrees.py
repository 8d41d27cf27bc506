"""The bitset evaluation of all workers agrees with the function for one worker."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from routing.core import eligibility, snapshot
from routing.core.matching.lane_matcher import LaneMatcher
from routing.core.matching.matching_pass import service_key
from routing.core.matching.worker_set import WorkerSet
from routing.core.vocabulary import AssignmentStatus
from routing.core.workflow_position import time_of_day
from tests.worlds.matching import match_list
from workflows.expressions import Expression, compile_ordering
from workflows.expressions import compile_expression as expression

NOW = 1_772_452_800_000_000
CHAT, VOICE = 1, 2

_conditions = st.sampled_from(
    [
        None,
        'worker.language == "en"',
        "worker.level > 2",
        'worker.level > 2 AND worker.language == "en"',
        'worker.language == "de" OR worker.level == 0',
        "worker.channel.voice.available_capacity_percentage == 100",
        "worker.channel.chat.available_capacity_percentage > 25 AND worker.level >= 1",
        "worker.channel.chat.available_capacity_percentage < 75",
        "taskrouter.currentHour >= 6 AND worker.level < 3",
    ]
)


def _compiled(source: str | None) -> Expression | None:
    return None if source is None else expression(source, subject="target")


_queues = st.builds(
    snapshot.TaskQueue,
    id=st.integers(1, 3),
    sid=st.just("WQ"),
    target_workers=st.sampled_from(
        [None, expression("1==1", subject="worker"), expression("level > 0", subject="worker")]
    ),
    max_reserved_workers=st.integers(1, 2),
)


@st.composite
def _channels(draw: st.DrawFn) -> dict[int, snapshot.WorkerChannel]:
    found = {}
    for number, name in ((CHAT, "chat"), (VOICE, "voice")):
        capacity = draw(st.integers(0, 4))
        found[number] = snapshot.WorkerChannel(
            task_channel_id=number,
            unique_name=name,
            configured_capacity=capacity,
            available=draw(st.booleans()),
            reserved_for_manual=draw(st.integers(0, 1)),
            consumed=draw(st.integers(0, capacity)),
        )
    return found


@st.composite
def _floors(draw: st.DrawFn) -> tuple[snapshot.Workspace, list[snapshot.Task]]:
    workers = [
        snapshot.Worker(
            id=number,
            sid=f"WK{number}",
            friendly_name=f"Worker {number}",
            activity_sid="WA",
            activity_name="Available",
            available=draw(st.booleans()),
            attributes={
                "level": draw(st.integers(0, 4)),
                "language": draw(st.sampled_from(["en", "de"])),
            },
            channels=draw(_channels()),
            last_reserved_us=draw(st.integers(-1, 5)),
        )
        for number in range(1, draw(st.integers(1, 6)) + 1)
    ]
    # One queue per id: values of a queue are cached by it.
    queues = {queue.id: queue for queue in draw(st.lists(_queues, min_size=1, max_size=3))}
    lanes = {
        number: snapshot.Lane(
            id=number,
            task_queue=draw(st.sampled_from([*queues.values()])),
            task_channel_id=draw(st.sampled_from([CHAT, VOICE])),
            optimized=draw(st.booleans()),
            expression=_compiled(draw(_conditions)),
            order_by=draw(st.sampled_from([None, compile_ordering("worker.level DESC")])),
            known_worker_sid=draw(st.sampled_from([None, None, "WK1", ""])),
        )
        for number in range(1, draw(st.integers(1, 4)) + 1)
    }
    tasks = [
        _task(number * 10 + place, number)
        for number in lanes
        for place in range(draw(st.integers(0, 4)))
    ]
    workspace = snapshot.Workspace(
        id=1,
        sid="WS",
        multi_task_enabled=draw(st.booleans()),
        workers=workers,
        lanes=lanes,
    )
    return workspace, tasks


def _task(number: int, lane: int) -> snapshot.Task:
    return snapshot.Task(
        id=number,
        sid=f"WT{number}",
        lane_id=lane,
        version=0,
        priority=number % 3,
        virtual_start_us=number,
        created_us=number,
        status=AssignmentStatus.PENDING,
    )


@given(_floors())
def test_the_bitsets_admit_exactly_the_workers_without_a_refusal(
    drawn: tuple[snapshot.Workspace, list[snapshot.Task]],
) -> None:
    seen, _ = drawn
    clock = time_of_day(NOW)
    floor = WorkerSet(seen.workers, multi_task=seen.multi_task_enabled, clock=clock)
    for lane in seen.lanes.values():
        required = eligibility.TaskRequirements(
            lane=lane, multi_task=seen.multi_task_enabled, clock=clock
        )
        admitted = LaneMatcher(lane, floor, now=NOW).select_eligible()
        for place, worker in enumerate(floor.workers):
            hand = eligibility.Candidate(worker)
            why = eligibility.router_refusal(hand, required)
            assert bool(admitted >> place & 1) == (why is None)


@given(_floors())
def test_a_pass_is_the_naive_loop_made_fast(
    drawn: tuple[snapshot.Workspace, list[snapshot.Task]],
) -> None:
    """Each task in service order, each worker evaluated again: the same offers."""
    seen, tasks = drawn
    matching = match_list(seen, tasks, now=NOW)
    made = [(d.task.id, [w.id for w, _ in d.workers]) for d in matching.decisions]
    assert made == _naive(seen, tasks)


def _naive(seen: snapshot.Workspace, tasks: list[snapshot.Task]) -> list[tuple[int, list[int]]]:
    clock = time_of_day(NOW)
    hands = [eligibility.Candidate(worker) for worker in seen.workers]
    order: Any = seen.prioritize_queue_order
    queue: dict[int, list[snapshot.Task]] = {lane: [] for lane in seen.lanes}
    for task in sorted(tasks, key=lambda t: service_key(t, seen.lanes[t.lane_id], first=order)):
        queue[task.lane_id].append(task)
    closed: set[int] = set()
    stamps = itertools.count(1)
    made = []
    for _ in range(len(tasks)):
        open_lanes = [lane for lane, some in queue.items() if some and lane not in closed]
        if not open_lanes:
            break
        number = min(
            open_lanes,
            key=lambda lane: (service_key(queue[lane][0], seen.lanes[lane], first=order), lane),
        )
        task, lane = queue[number].pop(0), seen.lanes[number]
        required = eligibility.TaskRequirements(
            lane=lane, multi_task=seen.multi_task_enabled, clock=clock
        )
        fit = [hand for hand in hands if eligibility.router_refusal(hand, required) is None]
        assert lane.task_queue is not None
        fit.sort(key=lambda hand: eligibility.rank_key(hand, lane))
        chosen = fit[: lane.task_queue.max_reserved_workers]
        if not chosen:
            closed.add(number)
            continue
        made.append((task.id, [hand.worker.id for hand in chosen]))
        for hand in chosen:
            hand.assign(lane.task_channel_id, at=NOW + next(stamps))
    return made
