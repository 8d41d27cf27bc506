"""Explain the router's choice to people: which workers may have a task, in which order, why not.

Every answer comes from the functions that the router and the grab use, so it cannot differ from
what they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from routing.core import eligibility
from routing.core.snapshot import Lane, Task, Worker
from routing.core.vocabulary import Refusal
from routing.core.workflow_position import time_of_day
from workflows.expressions import Expression, View, look_up_path
from workflows.expressions.nodes import FALSE, And, join, list_paths, split
from workflows.expressions.residual import reduce_expression
from workflows.expressions.unparser import operand_text, unparse


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A worker judged for a task: a rank, or the one reason why the router passes them over.

    `rank` is 1 for the worker who gets the first offer. `grab_refusal` is why the worker may not
    grab the task; None when they may.
    """

    worker: Worker
    refusal: Refusal | None
    rank: int | None = None
    grab_refusal: Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """All workers of a workspace, judged for a task.

    `inside` are the workers of its queue: the ranked ones in order, then the refused ones by id.
    """

    inside: tuple[Verdict, ...]
    outside: tuple[Verdict, ...]

    @property
    def eligible(self) -> int:
        """Return how many workers the router could offer the task to."""
        return sum(candidate.rank is not None for candidate in self.inside)

    @property
    def reasons(self) -> Mapping[Refusal, int]:
        """Return how many workers of the queue are refused for each reason, in fixed order."""
        counted = Counter(c.refusal for c in self.inside if c.refusal is not None)
        return {refusal: counted[refusal] for refusal in Refusal if refusal in counted}

    def of(self, worker_sid: str) -> Verdict | None:
        """Return the candidate of one worker, whether of the queue or not."""
        for candidate in (*self.inside, *self.outside):
            if candidate.worker.sid == worker_sid:
                return candidate
        return None


def judge_workers(
    task: Task,
    lane: Lane,
    workers: Iterable[Worker],
    *,
    multi_task: bool,
    offered: Collection[int] = (),
    grab: eligibility.GrabTerms | None,
    now: int,
) -> Verdicts:
    """Judge every worker for a task.

    Arguments:
        lane: where the task waits; for a task that no longer waits, its queue is enough.
        offered: ids of the workers with an open reservation of the task.
        grab: the terms for grabbing a pending task; None for any other.
    """
    clock, view = time_of_day(now), eligibility.waiting_view(task, now=now)
    ranked: list[tuple[eligibility.Candidate, Verdict]] = []
    refused: list[Verdict] = []
    outside: list[Verdict] = []
    for worker in workers:
        hand = eligibility.Candidate(worker)
        over = eligibility.status_refusal(task.status, offered=worker.id in offered)
        by_hand = over
        if by_hand is None and grab is not None:
            by_hand = eligibility.grab_refusal(hand, lane, **grab)
        candidate = Verdict(
            worker=worker,
            refusal=over
            or eligibility.router_refusal(
                hand, lane, multi_task=multi_task, clock=clock, task=view
            ),
            grab_refusal=by_hand,
        )
        if not belongs(hand, lane):
            outside.append(candidate)
        elif candidate.refusal is None:
            ranked.append((hand, candidate))
        else:
            refused.append(candidate)
    ranked.sort(key=lambda pair: eligibility.rank(pair[0], lane))
    refused.sort(key=lambda candidate: candidate.worker.id)
    first = [replace(c, rank=number) for number, (_, c) in enumerate(ranked, 1)]
    return Verdicts(inside=(*first, *refused), outside=tuple(outside))


def belongs(hand: eligibility.Candidate, lane: Lane) -> bool:
    """Return whether a worker serves the queue; without a queue, whether the task names them."""
    if lane.task_queue is None:
        return lane.known_worker_sid == hand.worker.sid
    return eligibility.membership_refusal(hand, lane.task_queue) is None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSide:
    """The value of a target's expression as far as the task's own attributes decide it.

    Arguments:
        unmet: the parts of the expression that the task makes false for every worker; "" if none.
        attributes: the task's attributes that these parts read, by name without the prefix.
        missing: attributes that the expression reads and the task does not have.
    """

    unmet: str
    attributes: Mapping[str, Any]
    missing: tuple[str, ...]


def judge_task(expression: Expression, task: View) -> TaskSide:
    """Evaluate the expression of a waiting task's target as far as the task decides it."""
    known = {"task": task}
    failing = [
        part for part in split(expression.node, And) if reduce_expression(part, known) == FALSE
    ]
    read = {
        path: look_up_path(task, path.segments)
        for path in list_paths(expression.node)
        if path.root == "task"
    }
    decisive = {path for part in failing for path in list_paths(part)}
    names = {path: operand_text(path).removeprefix("task.") for path in read}
    return TaskSide(
        unmet=unparse(join(And, failing)) if failing else "",
        attributes={names[path]: value for path, value in read.items() if path in decisive},
        missing=tuple(dict.fromkeys(names[path] for path, value in read.items() if value is None)),
    )
