"""Serve tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from django.db.models import QuerySet

from routing import models, representations
from routing.actions import task_statuses, tasks
from routing.actions.tasks import MAX_PRIORITY, MAX_TIMEOUT
from routing.api import inputs, lookups, orderings, pagination, shapes
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.api.errors import ApiError
from routing.core.vocabulary import AssignmentStatus
from routing.seen import tasks as seen
from workflows import expressions

_RELATED = ("task_queue", "workflow", "task_channel")
_TASK: Final = lookups.by(models.Task, "sid", *_RELATED)
_TASK_CHANNEL = ("TaskChannel", "TaskChannelSid", "TaskChannelUniqueName")


_ATTRIBUTES = inputs.document("Attributes").says(
    "What it is about, and what expressions can ask: a JSON object of at most 4096 characters,"
    " kept to the letter; it replaces what was there.",
    '{"subject": "Parcel has not arrived", "language": "en"}',
    maxLength=4096,
)
_PRIORITY = inputs.whole("Priority", most=MAX_PRIORITY)
_VIRTUAL_START = inputs.moment("VirtualStartTime").says(
    "From when on it counts as waiting where tasks are sorted; not before 1900, not in the future."
)


def _task_channel(name: str) -> inputs.Param:
    words = "The kind of work that it is, by sid or unique name; `default` unless said otherwise."
    if name != _TASK_CHANNEL[0]:
        words = f"The same as {_TASK_CHANNEL[0]}, as the JavaScript SDK says it."
    return inputs.reference(
        name, models.TaskChannel, "TC", argument="task_channel", by="unique_name"
    ).says(words, "chat" if name == _TASK_CHANNEL[0] else None)


class _Tasks(Resource):
    shape = shapes.TASK

    def rows(self) -> QuerySet[models.Task]:
        return self.workspace.tasks.select_related(*_RELATED)

    def represent(self, row: models.Task) -> dict[str, Any]:
        row.workspace = self.workspace
        return representations.task(row, base=self.base, now=self.now)


class TaskList(_Tasks, ListResource[models.Task]):
    """The tasks of a workspace."""

    key = "tasks"
    indexed = ((pagination.Clause("date_created", True), pagination.Clause("id", True)),)
    about = {
        "get": "List tasks\n\nOldest first, unless Ordering says otherwise; finished ones too, for"
        " as long as they are kept.",
        "post": "Create a task\n\nIts workflow puts it into a queue, and the router looks at once"
        " who could take it.",
    }
    params = (
        _ATTRIBUTES,
        inputs.reference("WorkflowSid", models.Workflow, "WW", argument="workflow").says(
            "The workflow that leads it; may be left out when the workspace has exactly one."
        ),
        # The worker SDK says the same under two other names.
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        _PRIORITY.says("The higher, the earlier; a target that sets a priority overrides it.", 5),
        inputs.whole("Timeout", least=1, most=MAX_TIMEOUT).says(
            "How many seconds it may wait before it is canceled; a day unless said otherwise.", 3600
        ),
        _VIRTUAL_START,
        inputs.sid("RoutingTarget", "WK", "WQ", "WW").says(
            "The worker, queue or workflow that it goes to directly."
        ),
        inputs.boolean("IgnoreCapacity").says(
            "With a worker as RoutingTarget: whether it is offered whatever their capacity and"
            " activity; true unless said otherwise."
        ),
        inputs.reference("TaskQueueSid", models.TaskQueue, "WQ", argument="task_queue").says(
            "With a worker as RoutingTarget: the queue under which it is counted."
        ),
    )
    scanning = ("EvaluateTaskAttributes",)
    filters = (
        _PRIORITY.says("Only those of this priority."),
        inputs.one_of("AssignmentStatus", AssignmentStatus, many=True).says(
            "Only those in one of these statuses, repeated or separated by commas.", ["pending"]
        ),
        inputs.sid("WorkflowSid", "WW").says("Only those that this workflow leads."),
        inputs.text("WorkflowName").says("Only those that the workflow of this name leads."),
        inputs.sid("TaskQueueSid", "WQ").says("Only those in this queue."),
        inputs.text("TaskQueueName").says("Only those in the queue of this name."),
        inputs.sid("RoutingTarget", "WK", "WQ", "WW").says("Only those sent there directly."),
        inputs.boolean("HasAddons").says("True finds nothing: there are no add-ons."),
        inputs.expression("EvaluateTaskAttributes", subject="task").says(
            "Only those whose attributes meet this expression.", 'language == "en"'
        ),
        orderings.ordering(
            {
                "DateCreated": "date_created",
                "Priority": "priority",
                "VirtualStartTime": "virtual_start_us",
            },
            exclusive=frozenset({"DateCreated", "VirtualStartTime"}),
            # As queues are served: of equal priority, who has waited longest comes first.
            ties={"Priority": "VirtualStartTime"},
        ),
    )

    def narrow(self, rows: QuerySet[models.Task], given: Given) -> QuerySet[models.Task]:
        columns = {
            "priority": "priority",
            "workflow_sid": "workflow__sid",
            "workflow_name": "workflow__friendly_name",
            "task_queue_sid": "task_queue__sid",
            "task_queue_name": "task_queue__friendly_name",
            "routing_target": "routing_target",
        }
        rows = rows.filter(lookups.conditions(given, columns))
        if statuses := given.get("assignment_status"):
            rows = cast(models.Tasks, rows).in_statuses(statuses)
        # No task has add-ons: there is no marketplace here that could attach any.
        return rows.none() if given.get("has_addons") else rows

    def accept(self, given: Given) -> pagination.Accept | None:
        expression: expressions.Expression | None = given.get("evaluate_task_attributes")
        if expression is None:
            return None
        clock = expressions.time_of_day(self.now)

        def accept(rows: Sequence[models.Task]) -> Sequence[models.Task]:
            return [
                row
                for row in rows
                if expression.matches(task=seen.view(row, now=self.now), taskrouter=clock)
            ]

        return accept

    def create(self, given: Given) -> models.Task:
        return tasks.create_task(workspace=self.workspace, actor=self.actor, now=self.now, **given)


class TaskInstance(_Tasks, InstanceResource[models.Task]):
    """One task."""

    about = {
        "get": "Fetch a task",
        "post": "Change, cancel, wrap up or complete a task\n\nNew attributes route a waiting task"
        " anew. Attributes cannot be changed in the request that wraps up or completes.",
        "delete": "Delete a task\n\nIn any status; whoever has it loses it.",
    }
    params = (
        _ATTRIBUTES,
        inputs.one_of("AssignmentStatus", AssignmentStatus).says(
            "`canceled` for a task that waits or is on offer; `wrapping` or `completed` for one"
            " that somebody has. The other statuses are the router's.",
            "completed",
        ),
        inputs.text("Reason").says("Why it is canceled or completed.", "Solved"),
        _PRIORITY.says("The higher, the earlier; a target that sets a priority overrides it."),
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        _VIRTUAL_START,
    )
    held_by: models.Worker | None = None
    """The worker who must hold the task, where a worker's token asks for the change."""

    def find(self) -> models.Task:
        return self.here(_TASK, self.sid("sid", "WT"))

    def update(self, row: models.Task, given: dict[str, Any]) -> models.Task:
        """Change fields and status as one change: both happen, or neither."""
        version = self.if_version(row)
        status: AssignmentStatus | None = given.pop("assignment_status", None)
        reason: str | None = given.pop("reason", None) or None
        if status in _WORKED and "attributes" in given:
            raise ApiError(
                f"Attributes cannot be changed together with AssignmentStatus={status}; send two"
                " requests"
            )
        if status is None and not given:
            return row
        how = {"task": row, "actor": self.actor, "now": self.now, "if_version": version, **given}
        if status == AssignmentStatus.CANCELED:
            return task_statuses.cancel_task(reason=reason, **how)
        how["held_by"] = self.held_by
        match status:
            case None:
                return tasks.update_task(**how)
            case AssignmentStatus.COMPLETED:
                return task_statuses.complete_task(reason=reason, **how)
            case AssignmentStatus.WRAPPING:
                return task_statuses.wrap_up_task(reason=reason, **how)
        raise ApiError(
            f"AssignmentStatus is {str(status)!r}, which only the router sets; a request may set"
            " canceled, wrapping or completed"
        )

    def remove(self, row: models.Task) -> None:
        tasks.delete_task(task=row, actor=self.actor, now=self.now, if_version=self.if_version(row))


_WORKED = frozenset({AssignmentStatus.WRAPPING, AssignmentStatus.COMPLETED})
