"""Invariants of the tables, which the state machine checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, replace
from datetime import datetime
from itertools import pairwise
from typing import Final

from routing import diagnosis, models
from routing.actions.support import lanes as action_lanes
from routing.core import eligibility, lifecycle, snapshot, workflow_position
from routing.core.clock import SECOND, microseconds
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus, QueueOrder, ReservationStatus
from routing.snapshots import due_work, lanes, rejections, workers
from workflows.expressions import View

RESERVATION_EVENTS: Final = {
    EventType.RESERVATION_CREATED: ReservationStatus.PENDING,
    EventType.RESERVATION_ACCEPTED: ReservationStatus.ACCEPTED,
    EventType.RESERVATION_WRAPUP: ReservationStatus.WRAPPING,
    EventType.RESERVATION_COMPLETED: ReservationStatus.COMPLETED,
    EventType.RESERVATION_REJECTED: ReservationStatus.REJECTED,
    EventType.RESERVATION_TIMEOUT: ReservationStatus.TIMEOUT,
    EventType.RESERVATION_CANCELED: ReservationStatus.CANCELED,
    EventType.RESERVATION_RESCINDED: ReservationStatus.RESCINDED,
}
LATE: Final = {
    "reservation.timeout",
    "worker.activity.update",
    "task.transfer-attempt-failed",
    "task.transfer-failed",
    "task.updated",
}
"""The status after an answer that came too late."""

OVER: Final = lifecycle.FINAL_TASK | (
    frozenset(lifecycle.RESERVATION_TRANSITIONS) - lifecycle.OPEN_RESERVATION
)
"""The statuses of tasks and reservations that nothing follows."""

TASK_EVENTS: Final = {
    EventType.TASK_WRAPUP: AssignmentStatus.WRAPPING,
    EventType.TASK_COMPLETED: AssignmentStatus.COMPLETED,
    EventType.TASK_CANCELED: AssignmentStatus.CANCELED,
}


class Histories:
    """What the events of a workspace say, compared with what its rows say."""

    def __init__(self, workspace: models.Workspace) -> None:
        self._reservations: dict[str, list[ReservationStatus]] = defaultdict(list)
        self._tasks: dict[str, Counter[str]] = defaultdict(Counter)
        self._held: dict[str, dict[str, ReservationStatus]] = defaultdict(dict)
        self._offered: Counter[str] = Counter()
        told = models.Event.objects.filter(workspace_sid=workspace.sid).order_by("pk")
        for event_type, sid, data in told.values_list("event_type", "resource_sid", "event_data"):
            if event_type in RESERVATION_EVENTS:
                self._hear(sid, data["task_sid"], RESERVATION_EVENTS[EventType(event_type)])
            elif sid.startswith("WT"):
                self._tasks[sid][event_type] += 1

    def _hear(self, sid: str, task: str, status: ReservationStatus) -> None:
        self._reservations[sid].append(status)
        waited = lifecycle.derive_task_status(self._held[task].values()) == AssignmentStatus.PENDING
        self._held[task][sid] = status
        self._offered[task] += waited and status == ReservationStatus.PENDING

    def check_reservations(self, reservations: Iterable[models.Reservation]) -> None:
        """Every change of a reservation's status has exactly one event, in a legal order."""
        for sid, told in self._reservations.items():
            assert told[0] == ReservationStatus.PENDING, (sid, told)
            for before, after in pairwise(told):
                lifecycle.check_transition(before, after)
        for row in reservations:
            told = self._reservations[row.sid]
            assert told[-1] == row.reservation_status, (row.sid, told, row.reservation_status)
            assert len(told) == row.version + 1, (row.sid, told, row.version)

    def check_tasks(self, tasks: Iterable[models.Task]) -> None:
        """Every change of a task's status has exactly one event; a deleted task's are over."""
        rows = {row.sid: row for row in tasks}
        for sid, told in self._tasks.items():
            assert told[EventType.TASK_CREATED] == 1, (sid, told)
            deleted = told[EventType.TASK_DELETED] + told[EventType.TASK_SYSTEM_DELETED]
            assert deleted == (sid not in rows), (sid, told)
            open_ = lifecycle.OPEN_RESERVATION & set(self._held[sid].values())
            assert not (deleted and open_), (sid, self._held[sid])
        for sid, row in rows.items():
            told = self._tasks[sid]
            for event_type, status in TASK_EVENTS.items():
                if status == AssignmentStatus.WRAPPING and told[EventType.TASK_TAKEN_BACK]:
                    # It may have been wrapped up once by each worker it was taken back from.
                    assert told[event_type] <= told[EventType.TASK_TAKEN_BACK] + 1, (sid, told)
                    continue
                wrapped = status == AssignmentStatus.WRAPPING and told[event_type] == 1
                completed = row.assignment_status == AssignmentStatus.COMPLETED
                expected = row.assignment_status == status or (wrapped and completed)
                assert told[event_type] == expected, (sid, told, row.assignment_status)
            assert row.assignments == self._offered[sid], (sid, self._held[sid])


