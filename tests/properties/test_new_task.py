"""The worker chosen for a new task at its creation is the one that a pass would choose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from hypothesis import event, given, settings
from hypothesis import strategies as st

from routing.core.matching import new_task
from routing.core.snapshot import Lane, Task, TaskQueue, Worker, WorkerChannel, Workspace
from routing.core.vocabulary import QueueOrder
from tests.worlds.matching import match_list
from workflows.expressions import compile_expression, compile_ordering

NOW: Final = 1_000
CHANNELS: Final = {1: "chat", 2: "voice"}
EXPRESSIONS: Final = [
    None,
    "worker.level > 1",
    "worker.level > 2 OR worker.skills HAS 'es'",
    "worker.channel.chat.available_capacity_percentage > 40",
    "worker.channel.chat.busy_capacity_percentage > 40",
    "worker.channel.voice.available_capacity_percentage == 100",
    "task.age > 0",
]

moments = st.integers(-1, 6)
"""Few, so that many are equal."""
channels = st.builds(
    WorkerChannel,
    task_channel_id=st.just(0),
    unique_name=st.just(""),
    configured_capacity=st.integers(0, 3),
    available=st.sampled_from([True, True, True, False]),
    reserved_for_manual=st.integers(0, 1),
    consumed=st.integers(0, 2),
    last_reserved_us=moments,
)


@st.composite
def workers(draw: st.DrawFn) -> list[Worker]:
    """Return some workers with the slots of one or two channels."""
    return [
        Worker(
            id=number,
            sid=f"WK{number}",
            friendly_name=f"Worker {number}",
            activity_sid="WA",
            activity_name="Here",
            available=draw(st.sampled_from([True, True, True, False])),
            attributes={
                "level": draw(st.integers(1, 3)),
                "skills": draw(st.lists(st.sampled_from(["de", "es"]), unique=True)),
            },
            channels={
                key: replace(draw(channels), task_channel_id=key, unique_name=name)
                for key, name in CHANNELS.items()
                if draw(st.sampled_from([True, True, True, False]))
            },
            last_reserved_us=draw(moments),
        )
        for number in range(1, draw(st.integers(1, 6)) + 1)
    ]


queues = st.builds(
    TaskQueue,
    id=st.just(0),
    sid=st.just("WQ"),
    target_workers=st.sampled_from(
        [compile_expression(each, subject="worker") for each in ("1==1", "level < 3")]
    ),
    task_order=st.sampled_from(QueueOrder),
    max_reserved_workers=st.sampled_from([1, 1, 1, 2]),
)


@st.composite
def lanes(draw: st.DrawFn) -> dict[int, Lane]:
    """Return some lanes, a queue for each."""
    optimized = {key: draw(st.booleans()) for key in CHANNELS}
    found = {}
    for number in range(1, draw(st.integers(1, 4)) + 1):
        source = draw(st.sampled_from(EXPRESSIONS))
        channel = draw(st.sampled_from([*CHANNELS]))
        to_one = draw(st.integers(0, 9)) == 0
        found[number] = Lane(
            id=number,
            task_queue=None if to_one else replace(draw(queues), id=number),
            task_channel_id=channel,
            optimized=optimized[channel],
            expression=None if source is None else compile_expression(source, subject="residual"),
            order_by=draw(st.sampled_from([None] * 5 + [compile_ordering("worker.level DESC")])),
            known_worker_sid="WK1" if to_one else None,
            ignore_capacity=to_one and draw(st.booleans()),
        )
    return found


def task(number: int, lane_id: int, **given: Any) -> Task:
    return Task(id=number, sid=f"WT{number}", lane_id=lane_id, version=0, **given)


@st.composite
def tasks(draw: st.DrawFn, lane_ids: list[int], most: int) -> list[Task]:
    """Return some tasks, the last of which is new."""
    count = draw(st.integers(0, most)) + 1
    return [
        task(
            number,
            draw(st.sampled_from(lane_ids)),
            priority=draw(st.integers(0, 2)),
            virtual_start_us=draw(st.integers(0, NOW)),
            created_us=NOW if number == count else draw(st.integers(0, NOW)),
        )
        for number in range(1, count + 1)
    ]


@settings(max_examples=200, deadline=None)
@given(st.data(), workers(), lanes(), st.sampled_from(QueueOrder), st.sampled_from([0, 4]))
def test_a_pass_chooses_the_same_worker(
    data: st.DataObject, floor: list[Worker], of: dict[int, Lane], first: QueueOrder, most: int
) -> None:
    waiting = data.draw(tasks([*of], most))
    new = waiting[-1]
    chosen = choose(new, of, floor, waiting[:-1])
    result = match_list(
        Workspace(
            id=1,
            sid="WS",
            multi_task_enabled=True,
            prioritize_queue_order=first,
            workers=floor,
            lanes=of,
        ),
        waiting,
        now=NOW,
    )
    offered = [
        [worker.id for worker, _ in each.workers] for each in result.decisions if each.task is new
    ]
    event("at creation" if chosen else "by the router" if offered else "by none")
    if chosen is not None:
        assert offered == [[chosen.id]]


def choose(
    new: Task, of: dict[int, Lane], floor: list[Worker], waiting: list[Task]
) -> Worker | None:
    """Return who is chosen at the creation, or None."""
    lane = of[new.lane_id]
    if not new_task.can_choose(lane):
        return None
    chosen = new_task.choose_worker(new, lane, floor, now=NOW)
    others = [of[number] for number in {each.lane_id for each in waiting}]
    if chosen is None or new_task.may_take_another(chosen, others, now=NOW):
        return None
    return chosen
