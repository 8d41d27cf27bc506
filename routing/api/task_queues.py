"""Serve task queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from routing import models, representations
from routing.actions import inputs as checks
from routing.actions import task_queues
from routing.api import inputs, pagination
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.core import matcher
from routing.core.vocabulary import GrabPolicy, QueueOrder
from routing.seen import lanes, workers
from workflows.expressions import View

_ACTIVITIES = ("reservation_activity", "assignment_activity")
_COMMON = (
    inputs.text("TargetWorkers", limit=10_000),
    inputs.whole("MaxReservedWorkers"),
    inputs.one_of("TaskOrder", QueueOrder),
    *(
        inputs.reference(name, models.Activity, "WA", argument=argument, clearable=True)
        for name, argument in (
            ("ReservationActivitySid", "reservation_activity"),
            ("AssignmentActivitySid", "assignment_activity"),
        )
    ),
    inputs.one_of("GrabPolicy", GrabPolicy),
    inputs.whole("GrabLimit"),
    inputs.whole("GrabAfter"),
)


def _worker_attributes() -> inputs.Param:
    """Take the attributes that a worker might have."""

    def convert(value: str, place: inputs.Place) -> View:
        return View(checks.parse_attributes(value, field="evaluate_worker_attributes"), {})

    return inputs.Param("EvaluateWorkerAttributes", "evaluate_worker_attributes", convert)


class _TaskQueues(Resource):
    def rows(self) -> QuerySet[models.TaskQueue]:
        return self.workspace.task_queues.select_related(*_ACTIVITIES)

    def represent(self, row: models.TaskQueue) -> dict[str, Any]:
        row.workspace = self.workspace
        return representations.task_queue(row, base=self.base)


class TaskQueueList(_TaskQueues, ListResource[models.TaskQueue]):
    """The task queues of a workspace."""

    key = "task_queues"
    params = (inputs.text("FriendlyName", required=True), *_COMMON)
    filters = (
        inputs.text("FriendlyName"),
        _worker_attributes(),
        inputs.sid("WorkerSid", "WK"),
        pagination.ordering({"DateUpdated": "date_updated", "DateCreated": "date_created"}),
    )

    def narrow(self, rows: QuerySet[models.TaskQueue], given: Given) -> QuerySet[models.TaskQueue]:
        if "friendly_name" in given:
            rows = rows.filter(friendly_name=given["friendly_name"])
        return rows

    def accept(self, given: Given) -> pagination.Accept | None:
        asked: list[Callable[[models.TaskQueue], bool]] = []
        if "evaluate_worker_attributes" in given:
            view: View = given["evaluate_worker_attributes"]
            asked.append(lambda row: _admits(row, view))
        if "worker_sid" in given:
            found = workers.load_workers(self.workspace.workers.filter(sid=given["worker_sid"]))
            views = [matcher.worker_view(worker) for worker in found]
            asked.append(lambda row: any(_admits(row, each) for each in views))
        if not asked:
            return None

        def accept(rows: Sequence[models.TaskQueue]) -> Sequence[models.TaskQueue]:
            return [row for row in rows if all(ask(row) for ask in asked)]

        return accept

    def create(self, given: Given) -> models.TaskQueue:
        return task_queues.create_task_queue(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class TaskQueueInstance(_TaskQueues, InstanceResource[models.TaskQueue]):
    """One task queue."""

    params = (inputs.text("FriendlyName"), *_COMMON)

    def find(self) -> models.TaskQueue:
        return self.one(self.rows(), sid=self.sid("sid", "WQ"))

    def update(self, row: models.TaskQueue, given: dict[str, Any]) -> models.TaskQueue:
        return task_queues.update_task_queue(queue=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.TaskQueue) -> None:
        task_queues.delete_task_queue(queue=row, actor=self.actor, now=self.now)


def _admits(queue: models.TaskQueue, worker: View) -> bool:
    expression = lanes.task_queue(queue).target_workers
    return expression is not None and expression.matches(worker=worker)
