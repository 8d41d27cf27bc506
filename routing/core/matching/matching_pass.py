"""Match waiting tasks to free workers: one pass over a snapshot, the best task first.

The pass is a generator without input or output of its own. It yields which tasks it needs next, and
is sent them. `routing.router.matching` answers from the database, tests answer from a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from routing.core.decisions import ReserveWorkers
from routing.core.matching.lane_matcher import LaneMatcher
from routing.core.matching.worker_set import WorkerSet
from routing.core.snapshot import Lane, Task, Workspace
from routing.core.vocabulary import QueueOrder
from routing.core.workflow_position import time_of_day

MOST_OFFERS: Final = 500
"""Most offers of one pass."""

MOST_TASKS: Final = 500
"""Most tasks to request at once, over all lanes, as long as every lane gets `FEWEST_TASKS`."""

FEWEST_TASKS: Final = 2
"""Fewest tasks to request of a lane."""

MANY_LANES: Final = 50
"""Number of open lanes from which a pass begins with the first waiting tasks of the workspace."""

MOST_READS: Final = 24
"""How often one pass requests more of a lane whose tasks no worker takes, although the next may."""


@dataclass(frozen=True, slots=True)
class NeedWorkspaceTasks:
    """Request for the first `size` waiting tasks of a workspace whose queues are all FIFO."""

    size: int


@dataclass(frozen=True, slots=True)
class NeedLaneTasks:
    """Request for the first `size` waiting tasks of each lane, in the lane's order of service.

    Arguments:
        after: leave out this task and all that are served before it.
    """

    lanes: Sequence[Lane]
    size: int
    after: Task | None


NeedTasks = NeedWorkspaceTasks | NeedLaneTasks
"""Request of a pass for waiting tasks; the answer is a sequence of them in the order of service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingResult:
    """What a pass decided.

    Arguments:
        decisions: the reservations to make, in the order of service.
        matchers: the lanes of the pass, by id, as the pass left them.
        waiting_lanes: ids of lanes with tasks that the pass has not considered.
        first: the order of the queues that are served first.
    """

    decisions: Sequence[ReserveWorkers]
    matchers: Mapping[int, LaneMatcher]
    waiting_lanes: Collection[int]
    first: QueueOrder

    @property
    def unfinished(self) -> bool:
        """Return whether another pass may find more than this one did."""
        return bool(self.decisions) and any(
            # A slot assigned in this pass may have turned a lane's condition true.
            matcher.may_open
            if matcher.closed or not matcher.select_eligible()
            else lane_id in self.waiting_lanes
            for lane_id, matcher in self.matchers.items()
        )

    def count_ahead(self, task: Task, lane: Lane) -> int:
        """Return how many of the decisions are about tasks that come before this one."""
        key = service_key(task, lane, first=self.first)
        served = ((each.task, self.matchers[each.task.lane_id].lane) for each in self.decisions)
        return sum(service_key(*each, first=self.first) < key for each in served)


