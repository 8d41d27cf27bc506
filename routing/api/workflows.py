"""Serve workflows."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet

from routing import configurations, models, representations
from routing.actions import workflows
from routing.api import inputs, lookups, shapes
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.api.schemas import sample_sid

_NAME = "What people call it; no two of a workspace are called alike."
_CONFIGURATION = "The document that says which tasks go into which queue: JSON, kept to the letter."
_EXAMPLE = json.dumps(
    {
        "task_routing": {
            "filters": [
                {
                    "filter_friendly_name": "Urgent",
                    "expression": "urgent == true",
                    "targets": [{"queue": sample_sid("WQ"), "priority": 10, "timeout": 60}],
                }
            ],
            "default_filter": {"queue": sample_sid("WQ")},
        }
    }
)
_COMMON = (
    inputs.url("AssignmentCallbackUrl").says(
        "Who is asked about each offer; empty: nobody, and offers are answered by REST or desk."
    ),
    inputs.url("FallbackAssignmentCallbackUrl").says("Who is asked when that one fails."),
    inputs.whole("TaskReservationTimeout", least=1, most=86_400).says(
        "How many seconds an offer stays open; 120 unless said otherwise.", 120
    ),
)


class _Workflows(Resource):
    shape = shapes.WORKFLOW

    def rows(self) -> QuerySet[models.Workflow]:
        return self.workspace.workflows.select_related("revision")

    def represent(self, row: models.Workflow) -> dict[str, Any]:
        row.workspace = self.workspace
        return representations.workflow(row, base=self.base)

    def represent_one(self, row: models.Workflow) -> dict[str, Any]:
        """Return a workflow with what is doubtful in its configuration."""
        assert row.revision_id is not None
        doubts = configurations.of(row.revision_id).warnings
        return self.represent(row) | {"warnings": representations.warnings(doubts)}


class WorkflowList(_Workflows, ListResource[models.Workflow]):
    """The workflows of a workspace."""

    key = "workflows"
    about = {
        "get": "List workflows",
        "post": "Create a workflow\n\nWhat is wrong in its configuration is refused with its place;"
        " what is doubtful comes back in `warnings`.",
    }
    params = (
        inputs.name(required=True).says(_NAME, "Incoming chats"),
        inputs.document("Configuration", required=True).says(_CONFIGURATION, _EXAMPLE),
        *_COMMON,
    )
    filters = (inputs.text("FriendlyName").says("Only the one with this name.", "Incoming chats"),)

    def narrow(self, rows: QuerySet[models.Workflow], given: Given) -> QuerySet[models.Workflow]:
        return rows.filter(lookups.conditions(given, {"friendly_name": "friendly_name"}))

    def create(self, given: Given) -> models.Workflow:
        return workflows.create_workflow(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class WorkflowInstance(_Workflows, InstanceResource[models.Workflow]):
    """One workflow."""

    about = {
        "get": "Fetch a workflow",
        "post": "Change a workflow\n\nTasks that wait keep following the configuration they came"
        " with, unless ReEvaluateTasks is true; new tasks follow the new one.",
        "delete": "Delete a workflow\n\nRefused while a task that waits or is on offer follows it.",
    }
    params = (
        inputs.name().says(_NAME, "Incoming chats"),
        inputs.document("Configuration").says(_CONFIGURATION),
        inputs.boolean("ReEvaluateTasks").says(
            "Whether waiting tasks are routed anew; false unless said otherwise.", True
        ),
        *_COMMON,
    )

    def find(self) -> models.Workflow:
        return self.one(self.rows().filter(sid=self.sid("sid", "WW")))

    def update(self, row: models.Workflow, given: dict[str, Any]) -> models.Workflow:
        return workflows.update_workflow(workflow=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Workflow) -> None:
        workflows.delete_workflow(workflow=row, actor=self.actor, now=self.now)
