"""Explain the router's choice to people: which workers may have a task, in which order, why not.

Every answer comes from the functions that the router and the grab use, so it cannot differ from
what they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from routing.core import eligibility
from routing.core.snapshot import Lane, Rejection, Worker
from routing.core.vocabulary import Refusal
from workflows.expressions import Expression, View, look_up_path
from workflows.expressions.nodes import FALSE, And, join, list_paths, split
from workflows.expressions.residual import reduce_expression
from workflows.expressions.unparser import operand_text, unparse


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A worker judged for a task: a rank, or the one reason why the router passes them over.

    `rank` is 1 for the worker who gets the first offer. `grab_refusal` is why the worker may not
    grab the task; None when they may. `rejection` is the worker's, if they are passed over for it.
    """

    worker: Worker
    refusal: Refusal | None
    rank: int | None = None
    grab_refusal: Refusal | None
    rejection: Rejection | None = None


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
        return sum(verdict.rank is not None for verdict in self.inside)

    @property
    def reasons(self) -> Mapping[Refusal, int]:
        """Return how many workers of the queue are refused for each reason, in fixed order."""
        counted = Counter(v.refusal for v in self.inside if v.refusal is not None)
        return {refusal: counted[refusal] for refusal in Refusal if refusal in counted}

    def find_verdict(self, worker_sid: str) -> Verdict | None:
        """Return the verdict on one worker, whether of the queue or not."""
        for verdict in (*self.inside, *self.outside):
            if verdict.worker.sid == worker_sid:
                return verdict
        return None


def judge_workers(task: eligibility.TaskRequirements, workers: Iterable[Worker]) -> Verdicts:
    """Judge every worker for a task."""
    ranked: list[tuple[eligibility.Candidate, Verdict]] = []
    refused: list[Verdict] = []
    outside: list[Verdict] = []
    for worker in workers:
        candidate = eligibility.Candidate(worker)
        refusal = eligibility.router_refusal(candidate, task)
        verdict = Verdict(
            worker=worker,
            refusal=refusal,
            grab_refusal=eligibility.grab_refusal(candidate, task),
            rejection=task.rejections[worker.id] if refusal == Refusal.RECENTLY_REJECTED else None,
        )
        if not _is_of_queue(candidate, task.lane):
            outside.append(verdict)
        elif verdict.refusal is None:
            ranked.append((candidate, verdict))
        else:
            refused.append(verdict)
    ranked.sort(key=lambda pair: eligibility.rank_key(pair[0], task.lane))
    refused.sort(key=lambda verdict: verdict.worker.id)
    first = [replace(verdict, rank=number) for number, (_, verdict) in enumerate(ranked, 1)]
    return Verdicts(inside=(*first, *refused), outside=tuple(outside))


def _is_of_queue(candidate: eligibility.Candidate, lane: Lane) -> bool:
    """Return whether a worker serves the queue; without a queue, whether the task names them."""
    if lane.task_queue is None:
        return lane.known_worker_sid == candidate.worker.sid
    return eligibility.membership_refusal(candidate, lane.task_queue) is None


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
