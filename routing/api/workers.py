"""Views for workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet

from routing import models
from routing.actions import workers
from routing.api import inputs, lookups, orderings, pagination
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.core import eligibility, snapshot
from routing.fields.workers import WORKER
from routing.snapshots import lanes
from routing.snapshots import workers as worker_values
from workflows import expressions

_NAME = "The display name; unique in the workspace, ignoring upper and lower case."
_ATTRIBUTES = inputs.document("Attributes").says(
    "The attributes that expressions read: a JSON object of at most 4096 characters, stored"
    " unchanged; it replaces the previous attributes.",
    '{"languages": ["en", "de"]}',
    maxLength=4096,
)


_WORKER: Final = lookups.by(models.Worker, "sid", "activity")


def _activity(words: str) -> inputs.Param:
    return inputs.reference("ActivitySid", models.Activity, "WA", argument="activity").says(words)


class _Workers(Resource):
    shape = WORKER

    def rows(self) -> QuerySet[models.Worker]:
        return self.workspace.workers.select_related("activity")

    def represent(self, row: models.Worker) -> dict[str, Any]:
        row.workspace = self.workspace
        return WORKER.represent(row, base=self.base)


class WorkerList(_Workers, ListResource[models.Worker]):
    """The workers of a workspace."""

    key = "workers"
    about = {
        "get": "List workers",
        "post": "Create a worker\n\nThey get a capacity of 1 for every task channel.",
    }
    params = (
        inputs.name(required=True).says(_NAME, "Alice"),
        _ATTRIBUTES,
        _activity("Their activity. Defaults to the workspace's default activity."),
    )
    scanning = ("TargetWorkersExpression",)
    filters = (
        inputs.text("FriendlyName").says("Only the one with this name.", "Alice"),
        inputs.text("ActivityName").says("Only those in the activity of this name.", "Available"),
        inputs.sid("ActivitySid", "WA").says("Only those in this activity."),
        inputs.boolean("Available").says("Only those who take work, or only those who do not."),
        inputs.expression("TargetWorkersExpression", subject="worker").says(
            "Only those who match this expression.", 'languages HAS "en"'
        ),
        inputs.text("TaskQueueName").says("Only those who serve the queue of this name."),
        inputs.sid("TaskQueueSid", "WQ").says("Only those who serve this queue."),
        orderings.ordering(
            {"DateStatusChanged": "date_status_changed", "DateCreated": "date_created"}
        ),
    )

    def narrow(self, rows: QuerySet[models.Worker], given: Given) -> QuerySet[models.Worker]:
        columns = {
            "friendly_name": "friendly_name",
            "activity_name": "activity__friendly_name",
            "activity_sid": "activity__sid",
            "available": "activity__available",
        }
        return rows.filter(lookups.conditions(given, columns))

    def accept(self, given: Given) -> pagination.Accept | None:
        expression: expressions.Expression | None = given.get("target_workers_expression")
        queues = self._queues(given)
        if expression is None and queues is None:
            return None

        def accept(rows: Sequence[models.Worker]) -> Sequence[models.Worker]:
            chosen = models.Worker.objects.filter(pk__in=[row.pk for row in rows])
            admitted = {
                worker.id
                for worker in worker_values.load_workers(chosen)
                if (
                    expression is None
                    or expression.matches(worker=eligibility.build_worker_view(worker))
                )
                and (queues is None or any(_serves(worker, queue) for queue in queues))
            }
            return [row for row in rows if row.pk in admitted]

        return accept

    def _queues(self, given: Given) -> list[snapshot.TaskQueue] | None:
        """Return the queues that the query names (possibly none); None if it names no queue."""
        columns = {"task_queue_sid": "sid", "task_queue_name": "friendly_name"}
        if not columns.keys() & given.keys():
            return None
        rows = self.workspace.task_queues.filter(lookups.conditions(given, columns))
        return [lanes.build_queue(row) for row in rows]

    def create(self, given: Given) -> models.Worker:
        return workers.create_worker(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class WorkerInstance(_Workers, InstanceResource[models.Worker]):
    """One worker."""

    about = {
        "get": "Fetch a worker",
        "post": "Change a worker\n\nAn activity that takes no work stops new offers at once."
        " Accepted"
        " tasks continue.",
        "delete": "Delete a worker\n\nRefused while they have an open offer or a task. The"
        " reservations of finished tasks keep the worker's sid and name.",
    }
    params = (
        inputs.name().says(_NAME, "Alice"),
        _ATTRIBUTES,
        _activity("Their new activity."),
        inputs.boolean("RejectPendingReservations").says(
            "Whether their open offers are rejected. Without it, changing to an activity that takes"
            " no work is refused while offers are open."
        ),
    )

    def find(self) -> models.Worker:
        return self.here(_WORKER, self.sid("sid", "WK"))

    def update(self, row: models.Worker, given: dict[str, Any]) -> models.Worker:
        return workers.update_worker(
            worker=row, actor=self.actor, now=self.now, if_version=self.if_version(row), **given
        )

    def remove(self, row: models.Worker) -> None:
        workers.delete_worker(
            worker=row, actor=self.actor, now=self.now, if_version=self.if_version(row)
        )


def _serves(worker: snapshot.Worker, queue: snapshot.TaskQueue) -> bool:
    return eligibility.membership_refusal(eligibility.Candidate(worker), queue) is None
