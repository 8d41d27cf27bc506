"""Scenarios in memory: plain values, changed only by functions of the core."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import replace
from typing import Any

from routing.core import eligibility, lifecycle, overdue, snapshot, workflow_position
from routing.core.clock import SECOND
from routing.core.decisions import CancelTask, EnterTarget, KeepWaiting, ReserveWorkers
from routing.core.matching import rejections
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, QueueOrder
from routing.core.vocabulary import ReservationStatus as R
from tests.worlds.core_tasks import CHANNELS, Task
from tests.worlds.core_workers import new_worker
from tests.worlds.matching import match_list
from tests.worlds.world import World
from workflows import configuration as configurations
from workflows import expressions


class CoreWorld(World):
    """A world in memory; it keeps values and the clock, and every rule is the core's."""

    def __init__(self) -> None:
        super().__init__()
        self._ids = itertools.count(1)
        self._queues: dict[str, snapshot.TaskQueue] = {}
        self._workers: dict[str, snapshot.Worker] = {}
        self._tasks: dict[str, Task] = {}
        self._offered: list[tuple[str, str]] = []
        self._multitasking = True
        self._first = QueueOrder.FIFO
        self._pause = 0
        self._rejections: dict[str, list[snapshot.Rejection]] = defaultdict(list)

    # --- what there is ---

    def queue(self, name: str, **given: Any) -> str:
        number = next(self._ids)
        source = given.pop("target_workers", "1==1")
        for key, kind in (("task_order", QueueOrder), ("grab_policy", GrabPolicy)):
            if key in given:
                given[key] = kind(given[key])
        sid = f"WQ{number:032x}"
        self._queues[sid] = snapshot.TaskQueue(
            id=number,
            sid=sid,
            target_workers=expressions.compile_expression(source, subject="worker")
            if source
            else None,
            **given,
        )
        return sid

    def configure(self, document: str, *, reservation_timeout: int = 120) -> None:
        self._configuration = configurations.parse_configuration(document, queue_sids=self._queues)
        self._timeout = reservation_timeout

    def worker(
        self,
        name: str,
        *,
        capacity: dict[str, int] | None = None,
        available: bool = True,
        **attributes: Any,
    ) -> None:
        self._workers[name] = new_worker(
            next(self._ids), name, capacity or {}, available=available, attributes=attributes
        )

    def task(
        self,
        name: str,
        *,
        channel: str = "chat",
        priority: int = 0,
        started: float = 0,
        **attributes: Any,
    ) -> None:
        task = Task(
            id=next(self._ids),
            name=name,
            attributes=attributes,
            channel=channel,
            priority=priority,
            created_us=self.now_us,
            virtual_start_us=self.now_us - int(started * SECOND),
            expires_us=self.now_us + 86_400 * SECOND,
            step=workflow_position.Step(
                filter_index=0, target_index=0, clock_us=0, deadline_us=None, skip_unasked=False
            ),
        )
        self._place(task)
        self._tasks[name] = task

    def _place(self, task: Task) -> None:
        step = workflow_position.find_first_step(
            self._configuration, task.view(self.now_us), base=self.now_us, now=self.now_us
        )
        assert step is not None, "no filter matches, and there is no default filter"
        self._enter(task, step)

    # --- what the router does ---

    def run(self) -> None:
        for _ in range(100):
            self._expire()
            matching = match_list(
                self._snapshot(), [task.head() for task in self._pending()], now=self.now_us
            )
            for decision in matching.decisions:
                self._reserve(decision)
            moved = [self._skip(task) for task in self._unasked()]
            if not (matching.unfinished or any(moved)):
                return

    def _expire(self) -> None:
        for worker, name in list(self._offered):
            task = self._tasks[name]
            if task.reservations.get(worker) == R.PENDING and task.deadline_us <= self.now_us:
                self._move(worker, task, R.TIMEOUT)
                self.sign(worker, available=False)
        for task in self._tasks.values():
            waiting = task.status == AssignmentStatus.PENDING
            deadline = task.step.deadline_us
            due = waiting and deadline is not None and deadline <= self.now_us
            if due or (
                task.status in (AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
                and task.expires_us <= self.now_us
            ):
                (decision,) = overdue.decide_overdue_tasks(
                    [task.waiting(self._configuration, self.now_us)], now=self.now_us
                )
                self._apply(task, decision)

    def _skip(self, task: Task) -> bool:
        queue, counts = self._queues[task.queue or ""], {"available": 0, "unavailable": 0}
        for worker in self._workers.values():
            if eligibility.membership_refusal(eligibility.Candidate(worker), queue) is None:
                counts["available" if worker.available else "unavailable"] += 1
        decision = overdue.decide_skip(
            task.waiting(self._configuration, self.now_us), workers=counts, now=self.now_us
        )
        return self._apply(task, decision)

    def _unasked(self) -> list[Task]:
        return [
            task
            for task in self._tasks.values()
            if task.status == AssignmentStatus.PENDING and task.step.skip_unasked
        ]

    def _apply(self, task: Task, decision: object) -> bool:
        """Apply a decision about one task; return whether it moved elsewhere."""
        if isinstance(decision, EnterTarget):
            self._enter(task, decision.step)
            return True
        if isinstance(decision, CancelTask):
            self.cancel(task.name)
        elif isinstance(decision, KeepWaiting):
            task.step = replace(task.step, skip_unasked=False)
        return False

    def _enter(self, task: Task, step: workflow_position.Step) -> None:
        target = workflow_position.find_target(self._configuration, step)
        task.step, task.queue = step, target.queue
        task.version += 1
        if target.priority is not None:
            task.priority = target.priority

    def _reserve(self, decision: ReserveWorkers) -> None:
        task = next(t for t in self._tasks.values() if t.id == decision.task.id)
        task.deadline_us = self.now_us + self._timeout * SECOND
        for worker, _ in decision.workers:
            self._move(worker.friendly_name, task, R.PENDING)
            self._offered.append((worker.friendly_name, task.name))

    # --- what people do ---

    def status(self, task: str) -> str:
        return str(self._tasks[task].status)

    def offers(self, worker: str) -> list[str]:
        return [
            name
            for who, name in dict.fromkeys(self._offered)
            if who == worker and self._tasks[name].reservations.get(worker) == R.PENDING
        ]

    def queue_of(self, task: str) -> str | None:
        return self._tasks[task].queue

    def answer(self, worker: str, task: str, answer: str) -> None:
        row = self._tasks[task]
        lifecycle.check_transition(row.reservations[worker], R(answer))
        self._move(worker, row, R(answer))
        if answer == "accepted":
            for other, status in list(row.reservations.items()):
                if status == R.PENDING:
                    self._move(other, row, R.RESCINDED)
        if answer == "rejected" and self._pause:
            self._rejections[task].append(
                snapshot.Rejection(
                    worker_id=self._workers[worker].id,
                    rejected_us=self.now_us,
                    until_us=self.now_us + self._pause * SECOND,
                )
            )
        if answer == "completed":
            row.over = AssignmentStatus.COMPLETED

    def update(self, task: str, **attributes: Any) -> None:
        row = self._tasks[task]
        row.attributes = attributes
        if row.status == AssignmentStatus.PENDING:
            self._place(row)

    def delete(self, task: str) -> None:
        row = self._tasks.pop(task)
        for worker, status in list(row.reservations.items()):
            if status in lifecycle.OPEN_RESERVATION:
                self._move(worker, row, R.CANCELED)
        self._offered = [pair for pair in self._offered if pair[1] != task]

    def cancel(self, task: str) -> None:
        row = self._tasks[task]
        lifecycle.check_transition(row.status, AssignmentStatus.CANCELED)
        row.over = AssignmentStatus.CANCELED
        for worker, status in list(row.reservations.items()):
            if status in lifecycle.OPEN_RESERVATION:
                self._move(worker, row, R.CANCELED)

    def grab(self, worker: str, task: str) -> str | None:
        row = self._tasks[task]
        older = [
            t
            for t in self._tasks.values()
            if t.queue == row.queue and t.status == AssignmentStatus.PENDING and t.id < row.id
        ]
        refusal = eligibility.grab_refusal(
            eligibility.Candidate(self._workers[worker]),
            eligibility.TaskRequirements(
                lane=row.lane(self._queues, self._configuration, self.now_us),
                multi_task=self._multitasking,
                clock=workflow_position.time_of_day(self.now_us),
                status=row.status,
                reserved_for={
                    self._workers[name].id
                    for name, status in row.reservations.items()
                    if status in lifecycle.OPEN_RESERVATION
                },
                grab=eligibility.GrabTerms(
                    rank=len(older), waited=(self.now_us - row.created_us) // SECOND
                ),
            ),
        )
        if refusal is None:
            self._move(worker, row, R.PENDING)
            self._move(worker, row, R.ACCEPTED)
        return refusal and str(refusal)

    def set_channel(self, worker: str, channel: str, **changes: Any) -> None:
        who = self._workers[worker]
        number = CHANNELS.index(channel)
        channels = {**who.channels, number: replace(who.channels[number], **changes)}
        self._workers[worker] = replace(who, channels=channels)

    def percentage(self, worker: str, channel: str) -> int:
        row = self._workers[worker].channels[CHANNELS.index(channel)]
        return snapshot.free_percentage(row.configured_capacity, row.consumed)

    def assigned(self, worker: str, channel: str) -> int:
        return self._workers[worker].channels[CHANNELS.index(channel)].assigned

    def sid(self, worker: str) -> str:
        return self._workers[worker].sid

    def sign(self, worker: str, *, available: bool) -> None:
        self._workers[worker] = replace(self._workers[worker], available=available)

    def is_available(self, worker: str) -> bool:
        return self._workers[worker].available

    def set_multitasking(self, enabled: bool) -> None:
        self._multitasking = enabled

    def pause_after_rejections(self, seconds: int) -> None:
        self._pause = seconds

    def serve_first(self, order: str) -> None:
        self._first = QueueOrder(order)

    # --- what the core is shown ---

    def _move(self, worker: str, task: Task, status: R) -> None:
        """Bring a reservation to a status, and count its slot as the tables do."""
        before = task.reservations.get(worker)
        task.reservations[worker] = status
        task.version += 1
        number = CHANNELS.index(task.channel)
        channel = self._workers[worker].channels[number]
        self.set_channel(
            worker,
            task.channel,
            consumed=channel.consumed
            + (status in lifecycle.OPEN_RESERVATION)
            - (before in lifecycle.OPEN_RESERVATION),
            assigned=channel.assigned + (status == R.ACCEPTED) - (before == R.ACCEPTED),
            last_reserved_us=self.now_us if status == R.PENDING else channel.last_reserved_us,
        )
        if status == R.PENDING:
            self._workers[worker] = replace(self._workers[worker], last_reserved_us=self.now_us)

    def _pending(self) -> list[Task]:
        return [t for t in self._tasks.values() if t.status == AssignmentStatus.PENDING]

    def _passed_over(self, task: Task) -> frozenset[int]:
        takers = rejections.find_takers(
            task.lane(self._queues, self._configuration, self.now_us),
            self._workers.values(),
            multi_task=self._multitasking,
        )
        return frozenset(
            rejections.choose_rejections(
                self._rejections[task.name], takers=takers, now=self.now_us
            )
        )

    def _snapshot(self) -> snapshot.Workspace:
        return snapshot.Workspace(
            id=1,
            sid="WS" + "0" * 32,
            multi_task_enabled=self._multitasking,
            prioritize_queue_order=self._first,
            workers=list(self._workers.values()),
            passed_over={task.id: self._passed_over(task) for task in self._pending()},
            lanes={
                task.id: task.lane(self._queues, self._configuration, self.now_us)
                for task in self._pending()
            },
        )
