"""Views for task queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from routing import models
from routing.actions import task_queues
from routing.actions.support import inputs as checks
from routing.api import inputs, lookups, orderings, pagination
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.core import eligibility
from routing.core.vocabulary import GrabPolicy, QueueOrder
from routing.fields.queues import TASK_QUEUE
from routing.snapshots import lanes, workers
from workflows.expressions import View

_ACTIVITIES = ("reservation_activity", "assignment_activity")
_NAME = "The display name; unique in the workspace."


def _activity(name: str, argument: str, moment: str) -> inputs.Param:
    return inputs.reference(name, models.Activity, "WA", argument=argument, clearable=True).says(
        f"Without multitasking: a worker's activity {moment}; empty: unchanged."
    )


_COMMON = (
    inputs.text("TargetWorkers", limit=10_000).says(
        "The expression that selects the workers who serve it. Empty: no worker; absent at"
        " creation: every worker.",
        'languages HAS "en"',
    ),
    inputs.whole("MaxReservedWorkers", least=1, most=50).says(
        "The number of workers who are offered a task at the same time. Defaults to 1.", 1
    ),
    inputs.one_of("TaskOrder", QueueOrder).says(
        "Whether the oldest (FIFO) or newest (LIFO) task is first. Defaults to FIFO.", "FIFO"
    ),
    _activity("ReservationActivitySid", "reservation_activity", "while an offer is open"),
    _activity("AssignmentActivitySid", "assignment_activity", "after accepting a task"),
    inputs.one_of("GrabPolicy", GrabPolicy).says(
        "Which tasks workers may grab from it: none, any, only the oldest GrabLimit tasks, or"
        " only those that have waited GrabAfter seconds.",
        "oldest",
    ),
    inputs.whole("GrabLimit", least=1, most=10_000).says("The number of tasks for `oldest`.", 10),
    inputs.whole("GrabAfter", most=1_209_600).says("The number of seconds for `waited`.", 60),
)


def _worker_attributes() -> inputs.Param:
    """Return a parameter for the attributes that a worker might have."""

    def convert(value: str, place: inputs.Place) -> View:
        return View(checks.parse_attributes(value, field="evaluate_worker_attributes"), {})

    schema = {"type": "string", "contentMediaType": "application/json"}
    return inputs.Param(
        "EvaluateWorkerAttributes", "evaluate_worker_attributes", convert, schema=schema
    ).says(
        "Only queues that a worker with these attributes, a JSON object, would serve.",
        '{"languages": ["en"]}',
    )


class _TaskQueues(Resource):
    shape = TASK_QUEUE

    def rows(self) -> QuerySet[models.TaskQueue]:
        return self.workspace.task_queues.select_related(*_ACTIVITIES)

    def represent(self, row: models.TaskQueue) -> dict[str, Any]:
        row.workspace = self.workspace
        return TASK_QUEUE.represent(row, base=self.base)


class TaskQueueList(_TaskQueues, ListResource[models.TaskQueue]):
    """The task queues of a workspace."""

    key = "task_queues"
    about = {
        "get": "List task queues",
        "post": "Create a task queue\n\nA queue that no worker serves is allowed: its tasks wait.",
    }
    params = (inputs.name(required=True).says(_NAME, "Support in English"), *_COMMON)
    scanning = ("EvaluateWorkerAttributes", "WorkerSid")
    filters = (
        inputs.text("FriendlyName").says("Only the one with this name.", "Support in English"),
        _worker_attributes(),
        inputs.sid("WorkerSid", "WK").says("Only queues that this worker serves."),
        orderings.ordering({"DateUpdated": "date_updated", "DateCreated": "date_created"}),
    )

    def narrow(self, rows: QuerySet[models.TaskQueue], given: Given) -> QuerySet[models.TaskQueue]:
        if "friendly_name" in given:
            rows = rows.filter(lookups.has_name(given["friendly_name"]))
        return rows

    def accept(self, given: Given) -> pagination.Accept | None:
        asked: list[Callable[[models.TaskQueue], bool]] = []
        if "evaluate_worker_attributes" in given:
            view: View = given["evaluate_worker_attributes"]
            asked.append(lambda row: _admits(row, view))
        if "worker_sid" in given:
            found = workers.load_workers(self.workspace.workers.filter(sid=given["worker_sid"]))
            views = [eligibility.build_worker_view(worker) for worker in found]
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

    about = {
        "get": "Fetch a task queue",
        "post": "Change a task queue",
        "delete": "Delete a task queue\n\nRefused while a workflow names it or a task is in it.",
    }
    params = (inputs.name().says(_NAME, "Support in English"), *_COMMON)

    def find(self) -> models.TaskQueue:
        return self.one(self.rows().filter(sid=self.sid("sid", "WQ")))

    def update(self, row: models.TaskQueue, given: dict[str, Any]) -> models.TaskQueue:
        return task_queues.update_task_queue(queue=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.TaskQueue) -> None:
        task_queues.delete_task_queue(queue=row, actor=self.actor, now=self.now)


def _admits(queue: models.TaskQueue, worker: View) -> bool:
    expression = lanes.build_queue(queue).target_workers
    return expression is not None and expression.matches(worker=worker)