def check_diagnosis() -> None:
    """Counters, statuses, lanes and books agree, in a database that nothing writes to now."""
    assert list(diagnosis.find_problems()) == []


def check_rows(tasks: Iterable[models.Task], reservations: Iterable[models.Reservation]) -> None:
    """One open offer per pair, one owner per task.

    Beside the owner at most one worker still has a task: the one who transfers it.
    """
    open_: Counter[tuple[int, int | None]] = Counter()
    owners: Counter[int] = Counter()
    givers: Counter[int] = Counter()
    for row in reservations:
        status = ReservationStatus(row.reservation_status)
        open_[row.task_id, row.worker_id] += status in lifecycle.OPEN_RESERVATION
        has_it = status in (ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING)
        owners[row.task_id] += has_it and row.outgoing_id is None
        givers[row.task_id] += has_it and row.outgoing_id is not None
    assert max(open_.values(), default=0) <= 1
    assert max(owners.values(), default=0) <= 1
    assert max(givers.values(), default=0) <= 1
    for task in tasks:
        assert (task.date_finished is not None) == (task.assignment_status in lifecycle.FINAL_TASK)


def check_sweep(workspace: models.Workspace, now: datetime) -> None:
    """The sweep lists a workspace exactly if a cycle in it would find due work."""
    due = due_work.load_due_work(workspace, now=now)
    listed = workspace.sid in due_work.list_due_workspaces(now=now)
    assert listed == any(astuple(due)), (due, listed)


