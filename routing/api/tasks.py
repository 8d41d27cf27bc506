"""Views for tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from django.db.models import QuerySet

from routing import models
from routing.actions import task_transitions, tasks
from routing.actions.support.task_changes import MAX_PRIORITY
from routing.actions.tasks import MAX_TIMEOUT
from routing.api import inputs, lookups, orderings, pagination
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.api.errors import ApiError
from routing.core.vocabulary import AssignmentStatus
from routing.fields.tasks import TASK
from routing.snapshots import tasks as worker_values
from workflows import expressions

_RELATED = ("task_queue", "workflow", "task_channel")
_TASK: Final = lookups.by(models.Task, "sid", *_RELATED)
_TASK_CHANNEL = ("TaskChannel", "TaskChannelSid", "TaskChannelUniqueName")


_ATTRIBUTES = inputs.document("Attributes").says(
    "The attributes that expressions read: a JSON object of at most 4096 characters,"
    " stored unchanged; it replaces the previous attributes.",
    '{"subject": "Parcel has not arrived", "language": "en"}',
    maxLength=4096,
)
_PRIORITY = inputs.whole("Priority", most=MAX_PRIORITY)
_VIRTUAL_START = inputs.moment("VirtualStartTime").says(
    "The start of its waiting time, used for sorting; not before 1900, not in the future."
)


def _task_channel(name: str) -> inputs.Param:
    words = "The task's channel, by sid or unique name. Defaults to `default`."
    if name != _TASK_CHANNEL[0]:
        words = f"The same as {_TASK_CHANNEL[0]}, under the name that the JavaScript SDK uses."
    return inputs.reference(
        name, models.TaskChannel, "TC", argument="task_channel", by="unique_name"
    ).says(words, "chat" if name == _TASK_CHANNEL[0] else None)


class _Tasks(Resource):
    shape = TASK

    def rows(self) -> QuerySet[models.Task]:
        return self.workspace.tasks.select_related(*_RELATED)

    def represent(self, row: models.Task) -> dict[str, Any]:
        row.workspace = self.workspace
        return TASK.represent(row, base=self.base, now=self.now)


class TaskList(_Tasks, ListResource[models.Task]):
    """The tasks of a workspace."""

    key = "tasks"
    indexed = ((pagination.Clause("date_created", True), pagination.Clause("id", True)),)
    about = {
        "get": "List tasks\n\nOldest first, unless Ordering is given. Includes finished tasks"
        " until they are deleted.",
        "post": "Create a task\n\nIts workflow puts it into a queue, and the router looks for a"
        " worker"
        " at once.",
    }
    params = (
        _ATTRIBUTES,
        inputs.reference("WorkflowSid", models.Workflow, "WW", argument="workflow").says(
            "The workflow that routes it; optional if the workspace has exactly one."
        ),
        # The worker SDK uses two other names for the task channel.
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        _PRIORITY.says(
            "Higher values are served earlier; a target with a priority overrides it.", 5
        ),
        inputs.whole("Timeout", least=1, most=MAX_TIMEOUT).says(
            "Seconds it may wait before it is canceled. Defaults to a day.", 3600
        ),
        _VIRTUAL_START,
        inputs.sid("RoutingTarget", "WK", "WQ", "WW").says(
            "The worker, queue or workflow that it goes to directly."
        ),
        inputs.boolean("IgnoreCapacity").says(
            "With a worker as RoutingTarget: whether the worker's capacity and activity are"
            " ignored. Defaults to true."
        ),
        inputs.reference("TaskQueueSid", models.TaskQueue, "WQ", argument="task_queue").says(
            "With a worker as RoutingTarget: the queue whose statistics include it."
        ),
    )
    scanning = ("EvaluateTaskAttributes",)
    filters = (
        _PRIORITY.says("Only those of this priority."),
        inputs.one_of("AssignmentStatus", AssignmentStatus, many=True).says(
            "Only those in one of these statuses, repeated or separated by commas.", ["pending"]
        ),
        inputs.sid("WorkflowSid", "WW").says("Only those routed by this workflow."),
        inputs.text("WorkflowName").says("Only those routed by the workflow of this name."),
        inputs.sid("TaskQueueSid", "WQ").says("Only those in this queue."),
        inputs.text("TaskQueueName").says("Only those in the queue of this name."),
        inputs.sid("RoutingTarget", "WK", "WQ", "WW").says("Only those sent there directly."),
        inputs.boolean("HasAddons").says("True finds nothing: there are no add-ons."),
        inputs.expression("EvaluateTaskAttributes", subject="task").says(
            "Only those whose attributes match this expression.", 'language == "en"'
        ),
        orderings.ordering(
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
        # No task has add-ons: there is no marketplace to attach any.
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
                if expression.matches(
                    task=worker_values.build_task_view(row, now=self.now), taskrouter=clock
                )
            ]

        return accept

    def create(self, given: Given) -> models.Task:
        return tasks.create_task(workspace=self.workspace, actor=self.actor, now=self.now, **given)


class TaskInstance(_Tasks, InstanceResource[models.Task]):
    """One task."""

    about = {
        "get": "Fetch a task",
        "post": "Change, cancel, wrap up or complete a task\n\nNew attributes route a waiting task"
        " again. Attributes cannot be changed in the request that wraps up or completes.",
        "delete": "Delete a task\n\nAllowed in any status. A worker who has it loses it.",
    }
    params = (
        _ATTRIBUTES,
        inputs.one_of("AssignmentStatus", AssignmentStatus).says(
            "`canceled` for a waiting or offered task; `wrapping` or `completed` for one that a"
            " worker has accepted. The other statuses are set by the router only.",
            "completed",
        ),
        inputs.text("Reason").says("Why it is canceled or completed.", "Solved"),
        _PRIORITY.says("Higher values are served earlier; a target with a priority overrides it."),
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        _VIRTUAL_START,
    )
    held_by: models.Worker | None = None
    """The worker who must hold the task, if a worker's token requests the change."""

    def find(self) -> models.Task:
        return self.here(_TASK, self.sid("sid", "WT"))

    def update(self, row: models.Task, given: dict[str, Any]) -> models.Task:
        """Change fields and status in one step: both or neither."""
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
            return task_transitions.cancel_task(reason=reason, **how)
        how["held_by"] = self.held_by
        match status:
            case None:
                return tasks.update_task(**how)
            case AssignmentStatus.COMPLETED:
                return task_transitions.complete_task(reason=reason, **how)
            case AssignmentStatus.WRAPPING:
                return task_transitions.wrap_up_task(reason=reason, **how)
        raise ApiError(
            f"AssignmentStatus is {str(status)!r}, which only the router sets; a request may set"
            " canceled, wrapping or completed"
        )

    def remove(self, row: models.Task) -> None:
        tasks.delete_task(task=row, actor=self.actor, now=self.now, if_version=self.if_version(row))


_WORKED = frozenset({AssignmentStatus.WRAPPING, AssignmentStatus.COMPLETED})
