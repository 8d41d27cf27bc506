"""Let a task that does not exist take part in a matching pass.

The snapshot and the answers to the pass's requests come from the database, without the task. A
supposition adds it to both, as if it had been created last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from routing.core.decisions import ReserveWorkers
from routing.core.matching.matching_pass import (
    MatchingResult,
    NeedLaneTasks,
    NeedTasks,
    NeedWorkspaceTasks,
    service_key,
)
from routing.core.snapshot import Lane, Task, Worker, Workspace


@dataclass(frozen=True, slots=True)
class SupposedOffer:
    """An offer that an earlier pass decided, and that is not in the database."""

    task_id: int
    worker_id: int
    task_channel_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """A task that waits in a lane, beside the tasks in the database.

    Arguments:
        task: its id is larger than that of any other task.
        lane: the lane in the database, or one whose id no lane has.
        workers: the workers who might take it.
        offers: the offers of earlier passes, which took the same snapshot.
    """

    task: Task
    lane: Lane
    workers: Sequence[Worker]
    offers: tuple[SupposedOffer, ...] = ()

    def add_to_snapshot(self, seen: Workspace, *, now: int) -> Workspace:
        """Return a snapshot with the lane, its workers and the slots of earlier offers."""
        workers = {worker.id: worker for worker in (*seen.workers, *self.workers)}
        slots = Counter((offer.worker_id, offer.task_channel_id) for offer in self.offers)
        for (worker_id, channel_id), count in slots.items():
            if worker_id in workers:
                workers[worker_id] = _add_slots(workers[worker_id], channel_id, count, now=now)
        return replace(
            seen, workers=[*workers.values()], lanes={**seen.lanes, self.lane.id: self.lane}
        )

    def count_missing(self) -> int:
        """Return how many more tasks to load, as so many may already be on offer."""
        return len({offer.task_id for offer in self.offers})

    def complete_answer(self, request: NeedTasks, loaded: Sequence[Task]) -> Sequence[Task]:
        """Return the answer to a request of a pass, with the task in its place.

        Arguments:
            loaded: the first tasks in the order of service, `count_missing` more than requested.
        """
        gone = {offer.task_id for offer in self.offers}
        left = [task for task in loaded if task.id not in gone]
        match request:
            case NeedWorkspaceTasks():
                return self._insert_task(left)[: request.size]
            case NeedLaneTasks():
                by_lane: dict[int, list[Task]] = {lane.id: [] for lane in request.lanes}
                for task in left:
                    by_lane[task.lane_id].append(task)
                if self.lane.id in by_lane and self._comes_after(request.after):
                    by_lane[self.lane.id] = self._insert_task(by_lane[self.lane.id])
                return [task for tasks in by_lane.values() for task in tasks[: request.size]]

    def list_offers(self, result: MatchingResult) -> tuple[SupposedOffer, ...]:
        """Return the offers of earlier passes and of this one."""
        return (
            *self.offers,
            *(
                SupposedOffer(
                    decision.task.id,
                    worker.id,
                    result.matchers[decision.task.lane_id].lane.task_channel_id,
                )
                for decision in result.decisions
                for worker, _ in decision.workers
            ),
        )

    def find_decision(self, result: MatchingResult) -> ReserveWorkers | None:
        """Return what a pass decided about the task, if anything."""
        for decision in result.decisions:
            if decision.task is self.task:
                return decision
        return None

    def _insert_task(self, tasks: Sequence[Task]) -> list[Task]:
        return sorted([*tasks, self.task], key=self._key)

    def _comes_after(self, other: Task | None) -> bool:
        return other is None or self._key(self.task) > self._key(other)

    def _key(self, task: Task) -> tuple[int, ...]:
        # Compared are tasks of one lane, or of queues that are all served in the same order.
        return service_key(task, self.lane, first=self.lane.order)


def _add_slots(worker: Worker, channel_id: int, count: int, *, now: int) -> Worker:
    channels = dict(worker.channels)
    if (channel := channels.get(channel_id)) is not None:
        channels[channel_id] = replace(
            channel, consumed=channel.consumed + count, last_reserved_us=now
        )
    return replace(worker, channels=channels, last_reserved_us=now)
