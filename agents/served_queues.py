"""The queues that a worker serves, without looking at all queues of the workspace each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from agents import waiting_tasks
from routing import models
from routing.core import eligibility
from routing.core.matching import conditions
from routing.core.snapshot import READABLE
from routing.db.compiled import CompiledQuery
from routing.snapshots import lanes, workers
from workflows.caches import SizedCache


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedQueues:
    """The queues that a worker serves, by name, and whether their load can change that."""

    queues: Sequence[models.TaskQueue]
    by_load: bool


_possible: Final[SizedCache[tuple[Sequence[int], object]]] = SizedCache(4_000_000)
"""The ids of the queues that a worker serves, or may serve after an offer.

Its key has all that decides that: the version of the workspace's queues, and what expressions read
of the worker. The attributes stand for themselves, so the value keeps them alive.
"""


def load_candidate(worker: models.Worker) -> tuple[eligibility.Candidate, Sequence[int]]:
    """Load a worker as the router does, and the ids of the queues that they may serve.

    What is cached is only which queues are looked at; each of them is loaded and asked again.
    """
    for pk, version, workload_version, queues_version in _VERSIONS(worker.pk):
        for found in workers.load_known([(pk, version, workload_version)]):
            candidate = eligibility.Candidate(found)
            return candidate, _find_possible(candidate, worker.workspace_id, queues_version)
    raise models.Worker.DoesNotExist(f"there is no worker with the id {worker.pk}")


def load_served_queues(worker: models.Worker) -> ServedQueues:
    """Return the queues that a worker serves now."""
    candidate, possible = load_candidate(worker)
    return select_served(waiting_tasks.list_queues(possible), candidate)


def select_served(
    queues: Iterable[models.TaskQueue], candidate: eligibility.Candidate
) -> ServedQueues:
    """Return those of some queues that a worker serves."""
    loaded = [(row, lanes.build_queue(row)) for row in queues]
    return ServedQueues(
        queues=[
            row for row, queue in loaded if eligibility.membership_refusal(candidate, queue) is None
        ],
        by_load=any(conditions.reads_load(queue.target_workers) for _, queue in loaded),
    )


def _find_possible(
    candidate: eligibility.Candidate, workspace_id: int, version: int
) -> Sequence[int]:
    worker = candidate.worker

    def read() -> tuple[tuple[Sequence[int], object], int]:
        found = [
            row.pk
            for row in waiting_tasks.list_all_queues(workspace_id)
            for queue in (lanes.build_queue(row),)
            if conditions.reads_load(queue.target_workers)
            or eligibility.membership_refusal(candidate, queue) is None
        ]
        return (found, worker.attributes), 8 * len(found)

    if connection.in_atomic_block:
        # It may be rolled back, with the version.
        return read()[0][0]
    fields: tuple[Any, ...] = tuple(getattr(worker, name) for name in READABLE)
    return _possible.get((worker.id, version, id(worker.attributes), *fields), read)[0]


_VERSIONS: Final = CompiledQuery(
    lambda pk: models.Worker.objects.filter(pk=pk).values_list(
        "pk", "version", "workload_version", "workspace__queues_version"
    )
)
