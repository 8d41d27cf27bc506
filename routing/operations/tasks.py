"""Operations on tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from django.db.models import QuerySet

from routing import models
from routing.actions import task_transitions, tasks
from routing.actions.support.task_changes import MAX_PRIORITY
from routing.actions.tasks import MAX_TIMEOUT
from routing.core.vocabulary import AssignmentStatus
from routing.operations import keysets, pagination, parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation
from routing.operations.context import Context
from routing.operations.errors import ApiError
from routing.operations.outcome_codes import OUTCOME, pop_outcome
from routing.snapshots import tasks as worker_values
from workflows import expressions

_RELATED = ("task_queue", "workflow", "task_channel")
_TASK: Final = references.compile_lookup(models.Task, "sid", *_RELATED)
_TASK_CHANNEL = ("TaskChannel", "TaskChannelSid", "TaskChannelUniqueName")
_ATTRIBUTES = parameters.document("Attributes").describe(
    "The attributes that expressions read: a JSON object of at most 4096 characters,"
    " stored unchanged; it replaces the previous attributes.",
    '{"subject": "Parcel has not arrived", "language": "en"}',
    maxLength=4096,
)
_WORKED = frozenset({AssignmentStatus.WRAPPING, AssignmentStatus.COMPLETED})
"""The statuses of tasks that a worker has worked on."""
_PRIORITY = parameters.whole_number("Priority", most=MAX_PRIORITY)
_VIRTUAL_START = parameters.date_time("VirtualStartTime").describe(
    "The start of its waiting time, used for sorting; not before 1900, not in the future."
)


def _task_channel(name: str) -> parameters.Param:
    words = "The task's channel, by sid or unique name. Defaults to `default`."
    if name != _TASK_CHANNEL[0]:
        words = f"The same as {_TASK_CHANNEL[0]}, under the name that the JavaScript SDK uses."
    return references.reference(
        name, models.TaskChannel, "TC", argument="task_channel", by="unique_name"
    ).describe(words, "chat" if name == _TASK_CHANNEL[0] else None)


class _TasksOperation(Operation):
    def rows(self) -> QuerySet[models.Task]:
        return self.workspace.tasks.select_related(*_RELATED)


class TaskListOperation(_TasksOperation, ListOperation[models.Task]):
    """The tasks of a workspace."""

    indexed_orders = ((keysets.Clause("date_created", True), keysets.Clause("id", True)),)
    params = (
        _ATTRIBUTES,
        references.reference("WorkflowSid", models.Workflow, "WW", argument="workflow").describe(
            "The workflow that routes it; optional if the workspace has exactly one."
        ),
        # The worker SDK uses two other names for the task channel.
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        _PRIORITY.describe(
            "Higher values are served earlier; a target with a priority overrides it.", 5
        ),
        parameters.whole_number("Timeout", least=1, most=MAX_TIMEOUT).describe(
            "Seconds it may wait before it is canceled. Defaults to a day.", 3600
        ),
        _VIRTUAL_START,
        references.sid("RoutingTarget", "WK", "WQ", "WW").describe(
            "The worker, queue or workflow that it goes to directly."
        ),
        parameters.boolean("IgnoreCapacity").describe(
            "With a worker as RoutingTarget: whether the worker's capacity and activity are"
            " ignored. Defaults to true."
        ),
        references.reference(
            "TaskQueueSid", models.TaskQueue, "WQ", argument="task_queue"
        ).describe("With a worker as RoutingTarget: the queue whose statistics include it."),
    )
    python_filters = ("EvaluateTaskAttributes",)
    scanned_columns = (
        *("sid", "attributes", "priority", "virtual_start_us", "date_created", "workspace_id"),
        *("former_channel_name", "former_channel_sid"),
        *("workflow__sid", "task_channel__sid", "task_channel__unique_name"),
    )
    filters = (
        _PRIORITY.describe("Only those of this priority."),
        parameters.choice("AssignmentStatus", AssignmentStatus, many=True).describe(
            "Only those in one of these statuses, repeated or separated by commas.", ["pending"]
        ),
        references.sid("WorkflowSid", "WW").describe("Only those routed by this workflow."),
        parameters.text("WorkflowName").describe("Only those routed by the workflow of this name."),
        references.sid("TaskQueueSid", "WQ").describe("Only those in this queue."),
        parameters.text("TaskQueueName").describe("Only those in the queue of this name."),
        references.sid("RoutingTarget", "WK", "WQ", "WW").describe(
            "Only those sent there directly."
        ),
        parameters.boolean("HasAddons").describe("True finds nothing: there are no add-ons."),
        parameters.expression("EvaluateTaskAttributes", subject="task").describe(
            "Only those whose attributes match this expression.", 'language == "en"'
        ),
        keysets.ordering(
            {
                "DateCreated": "date_created",
                "Priority": "priority",
                "VirtualStartTime": "virtual_start_us",
            },
            exclusive=frozenset({"DateCreated", "VirtualStartTime"}),
            # The order in which queues are served: among equal priorities, the longest waiting is
            # first.
            ties={"Priority": "VirtualStartTime"},
        ),
    )

    def filter_rows(
        self, rows: QuerySet[models.Task], arguments: Arguments
    ) -> QuerySet[models.Task]:
        columns = {
            "priority": "priority",
            "workflow_sid": "workflow__sid",
            "workflow_name": "workflow__friendly_name",
            "task_queue_sid": "task_queue__sid",
            "task_queue_name": "task_queue__friendly_name",
            "routing_target": "routing_target",
        }
        rows = rows.filter(references.filter_condition(arguments, columns))
        if statuses := arguments.get("assignment_status"):
            rows = cast(models.Tasks, rows).in_statuses(statuses)
        # No task has add-ons: there is no marketplace to attach any.
        return rows.none() if arguments.get("has_addons") else rows

    def python_filter(self, arguments: Arguments) -> pagination.RowFilter | None:
        expression: expressions.Expression | None = arguments.get("evaluate_task_attributes")
        if expression is None:
            return None
        clock = expressions.time_of_day(self.now)

        def choose_rows(rows: Sequence[models.Task]) -> Sequence[models.Task]:
            return [
                row
                for row in rows
                if expression.matches(
                    task=worker_values.build_task_view(row, now=self.now), taskrouter=clock
                )
            ]

        return choose_rows

    def create(self, arguments: Arguments) -> models.Task:
        return tasks.create_task(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class TaskInstanceOperation(_TasksOperation, InstanceOperation[models.Task]):
    """One task."""

    params = (
        _ATTRIBUTES,
        parameters.choice("AssignmentStatus", AssignmentStatus).describe(
            "`canceled` for a waiting or offered task; `wrapping` or `completed` for one that a"
            " worker has accepted. The other statuses are set by the router only.",
            "completed",
        ),
        parameters.text("Reason").describe("Why it is canceled or completed.", "Solved"),
        *OUTCOME,
        _PRIORITY.describe(
            "Higher values are served earlier; a target with a priority overrides it."
        ),
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        _VIRTUAL_START,
    )

    def __init__(
        self, context: Context, *, held_by: models.Worker | None = None, **names: str
    ) -> None:
        """Initialize the operation.

        Arguments:
            held_by: the worker who must hold the task, if a worker's token requests the change.
        """
        super().__init__(context, **names)
        self.held_by = held_by

    def find(self) -> models.Task:
        return self.load_row(_TASK, self.sid("sid", "WT"))

    def update(self, row: models.Task, arguments: dict[str, Any]) -> models.Task:
        """Change fields and status in one step: both or neither."""
        version = self.expected_version(row)
        status: AssignmentStatus | None = arguments.pop("assignment_status", None)
        reason: str | None = arguments.pop("reason", None) or None
        outcome = pop_outcome(arguments, completes=status == AssignmentStatus.COMPLETED)
        if status in _WORKED and "attributes" in arguments:
            raise ApiError(
                f"Attributes cannot be changed together with AssignmentStatus={status}; send two"
                " requests"
            )
        if status is None and not arguments:
            return row
        changes = {
            "task": row,
            "actor": self.actor,
            "now": self.now,
            "if_version": version,
            **arguments,
        }
        if status == AssignmentStatus.CANCELED:
            return task_transitions.cancel_task(reason=reason, **changes)
        changes["held_by"] = self.held_by
        match status:
            case None:
                return tasks.update_task(**changes)
            case AssignmentStatus.COMPLETED:
                return task_transitions.complete_task(reason=reason, outcome=outcome, **changes)
            case AssignmentStatus.WRAPPING:
                return task_transitions.wrap_up_task(reason=reason, **changes)
        raise ApiError(
            f"AssignmentStatus is {str(status)!r}, which only the router sets; a request may set"
            " canceled, wrapping or completed"
        )

    def remove(self, row: models.Task) -> None:
        tasks.delete_task(
            task=row, actor=self.actor, now=self.now, if_version=self.expected_version(row)
        )
