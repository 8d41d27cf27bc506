"""A queue that no worker serves: what its own expression asks for, and who lacks only one thing."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cachetools import TTLCache

from routing.core import snapshot
from routing.core.attribute_edits import Edit, EditKind, EditRefused, apply_edits
from routing.core.eligibility import Candidate, TaskRequirements, expression_refusal
from supervisors.demands import Demands, load_candidates
from supervisors.lacking import Lack, find_only_lack
from supervisors.picture import Picture, Queue, Worker, free_channels
from workflows.expressions import NOTHING, ExpressionError, compile_node, compile_once
from workflows.expressions.nodes import And, Node, split

MOST_WORKERS: Final = 1_000
"""Workers whose attributes are compared with a queue's expression, those with free slots first."""
SECONDS: Final = 2.0
"""Shortest time between two comparisons for one queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition of a queue's expression.

    Arguments:
        having: the number of workers who meet it.
        lack: what gives it to those who lack only this; None if one attribute does not.
        lacking: the workers who lack only this.
        free: those of them who would then be asked for a task that waits.
    """

    node: Node
    having: int
    lack: Lack | None
    lacking: Sequence[Worker]
    free: Sequence[Worker]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """What keeps all workers out of a queue; `checked` is the number that was compared."""

    node: Node
    checked: int
    terms: Sequence[Term]


_lock: Final = threading.Lock()
_found: Final[TTLCache[tuple[int, int], Unserved | None]] = TTLCache(maxsize=200, ttl=SECONDS)


def find_unserved(
    queue: Queue, picture: Picture, demands: Demands, channels: Collection[int]
) -> Unserved | None:
    """Return what keeps all workers out of a queue; computed once every `SECONDS`.

    None if workers serve it, or if its expression can be met by none or not be read.

    Arguments:
        channels: those on which tasks wait.
    """
    if any(queue.id in worker.serves for worker in picture.workers.values()):
        return None
    key = (queue.id, id(picture.setup))
    with _lock:
        if key in _found:
            return _found[key]
    found = _compute(queue, picture, demands, set(channels))
    with _lock:
        _found[key] = found
    return found


def forget_unserved() -> None:
    """Forget what was computed."""
    with _lock:
        _found.clear()


def _compute(
    queue: Queue, picture: Picture, demands: Demands, channels: set[int]
) -> Unserved | None:
    try:
        expression = compile_once(queue.target_workers, subject="worker")
    except ExpressionError:
        return None
    if expression.is_constant is not None or not picture.workers:
        return None
    nodes = split(expression.node, And)
    known = sorted(
        picture.workers.values(),
        key=lambda each: (not _is_free(each, channels, picture), not each.available, each.id),
    )
    loaded = load_candidates([worker.id for worker in known[:MOST_WORKERS]])
    candidates = {each.id: Candidate(each) for each in loaded if each.readable}
    having = dict.fromkeys(nodes, 0)
    lacking: dict[Node, list[Worker]] = defaultdict(list)
    for worker in known[:MOST_WORKERS]:
        if worker.id not in candidates:
            continue
        view = candidates[worker.id].view()
        false = []
        for node in nodes:
            if compile_node(node).matches(worker=view, taskrouter=demands.clock):
                having[node] += 1
            else:
                false.append(node)
        if len(false) == 1:
            lacking[false[0]].append(worker)
    return Unserved(
        node=expression.node,
        checked=len(candidates),
        terms=[
            _describe(node, having[node], lacking[node], candidates, demands, channels, picture)
            for node in nodes
        ],
    )


def _describe(
    node: Node,
    having: int,
    lacking: Sequence[Worker],
    candidates: dict[int, Candidate],
    demands: Demands,
    channels: set[int],
    picture: Picture,
) -> Term:
    lack = None
    free: list[Worker] = []
    if lacking:
        view = candidates[lacking[0].id].view()
        lack = find_only_lack(node, view, NOTHING, demands.clock)
    if lack is not None:
        free = [
            worker
            for worker in lacking
            if _is_free(worker, channels, picture)
            and _would_be_asked(candidates[worker.id].worker, lack, worker, demands, picture)
        ]
    return Term(node=node, having=having, lack=lack, lacking=lacking, free=free)


def _is_free(worker: Worker, channels: Iterable[int], picture: Picture) -> bool:
    return not free_channels(worker, multi_task=picture.setup.multi_task).isdisjoint(channels)


def _would_be_asked(
    given: snapshot.Worker, lack: Lack, worker: Worker, demands: Demands, picture: Picture
) -> bool:
    """Return whether a free worker who gets what they lack meets what a waiting task asks for."""
    edit = Edit(kind=EditKind(lack.kind), path=lack.path, value=lack.value)
    try:
        changed = replace(given, attributes=apply_edits(given.attributes, [edit]))
    except EditRefused:
        return False
    candidate = Candidate(changed)
    open_on = free_channels(worker, multi_task=picture.setup.multi_task)
    return any(
        each.channel in open_on
        and expression_refusal(
            candidate,
            TaskRequirements(
                lane=each.lane,
                multi_task=picture.setup.multi_task,
                clock=demands.clock,
                task=each.task,
            ),
        )
        is None
        for each in demands.demands
    )
