"""Operations on task queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from routing import models
from routing.actions import task_queues
from routing.actions.support import inputs as checks
from routing.core import eligibility
from routing.core.vocabulary import GrabPolicy, OutcomePolicy, QueueOrder, WrapUpEnd
from routing.fields.queues import TASK_QUEUE
from routing.operations import keysets, pagination, parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation
from routing.snapshots import lanes, workers
from workflows.expressions import View

_ACTIVITIES = ("reservation_activity", "assignment_activity")
_NAME = "The display name; unique in the workspace."


def _activity(name: str, argument: str, moment: str) -> parameters.Param:
    return references.reference(
        name, models.Activity, "WA", argument=argument, clearable=True
    ).describe(f"Without multitasking: a worker's activity {moment}; empty: unchanged.")


_COMMON = (
    parameters.text("TargetWorkers", limit=10_000).describe(
        "The expression that selects the workers who serve it. Empty: no worker; absent at"
        " creation: every worker.",
        'languages HAS "en"',
    ),
    parameters.whole_number("MaxReservedWorkers", least=1, most=50).describe(
        "The number of workers who are offered a task at the same time. Defaults to 1.", 1
    ),
    parameters.choice("TaskOrder", QueueOrder).describe(
        "Whether the oldest (FIFO) or newest (LIFO) task is first. Defaults to FIFO.", "FIFO"
    ),
    _activity("ReservationActivitySid", "reservation_activity", "while an offer is open"),
    _activity("AssignmentActivitySid", "assignment_activity", "after accepting a task"),
    parameters.choice("GrabPolicy", GrabPolicy).describe(
        "Which tasks workers may grab from it: none, any, only the oldest GrabLimit tasks, or"
        " only those that have waited GrabAfter seconds.",
        "oldest",
    ),
    parameters.whole_number("GrabLimit", least=1, most=10_000).describe(
        "The number of tasks for `oldest`.", 10
    ),
    parameters.whole_number("GrabAfter", most=1_209_600).describe(
        "The number of seconds for `waited`.", 60
    ),
    parameters.choice("OutcomePolicy", OutcomePolicy).describe(
        "Whether the desk asks for an outcome when an agent completes a task: `off`, `asked`, or"
        " `required`. Requests may complete tasks without one. Defaults to off.",
        "asked",
    ),
    parameters.choice("WrapUpEnd", WrapUpEnd).describe(
        "What happens when WrapUpLimit is over: `complete` the task, or let it `stay`. Defaults to"
        " complete.",
        "complete",
    ),
    *parameters.derive_parameters(TASK_QUEUE),
)


def _worker_attributes() -> parameters.Param:
    """Return a parameter for the attributes that a worker might have."""

    def convert(value: str, source: parameters.ParamContext) -> View:
        return View(checks.parse_attributes(value, field="evaluate_worker_attributes"), {})

    schema = {"type": "string", "contentMediaType": "application/json"}
    return parameters.Param(
        "EvaluateWorkerAttributes", "evaluate_worker_attributes", convert, schema=schema
    ).describe(
        "Only queues that a worker with these attributes, a JSON object, would serve.",
        '{"languages": ["en"]}',
    )


class _TaskQueuesOperation(Operation):
    def rows(self) -> QuerySet[models.TaskQueue]:
        return self.workspace.task_queues.select_related(*_ACTIVITIES)


class TaskQueueListOperation(_TaskQueuesOperation, ListOperation[models.TaskQueue]):
    """The task queues of a workspace."""

    params = (
        parameters.friendly_name(required=True).describe(_NAME, "Support in English"),
        *_COMMON,
    )
    python_filters = ("EvaluateWorkerAttributes", "WorkerSid")
    filters = (
        parameters.text("FriendlyName").describe(
            "Only the one with this name.", "Support in English"
        ),
        _worker_attributes(),
        references.sid("WorkerSid", "WK").describe("Only queues that this worker serves."),
        keysets.ordering({"DateUpdated": "date_updated", "DateCreated": "date_created"}),
    )

    def filter_rows(
        self, rows: QuerySet[models.TaskQueue], arguments: Arguments
    ) -> QuerySet[models.TaskQueue]:
        if "friendly_name" in arguments:
            rows = rows.filter(references.name_condition(arguments["friendly_name"]))
        return rows

    def python_filter(self, arguments: Arguments) -> pagination.RowFilter | None:
        conditions: list[Callable[[models.TaskQueue], bool]] = []
        if "evaluate_worker_attributes" in arguments:
            view: View = arguments["evaluate_worker_attributes"]
            conditions.append(lambda row: _admits(row, view))
        if "worker_sid" in arguments:
            found = workers.load_workers(self.workspace.workers.filter(sid=arguments["worker_sid"]))
            views = [eligibility.build_worker_view(worker) for worker in found]
            conditions.append(lambda row: any(_admits(row, each) for each in views))
        if not conditions:
            return None

        def choose_rows(rows: Sequence[models.TaskQueue]) -> Sequence[models.TaskQueue]:
            return [row for row in rows if all(is_met(row) for is_met in conditions)]

        return choose_rows

    def create(self, arguments: Arguments) -> models.TaskQueue:
        return task_queues.create_task_queue(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class TaskQueueInstanceOperation(_TaskQueuesOperation, InstanceOperation[models.TaskQueue]):
    """One task queue."""

    params = (parameters.friendly_name().describe(_NAME, "Support in English"), *_COMMON)

    def find(self) -> models.TaskQueue:
        return self.first_row(self.rows().filter(sid=self.sid("sid", "WQ")))

    def update(self, row: models.TaskQueue, arguments: dict[str, Any]) -> models.TaskQueue:
        return task_queues.update_task_queue(queue=row, actor=self.actor, now=self.now, **arguments)

    def remove(self, row: models.TaskQueue) -> None:
        task_queues.delete_task_queue(queue=row, actor=self.actor, now=self.now)


def _admits(queue: models.TaskQueue, worker: View) -> bool:
    expression = lanes.build_queue(queue).target_workers
    return expression is not None and expression.matches(worker=worker)
