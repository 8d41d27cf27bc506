"""The engine in memory: expressions, and one pass against the naive nested loop (bar 1, P9)."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections import Counter
from collections.abc import Generator, Sequence
from typing import Any

import pytest
import rule_engine

from config import interpreter
from routing.core import eligibility, snapshot
from routing.core.matching.matching_pass import (
    MatchingResult,
    NeedTasks,
    NeedWorkspaceTasks,
    match_tasks,
    service_key,
)
from routing.core.vocabulary import QueueOrder
from routing.core.workflow_position import time_of_day
from tests.benchmarks.conftest import Table, median_ms
from workflows.expressions import View
from workflows.expressions import compile_expression as expression

pytestmark = pytest.mark.bench

NOW = 1_772_452_800_000_000
LANGUAGES = ["en", "de", "fr", "es", "it"]


def test_expressions_compared_with_hand_written_python(table: Table) -> None:
    asked = expression(
        'worker.languages HAS "de" AND worker.level >= 2'
        " AND worker.channel.chat.available_capacity_percentage > 25",
        subject="target",
    ).function
    dice = random.Random(1)
    views = [
        View(
            {"languages": dice.sample(LANGUAGES, 2), "level": dice.randrange(5)},
            {"channel": {"chat": {"available_capacity_percentage": dice.randrange(101)}}},
        )
        for _ in range(20_000)
    ]

    def by_hand(worker: View) -> bool:
        own = worker.attributes
        return (
            "de" in own["languages"]
            and own["level"] >= 2
            and worker.builtins["channel"]["chat"]["available_capacity_percentage"] > 25
        )

    rule = rule_engine.Rule(
        '"de" in worker["languages"] and worker["level"] >= 2'
        ' and worker["channel"]["chat"]["available_capacity_percentage"] > 25'
    )
    plain = [{"worker": {**view.attributes, **view.builtins}} for view in views[:500]]
    answers = [by_hand(view) for view in views]
    assert [asked(view, None, None, None) for view in views] == answers
    rounds = [
        (
            median_ms(lambda: [asked(v, None, None, None) for v in views], rounds=3),
            median_ms(lambda: [by_hand(v) for v in views], rounds=3),
        )
        for _ in range(5)
    ]
    ours, hand = (statistics.median(column) for column in zip(*rounds, strict=True))
    figure = f"{len(views) / ours / 1000:.2f} M/s"
    table.add(
        "1  cached expression, beside hand-written Python (bar: 0.6x)",
        figure,
        f"{hand / ours:.2f}x",
        hand / ours >= 0.6,
    )
    assert [rule.matches(each) for each in plain] == answers[: len(plain)]
    theirs = median_ms(lambda: [rule.matches(each) for each in plain], rounds=5)
    ratio = theirs * len(views) / len(plain) / ours
    table.add(
        "1  cached expression, beside rule-engine (bar: 150x)",
        f"{len(plain) / theirs:.1f} k/s",
        f"{ratio:.0f}x",
        ratio >= 150,
    )


def conditions(count: int) -> list[str]:
    """Return so many different conditions, up to a thousand, made of two dozen comparisons."""
    return [
        f'worker.languages HAS "{LANGUAGES[number % 5]}" AND worker.level >= {number // 5 % 5}'
        f" AND worker.channel.chat.available_capacity_percentage > {number // 25 % 4 * 25}"
        f" AND (worker.region == {number // 100} OR worker.region == {(number + 3) // 10 % 10})"
        for number in range(count)
    ]


def floor(
    tasks: int, workers: int, lanes: int
) -> tuple[snapshot.Workspace, dict[int, list[snapshot.Task]]]:
    """Return a workspace of this size, half of its workers free, and the tasks of its lanes."""
    dice = random.Random(7)
    queue = snapshot.TaskQueue(id=1, sid="WQ", target_workers=expression("1==1", subject="worker"))
    people = [
        snapshot.Worker(
            id=number,
            sid=f"WK{number}",
            friendly_name=f"w{number}",
            activity_sid="WA",
            activity_name="Available",
            available=dice.random() < 0.5,
            attributes={
                "languages": dice.sample(LANGUAGES, 2),
                "level": dice.randrange(5),
                "region": dice.randrange(10),
            },
            channels={
                1: snapshot.WorkerChannel(
                    task_channel_id=1, unique_name="chat", configured_capacity=4
                )
            },
            last_reserved_us=number,
        )
        for number in range(1, workers + 1)
    ]
    all_lanes = {
        number: snapshot.Lane(
            id=number,
            task_queue=queue,
            task_channel_id=1,
            expression=expression(asked, subject="target"),
        )
        for number, asked in enumerate(conditions(lanes))
    }
    heads: dict[int, list[snapshot.Task]] = {number: [] for number in all_lanes}
    for number in range(tasks):
        lane = dice.randrange(lanes)
        heads[lane].append(
            snapshot.Task(
                id=number,
                sid=f"WT{number}",
                lane_id=lane,
                version=0,
                priority=0,
                virtual_start_us=number,
                created_us=number,
            )
        )
    return snapshot.Workspace(id=1, sid="WS", workers=people, lanes=all_lanes), heads


def naive(seen: snapshot.Workspace, heads: dict[int, list[snapshot.Task]]) -> list[tuple[int, int]]:
    """Ask every worker about every task."""
    clock = time_of_day(NOW)
    hands = [eligibility.Candidate(worker) for worker in seen.workers]
    first = QueueOrder.FIFO
    tasks = [(task, seen.lanes[lane]) for lane, some in heads.items() for task in some]
    tasks.sort(key=lambda pair: service_key(pair[0], pair[1], first=first))
    made: list[tuple[int, int]] = []
    for task, lane in tasks:
        required = eligibility.TaskRequirements(lane=lane, multi_task=True, clock=clock)
        fit: list[Any] = [
            hand for hand in hands if eligibility.router_refusal(hand, required) is None
        ]
        if fit:
            best = min(fit, key=lambda hand: eligibility.rank_key(hand, lane))
            made.append((task.id, best.worker.id))
            best.assign(lane.task_channel_id, at=NOW + len(made))
    return made


@pytest.mark.parametrize("lanes", [10, 100, 1000])
def test_a_matching_pass_compared_with_the_naive_loop(table: Table, lanes: int) -> None:
    seen, heads = floor(1000, 1000, lanes)
    waiting = sorted((task for some in heads.values() for task in some), key=lambda t: t.id)

    def whole() -> list[tuple[int, int]]:
        matching = match_tasks(seen, now=NOW, limit=len(waiting))
        result = finish(matching, next(matching), heads, waiting)
        return [(d.task.id, d.workers[0][0].id) for d in result.decisions]

    assert whole() == naive(seen, heads)
    # As in a runner: garbage collection is rare there, and leaves out what was there at its start.
    interpreter.shorten_switch_interval()
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    naive(seen, heads)
    slow = (time.process_time() - begun) * 1000
    alone = statistics.median(served(seen, heads, waiting) for _ in range(15))
    built = median_ms(whole)
    for what, taken in (("match, state loaded", alone), ("with loading the state", built)):
        table.add(
            f"P9  1k tasks, 1k workers, {lanes} lanes: {what}, beside naive (bar: 400x)",
            f"{taken:.1f} ms",
            f"{slow / taken:.0f}x",
            slow / taken >= 400 if taken is alone else None,
        )


Matching = Generator[NeedTasks, Sequence[snapshot.Task], MatchingResult]


def finish(
    matching: Matching,
    request: NeedTasks,
    heads: dict[int, list[snapshot.Task]],
    waiting: list[snapshot.Task],
) -> MatchingResult:
    """Answer a pass from memory, beginning with its first request, until its result."""
    sent = Counter[int]()
    try:
        while True:
            if isinstance(request, NeedWorkspaceTasks):
                answer = waiting[: request.size]
            else:
                answer = []
                for lane in request.lanes:
                    begin = sent[lane.id]
                    answer += heads[lane.id][begin : begin + request.size]
                    sent[lane.id] += request.size
            request = matching.send(answer)
    except StopIteration as finished:
        result: MatchingResult = finished.value
        return result


def served(
    seen: snapshot.Workspace,
    heads: dict[int, list[snapshot.Task]],
    waiting: list[snapshot.Task],
) -> float:
    """Return the CPU milliseconds of matching alone, the workers and lanes being sets already."""
    matching = match_tasks(seen, now=NOW, limit=len(waiting))
    request = next(matching)
    begun = time.process_time()
    finish(matching, request, heads, waiting)
    return (time.process_time() - begun) * 1000
