"""Operations on workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import QuerySet

from routing import models
from routing.actions import workers
from routing.core import eligibility, snapshot
from routing.fields.workers import WORKER
from routing.operations import keysets, pagination, parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation
from routing.snapshots import lanes
from routing.snapshots import workers as worker_values
from workflows import expressions

_NAME = "The display name; unique in the workspace, ignoring upper and lower case."
_ATTRIBUTES = parameters.document("Attributes").describe(
    "The attributes that expressions read: a JSON object of at most 4096 characters, stored"
    " unchanged; it replaces the previous attributes.",
    '{"languages": ["en", "de"]}',
    maxLength=4096,
)
_WRITABLE: Final = parameters.derive_parameters(WORKER)
_WORKER: Final = references.compile_lookup(models.Worker, "sid", "activity")


def _activity(words: str) -> parameters.Param:
    return references.reference("ActivitySid", models.Activity, "WA", argument="activity").describe(
        words
    )


class _WorkersOperation(Operation):
    def rows(self) -> QuerySet[models.Worker]:
        return self.workspace.workers.select_related("activity")


class WorkerListOperation(_WorkersOperation, ListOperation[models.Worker]):
    """The workers of a workspace."""

    params = (
        parameters.friendly_name(required=True).describe(_NAME, "Alice"),
        _ATTRIBUTES,
        _activity("Their activity. Defaults to the workspace's default activity."),
        *_WRITABLE,
    )
    python_filters = ("TargetWorkersExpression",)
    filters = (
        parameters.text("FriendlyName").describe("Only the one with this name.", "Alice"),
        parameters.text("ActivityName").describe(
            "Only those in the activity of this name.", "Available"
        ),
        references.sid("ActivitySid", "WA").describe("Only those in this activity."),
        parameters.boolean("Available").describe(
            "Only those who take work, or only those who do not."
        ),
        parameters.expression("TargetWorkersExpression", subject="worker").describe(
            "Only those who match this expression.", 'languages HAS "en"'
        ),
        parameters.text("TaskQueueName").describe("Only those who serve the queue of this name."),
        references.sid("TaskQueueSid", "WQ").describe("Only those who serve this queue."),
        keysets.ordering(
            {"DateStatusChanged": "date_status_changed", "DateCreated": "date_created"}
        ),
    )

    def filter_rows(
        self, rows: QuerySet[models.Worker], arguments: Arguments
    ) -> QuerySet[models.Worker]:
        columns = {
            "friendly_name": "friendly_name",
            "activity_name": "activity__friendly_name",
            "activity_sid": "activity__sid",
            "available": "activity__available",
        }
        return rows.filter(references.filter_condition(arguments, columns))

    def python_filter(self, arguments: Arguments) -> pagination.RowFilter | None:
        expression: expressions.Expression | None = arguments.get("target_workers_expression")
        queues = self._named_queues(arguments)
        if expression is None and queues is None:
            return None

        def choose_rows(rows: Sequence[models.Worker]) -> Sequence[models.Worker]:
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

        return choose_rows

    def _named_queues(self, arguments: Arguments) -> list[snapshot.TaskQueue] | None:
        """Return the queues that the query names (possibly none); None if it names no queue."""
        columns = {"task_queue_sid": "sid", "task_queue_name": "friendly_name"}
        if not columns.keys() & arguments.keys():
            return None
        rows = self.workspace.task_queues.filter(references.filter_condition(arguments, columns))
        return [lanes.build_queue(row) for row in rows]

    def create(self, arguments: Arguments) -> models.Worker:
        return workers.create_worker(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class WorkerInstanceOperation(_WorkersOperation, InstanceOperation[models.Worker]):
    """One worker."""

    params = (
        parameters.friendly_name().describe(_NAME, "Alice"),
        _ATTRIBUTES,
        _activity("Their new activity."),
        *_WRITABLE,
        parameters.boolean("RejectPendingReservations").describe(
            "Whether their open offers are rejected. Without it, changing to an activity that takes"
            " no work is refused while offers are open."
        ),
    )

    def find(self) -> models.Worker:
        return self.load_row(_WORKER, self.sid("sid", "WK"))

    def update(self, row: models.Worker, arguments: dict[str, Any]) -> models.Worker:
        return workers.update_worker(
            worker=row,
            actor=self.actor,
            now=self.now,
            if_version=self.expected_version(row),
            **arguments,
        )

    def remove(self, row: models.Worker) -> None:
        workers.delete_worker(
            worker=row, actor=self.actor, now=self.now, if_version=self.expected_version(row)
        )


def _serves(worker: snapshot.Worker, queue: snapshot.TaskQueue) -> bool:
    return eligibility.membership_refusal(eligibility.Candidate(worker), queue) is None
