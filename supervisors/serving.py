"""Which queues workers serve, for all workers of a floor at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing import models
from routing.core import eligibility, snapshot
from routing.core.matching import conditions
from routing.core.matching.worker_set import WorkerSet, list_places
from routing.snapshots import lanes
from workflows.expressions import NOTHING


class Serving:
    """Which queues of a setup workers serve, decided by the functions of the router."""

    def __init__(self, queues: Iterable[models.TaskQueue]) -> None:
        self._by_expression: dict[str, tuple[snapshot.TaskQueue, list[int]]] = {}
        for row in queues:
            queue = lanes.build_queue(row)
            text = row.target_workers.strip()
            self._by_expression.setdefault(text, (queue, []))[1].append(queue.id)
        self.by_load = any(
            conditions.reads_load(queue.target_workers) for queue, _ in self._by_expression.values()
        )

    def find_queues(self, workers: Sequence[snapshot.Worker]) -> dict[int, frozenset[int]]:
        """Return the ids of the queues that each of these workers serves, by the worker's id.

        Each comparison is evaluated once for each value that workers have, not for each worker.
        """
        # Multitasking and the time of day decide nothing about who serves a queue.
        worker_set = WorkerSet(workers, multi_task=True, clock=NOTHING)
        found: dict[int, list[int]] = {worker.id: [] for worker in worker_set.workers}
        served = list(found.values())
        for queue, pks in self._by_expression.values():
            for place in list_places(worker_set.select_serving(queue)):
                served[place] += pks
        # Workers who serve the same queues share one value.
        values: dict[tuple[int, ...], frozenset[int]] = {}
        known = {pk: values.setdefault(tuple(pks), frozenset(pks)) for pk, pks in found.items()}
        return known | {each.id: self._ask(each) for each in workers if not each.readable}

    def _ask(self, worker: snapshot.Worker) -> frozenset[int]:
        """Return the ids of the queues that a worker serves whose attributes cannot be read."""
        candidate = eligibility.Candidate(worker)
        return frozenset(
            pk
            for queue, pks in self._by_expression.values()
            if eligibility.membership_refusal(candidate, queue) is None
            for pk in pks
        )