class Pass:
    """One run of the router: what waited before it, and what it has done."""

    def __init__(self, workspace: models.Workspace) -> None:
        self.workspace = workspace
        self._waited = {task.pk: task for task in self._pending()}
        newest = models.Reservation.objects.order_by("-pk").first()
        self._newest = 0 if newest is None else newest.pk

    def _pending(self) -> list[models.Task]:
        pending = self.workspace.tasks.filter(assignment_status=AssignmentStatus.PENDING.value)
        return list(
            pending.select_related(
                *("workspace", "task_channel", "task_queue", "workflow"),
                *("lane__task_queue", "lane__task_channel"),
            )
        )

    def read(self, *, now: datetime) -> None:
        """Read what there is after the run, which was at this moment."""
        self.workspace.refresh_from_db()
        self._now = now
        self._clock = workflow_position.time_of_day(microseconds(now))
        everyone = workers.load_workers(models.Worker.objects.filter(workspace=self.workspace))
        self._workers = {worker.id: worker for worker in everyone}
        self._made = list(
            models.Reservation.objects.filter(workspace=self.workspace, pk__gt=self._newest)
            .select_related("task__lane__task_queue", "task__lane__task_channel", "worker_channel")
            .order_by("pk")
        )

    def check(self) -> None:
        """Check all laws of a run."""
        still = self._pending()
        self._nothing_is_overdue()
        for task in still:
            assert action_lanes.find_or_create_lane(task, now=self._now) == task.lane, task.sid
        self.check_room(kept=True)
        self._no_worker_could_have_more(still)
        self._no_task_was_passed_over(
            task for task in still if self._untouched(task, self._waited.get(task.pk))
        )

    def _untouched(self, task: models.Task, before: models.Task | None) -> bool:
        return before is not None and before.version == task.version

    def _nothing_is_overdue(self) -> None:
        assert due_work.load_overdue_offers(self.workspace, now=self._now) == []
        assert due_work.load_overdue_tasks(self.workspace, now=self._now) == []
        assert due_work.load_skippable_tasks(self.workspace, now=self._now) == []

    def check_room(self, *, kept: bool) -> None:
        """Every worker with a new offer was available, and had a slot for it.

        Nothing frees a slot in a run after its first offer, so what is in use afterwards tells
        what was in use at each offer.

        Arguments:
            kept: whether the slots kept for grabbing are out of bounds.
        """
        forced = {r.worker_id for r in self._made if r.task.ignore_capacity}
        for reservation in self._made:
            worker = self._workers[reservation.current_worker.pk]
            if worker.id in forced:
                continue
            assert reservation.worker_channel is not None
            channel = worker.channels[reservation.worker_channel.task_channel_id]
            assert worker.available, reservation.sid
            if not self.workspace.multi_task_enabled:
                assert sum(c.consumed for c in worker.channels.values()) == 1, reservation.sid
                continue
            assert channel.available, reservation.sid
            room = channel.configured_capacity - (channel.reserved_for_manual if kept else 0)
            assert channel.consumed <= room, (reservation.sid, channel)

    def _no_worker_could_have_more(self, waiting: Iterable[models.Task]) -> None:
        for task in waiting:
            for worker in self._workers.values():
                assert self._refusal(worker, task) is not None, (task.sid, worker.friendly_name)

    def _refusal(self, worker: snapshot.Worker, task: models.Task) -> object:
        assert task.lane is not None
        lane = lanes.build_lane(task.lane)
        paused = rejections.load_rejections(task, lane, self._workers.values(), now=self._now)
        age = (microseconds(self._now) - microseconds(task.date_created)) // SECOND
        return eligibility.router_refusal(
            eligibility.Candidate(worker),
            eligibility.TaskRequirements(
                lane=lane,
                rejections=paused,
                multi_task=self.workspace.multi_task_enabled,
                clock=self._clock,
                task=View({}, {"age": age}),
            ),
        )

    def _no_task_was_passed_over(self, untouched: Iterable[models.Task]) -> None:
        """No worker got a task while an earlier one in the order waited for them.

        Only of workers with a single new offer is the state before it known. Transfers to a queue
        come first.
        """
        offers = Counter(r.worker_id for r in self._made)
        single = [r for r in self._made if offers[r.worker_id] == 1 and r.incoming_id is None]
        for task in untouched:
            for reservation in single:
                if self._place(task) < self._place(reservation.task):
                    worker = self._without(reservation)
                    assert self._refusal(worker, task) is not None, (task.sid, reservation.sid)

    def _place(self, task: models.Task) -> tuple[int, ...]:
        """Return a task's place in the order of service, computed from the rules."""
        assert task.lane is not None
        queue = task.lane.task_queue
        order = QueueOrder.FIFO if queue is None else queue.task_order
        kind = 0 if order == self.workspace.prioritize_queue_order else 1
        if order == QueueOrder.LIFO:
            return (kind, -task.virtual_start_us, -task.pk)
        return (kind, -task.priority, task.virtual_start_us, task.pk)

    def _without(self, reservation: models.Reservation) -> snapshot.Worker:
        """Return a worker as they were before they were offered this."""
        worker = self._workers[reservation.current_worker.pk]
        assert reservation.worker_channel is not None
        channels: Mapping[int, snapshot.WorkerChannel] = worker.channels
        number = reservation.worker_channel.task_channel_id
        channel = channels[number]
        before = replace(channel, consumed=channel.consumed - 1)
        return replace(worker, channels={**channels, number: before})
