"""Serve tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from routing import models, representations
from routing.actions import task_statuses, tasks
from routing.api import inputs, pagination
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.api.errors import ApiError
from routing.core.vocabulary import AssignmentStatus
from routing.seen import tasks as seen
from workflows import expressions

_RELATED = ("task_queue", "workflow", "task_channel")
_TASK_CHANNEL = ("TaskChannel", "TaskChannelSid", "TaskChannelUniqueName")


def _task_channel(name: str) -> inputs.Param:
    return inputs.reference(
        name, models.TaskChannel, "TC", argument="task_channel", by="unique_name"
    )


class _Tasks(Resource):
    def rows(self) -> QuerySet[models.Task]:
        return self.workspace.tasks.select_related(*_RELATED)

    def represent(self, row: models.Task) -> dict[str, Any]:
        row.workspace = self.workspace
        return representations.task(row, base=self.base, now=self.now)


class TaskList(_Tasks, ListResource[models.Task]):
    """The tasks of a workspace."""

    key = "tasks"
    params = (
        inputs.document("Attributes"),
        inputs.reference("WorkflowSid", models.Workflow, "WW", argument="workflow"),
        # The worker SDK says the same under two other names.
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        inputs.whole("Priority"),
        inputs.whole("Timeout"),
        inputs.moment("VirtualStartTime"),
        inputs.sid("RoutingTarget", "WK", "WQ", "WW"),
        inputs.boolean("IgnoreCapacity"),
        inputs.reference("TaskQueueSid", models.TaskQueue, "WQ", argument="task_queue"),
    )
    filters = (
        inputs.whole("Priority"),
        inputs.one_of("AssignmentStatus", AssignmentStatus, many=True),
        inputs.sid("WorkflowSid", "WW"),
        inputs.text("WorkflowName"),
        inputs.sid("TaskQueueSid", "WQ"),
        inputs.text("TaskQueueName"),
        inputs.sid("RoutingTarget", "WK", "WQ", "WW"),
        inputs.boolean("HasAddons"),
        inputs.expression("EvaluateTaskAttributes", subject="task"),
        pagination.ordering(
            {
                "DateCreated": "date_created",
                "Priority": "priority",
                "VirtualStartTime": "virtual_start_us",
            },
            exclusive=frozenset({"DateCreated", "VirtualStartTime"}),
        ),
    )

    def narrow(self, rows: QuerySet[models.Task], given: Given) -> QuerySet[models.Task]:
        columns = {
            "priority": "priority",
            "assignment_status": "assignment_status__in",
            "workflow_sid": "workflow__sid",
            "workflow_name": "workflow__friendly_name",
            "task_queue_sid": "task_queue__sid",
            "task_queue_name": "task_queue__friendly_name",
            "routing_target": "routing_target",
        }
        rows = rows.filter(**{columns[name]: given[name] for name in columns if name in given})
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

    params = (
        inputs.document("Attributes"),
        inputs.one_of("AssignmentStatus", AssignmentStatus),
        inputs.text("Reason"),
        inputs.whole("Priority"),
        *map(_task_channel, reversed(_TASK_CHANNEL)),
        inputs.moment("VirtualStartTime"),
    )

    def find(self) -> models.Task:
        return self.one(self.rows(), sid=self.sid("sid", "WT"))

    def update(self, row: models.Task, given: dict[str, Any]) -> models.Task:
        """Change fields and status as one change: both happen, or neither.

        Fields are changed before the status, after which they may be fixed; but attributes that
        come with a cancellation are written last, lest they route the task once more.
        """
        version = self.if_version(row)
        status: AssignmentStatus | None = given.pop("assignment_status", None)
        reason: str | None = given.pop("reason", None) or None
        if status in _WORKED and "attributes" in given:
            raise ApiError(
                f"Attributes cannot be changed together with AssignmentStatus={status}; send two"
                " requests"
            )
        last = {"attributes": given.pop("attributes")} if status and "attributes" in given else {}
        with transaction.atomic():
            # The first step finds the version asked for; the row is locked from then on.
            if given:
                row, version = self._change(row, given, version), None
            if status is not None:
                row, version = self._move(row, status, reason, version), None
            if last:
                row = self._change(row, last, version)
        return row

    def _change(
        self, row: models.Task, changes: dict[str, Any], version: int | None
    ) -> models.Task:
        return tasks.update_task(
            task=row, actor=self.actor, now=self.now, if_version=version, **changes
        )

    def _move(
        self, row: models.Task, status: AssignmentStatus, reason: str | None, version: int | None
    ) -> models.Task:
        match status:
            case AssignmentStatus.CANCELED:
                return task_statuses.cancel_task(
                    task=row, reason=reason, actor=self.actor, now=self.now, if_version=version
                )
            case AssignmentStatus.COMPLETED:
                return task_statuses.complete_task(
                    task=row, reason=reason, actor=self.actor, now=self.now, if_version=version
                )
            case AssignmentStatus.WRAPPING:
                return task_statuses.wrap_up_task(
                    task=row, actor=self.actor, now=self.now, if_version=version
                )
        raise ApiError(
            f"AssignmentStatus is {str(status)!r}, which only the router sets; a request may set"
            " canceled, wrapping or completed"
        )

    def remove(self, row: models.Task) -> None:
        tasks.delete_task(task=row, actor=self.actor, now=self.now, if_version=self.if_version(row))


_WORKED = frozenset({AssignmentStatus.WRAPPING, AssignmentStatus.COMPLETED})
