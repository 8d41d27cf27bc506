"""Scenarios on tables: every change is an action."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from routing import models
from routing.actions import (
    offers,
    reservations,
    task_queues,
    task_transitions,
    tasks,
    workers,
    workspaces,
)
from routing.actions import workflows as workflow_actions
from routing.actions.support.errors import NotEligible
from routing.actors import SYSTEM
from routing.core.vocabulary import QueueOrder, ReservationStatus
from routing.router import rounds
from tests import factories
from tests.worlds.world import World


class DatabaseWorld(World):
    """A world whose every change is an action."""

    def __init__(self) -> None:
        super().__init__()
        self.workspace = factories.workspace()
        self._workers: dict[str, models.Worker] = {}
        self._tasks: dict[str, models.Task] = {}

    def queue(self, name: str, **given: Any) -> str:
        if "task_order" in given:
            given["task_order"] = QueueOrder(given["task_order"])
        given.setdefault("friendly_name", name)
        return task_queues.create_task_queue(
            workspace=self.workspace, actor=SYSTEM, now=self.now, **given
        ).sid

    def configure(self, document: str, *, reservation_timeout: int = 120) -> None:
        workflow_actions.create_workflow(
            workspace=self.workspace,
            friendly_name="workflow",
            configuration=document,
            task_reservation_timeout=reservation_timeout,
            actor=SYSTEM,
            now=self.now,
        )

    def worker(
        self,
        name: str,
        *,
        capacity: dict[str, int] | None = None,
        available: bool = True,
        **attributes: Any,
    ) -> None:
        self._workers[name] = factories.worker(
            self.workspace, name, capacity=capacity, available=available, attributes=attributes
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
        self._tasks[name] = tasks.create_task(
            workspace=self.workspace,
            attributes=json.dumps(attributes),
            task_channel=factories.channel(self.workspace, channel),
            priority=priority,
            virtual_start_time=self.now - timedelta(seconds=started),
            actor=SYSTEM,
            now=self.now,
        )

    def update(self, task: str, **attributes: Any) -> None:
        tasks.update_task(
            task=self._tasks[task], attributes=json.dumps(attributes), actor=SYSTEM, now=self.now
        )

    def run(self) -> None:
        self.workspace.refresh_from_db()
        rounds.run_cycle(workspace=self.workspace, now=self.now)

    def status(self, task: str) -> str:
        return str(factories.status(self._tasks[task]))

    def offers(self, worker: str) -> list[str]:
        by_pk = {task.pk: name for name, task in self._tasks.items()}
        pending = self._workers[worker].reservations.filter(
            reservation_status=ReservationStatus.PENDING.value
        )
        return [by_pk[pk] for pk in pending.order_by("pk").values_list("task_id", flat=True)]

    def queue_of(self, task: str) -> str | None:
        row = models.Task.objects.select_related("task_queue").get(pk=self._tasks[task].pk)
        return None if row.task_queue is None else row.task_queue.sid

    def answer(self, worker: str, task: str, answer: str) -> None:
        verb: Any = {
            "accepted": reservations.accept_reservation,
            "rejected": reservations.reject_reservation,
            "wrapping": reservations.wrap_up_reservation,
            "completed": reservations.complete_reservation,
        }[answer]
        reservation = models.Reservation.objects.filter(
            task=self._tasks[task], worker=self._workers[worker]
        ).latest("pk")
        verb(reservation=reservation, actor=SYSTEM, now=self.now)

    def cancel(self, task: str) -> None:
        task_transitions.cancel_task(task=self._tasks[task], actor=SYSTEM, now=self.now)

    def delete(self, task: str) -> None:
        tasks.delete_task(task=self._tasks[task], actor=SYSTEM, now=self.now)

    def grab(self, worker: str, task: str) -> str | None:
        try:
            offers.grab_task(
                task=self._tasks[task], worker=self._workers[worker], actor=SYSTEM, now=self.now
            )
        except NotEligible as error:
            return str(error.refusal)
        return None

    def set_channel(self, worker: str, channel: str, **changes: Any) -> None:
        factories.set_capacity(self._workers[worker], channel, **changes)

    def percentage(self, worker: str, channel: str) -> int:
        row = factories.worker_channel(self._workers[worker], channel)
        return row.available_capacity_percentage

    def assigned(self, worker: str, channel: str) -> int:
        return factories.worker_channel(self._workers[worker], channel).assigned

    def sid(self, worker: str) -> str:
        return self._workers[worker].sid

    def sign(self, worker: str, *, available: bool) -> None:
        workers.set_activity(
            worker=self._workers[worker],
            activity=factories.activity(
                self.workspace, "Available" if available else "Unavailable"
            ),
            actor=SYSTEM,
            now=self.now,
        )

    def is_available(self, worker: str) -> bool:
        self._workers[worker].refresh_from_db()
        return self._workers[worker].activity.available

    def set_multitasking(self, enabled: bool) -> None:
        workspaces.update_workspace(
            workspace=self.workspace, multi_task_enabled=enabled, actor=SYSTEM, now=self.now
        )

    def pause_after_rejections(self, seconds: int) -> None:
        workspaces.update_workspace(
            workspace=self.workspace, rejection_pause=seconds, actor=SYSTEM, now=self.now
        )

    def serve_first(self, order: str) -> None:
        workspaces.update_workspace(
            workspace=self.workspace,
            prioritize_queue_order=QueueOrder(order),
            actor=SYSTEM,
            now=self.now,
        )