def match_tasks(
    workspace: Workspace, *, now: int, limit: int = MOST_OFFERS
) -> Generator[NeedTasks, Sequence[Task], MatchingResult]:
    """Offer tasks to workers: the best task first, each to the longest idle eligible worker.

    A task that no worker may take never blocks the tasks behind it. The load that an offer adds to
    a worker is counted at once, so that expressions see current figures for every task.

    Arguments:
        workspace: its workers with free slots, and the lanes that they might serve.
        now: the moment of the pass, in microseconds.
        limit: the largest number of offers.

    Yields a request for the tasks that must be known before matching can continue, and is sent
    these tasks. Returns the result.
    """
    workers = WorkerSet(
        workspace.workers, multi_task=workspace.multi_task_enabled, clock=time_of_day(now)
    )
    state = _PassState(
        {
            lane.id: LaneMatcher(lane, workers, passed_over=workspace.passed_over, now=now)
            for lane in workspace.lanes.values()
            if workers.workers
        },
        first=workspace.prioritize_queue_order,
    )
    open_lanes = state.list_open_lanes()
    after = None
    if len(open_lanes) > MANY_LANES and all(lane.order == QueueOrder.FIFO for lane in open_lanes):
        # The workspace's first tasks are then loaded faster than the first tasks of every lane.
        wanted = min(limit, _most_offers(workspace))
        size = max(wanted * 3 // 2, MANY_LANES)
        tasks = yield NeedWorkspaceTasks(size)
        state.add_tasks(tasks)
        state.offer_tasks(limit=limit)
        if len(tasks) < size:
            return state.build_result()
        if len(state.decisions) > wanted // 2:
            return state.build_result(waiting=workspace.lanes)
        after = tasks[-1]
        open_lanes = state.list_open_lanes()
    if not open_lanes:
        return state.build_result()
    size = max(MOST_TASKS // len(open_lanes), FEWEST_TASKS)
    tasks = yield NeedLaneTasks(open_lanes, size, after)
    # Lanes with more tasks than are loaded: as many came as were requested.
    deep = {lane_id for lane_id, count in state.add_tasks(tasks).items() if count == size}
    reads = Counter[int]()
    while (short := state.offer_tasks(limit=limit, deep=deep)) is not None:
        lane_id = short.lane.id
        reads[lane_id] += 1
        if reads[lane_id] <= MOST_READS:
            # Double the size each time: few tasks are wasted, and a deep lane needs few requests.
            size = min(FEWEST_TASKS << reads[lane_id], MOST_TASKS)
            tasks = yield NeedLaneTasks((short.lane,), size, state.last_task(lane_id))
            if state.add_tasks(tasks).get(lane_id) != size:
                deep.remove(lane_id)
    return state.build_result(waiting=deep)


def service_key(task: Task, lane: Lane, *, first: QueueOrder) -> tuple[int, ...]:
    """Return a task's sort key among all waiting tasks: smallest first (behaviour.md §8.1)."""
    order = lane.order
    kind = 0 if order == first else 1
    if order == QueueOrder.LIFO:
        return (kind, -task.virtual_start_us, -task.id)
    return (kind, -task.priority, task.virtual_start_us, task.id)


def _most_offers(workspace: Workspace) -> int:
    """Return an upper bound of the offers that the workers of a snapshot have slots for."""
    if any(lane.ignore_capacity for lane in workspace.lanes.values()):
        return MOST_OFFERS
    if not workspace.multi_task_enabled:
        return len(workspace.workers)
    channels = (channel for worker in workspace.workers for channel in worker.channels.values())
    return sum(max(channel.configured_capacity - channel.consumed, 0) for channel in channels)


class _PassState:
    """The decisions of a pass so far, and its loaded tasks in the order of service.

    Tasks are added in each lane's order of service.
    """

    def __init__(self, matchers: Mapping[int, LaneMatcher], *, first: QueueOrder) -> None:
        self.decisions: list[ReserveWorkers] = []
        self._matchers = matchers
        self._first = first
        self._last: dict[int, Task] = {}
        """The last loaded task of each lane, by its id."""
        self._queue: list[tuple[tuple[int, ...], Task]] = []
        """The loaded tasks that are left, with their keys; the next one is at the end."""

    def list_open_lanes(self) -> list[Lane]:
        """Return the lanes that an eligible worker can serve now."""
        return [
            matcher.lane
            for matcher in self._matchers.values()
            if not matcher.closed and matcher.select_eligible()
        ]

    def add_tasks(self, tasks: Iterable[Task]) -> dict[int, int]:
        """Add tasks to match; return how many came for each lane, by its id."""
        matchers, last, first, queue = self._matchers, self._last, self._first, self._queue
        counts: dict[int, int] = {}
        for task in tasks:
            lane_id = task.lane_id
            counts[lane_id] = counts.get(lane_id, 0) + 1
            matcher = matchers.get(lane_id)
            if matcher is not None:
                last[lane_id] = task
                if not matcher.closed:
                    queue.append((service_key(task, matcher.lane, first=first), task))
        # Sorting what is sorted already but for the new tasks takes little more than a merge.
        queue.sort(key=itemgetter(0), reverse=True)
        return counts

    def last_task(self, lane_id: int) -> Task:
        """Return the last loaded task of a lane."""
        return self._last[lane_id]

    def offer_tasks(self, *, limit: int, deep: Collection[int] = ()) -> LaneMatcher | None:
        """Offer loaded tasks in the order of service.

        Arguments:
            deep: ids of lanes with more tasks than are loaded.

        Returns the lane of `deep` whose loaded tasks have run out, although the next may come
        before the loaded tasks of other lanes. None means that the limit is reached, or that no
        loaded task is left that a worker could take.
        """
        queue, decisions, matchers = self._queue, self.decisions, self._matchers
        while queue and len(decisions) < limit:
            task = queue.pop()[1]
            lane_id = task.lane_id
            matcher = matchers[lane_id]
            if matcher.closed:
                continue
            chosen = matcher.choose_workers(task)
            if chosen:
                decisions.append(ReserveWorkers(task, chosen, matcher.lane.ignore_capacity))
            elif matcher.closed:
                continue
            if lane_id in deep and task is self._last[lane_id]:
                return matcher
        return None

    def build_result(self, *, waiting: Iterable[int] = ()) -> MatchingResult:
        """Return the result of the pass with the decisions so far.

        Arguments:
            waiting: ids of lanes that may have tasks that are not loaded.
        """
        return MatchingResult(
            decisions=self.decisions,
            matchers=self._matchers,
            waiting_lanes={*waiting, *(task.lane_id for _, task in self._queue)},
            first=self._first,
        )
