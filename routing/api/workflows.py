"""Views for workflows."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet

from routing import configurations, models
from routing.actions import workflows
from routing.api import inputs, lookups
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.fields.queues import WORKFLOW, show_warnings
from routing.fields.schemas import sample_sid

_NAME = "The display name; unique in the workspace."
_CONFIGURATION = "The JSON document that routes tasks into queues, stored unchanged."
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
        "The URL called for each offer. Empty: offers are answered by REST or on the desk."
    ),
    inputs.url("FallbackAssignmentCallbackUrl").says("The URL called when that one fails."),
    inputs.whole("TaskReservationTimeout", least=1, most=86_400).says(
        "The number of seconds an offer stays open. Defaults to 120.", 120
    ),
)


class _Workflows(Resource):
    shape = WORKFLOW

    def rows(self) -> QuerySet[models.Workflow]:
        return self.workspace.workflows.select_related("revision")

    def represent(self, row: models.Workflow) -> dict[str, Any]:
        row.workspace = self.workspace
        return WORKFLOW.represent(row, base=self.base)

    def represent_one(self, row: models.Workflow) -> dict[str, Any]:
        """Return a workflow with the warnings about its configuration."""
        assert row.revision_id is not None
        doubts = configurations.load_configuration(row.revision_id).warnings
        return self.represent(row) | {"warnings": show_warnings(doubts)}


class WorkflowList(_Workflows, ListResource[models.Workflow]):
    """The workflows of a workspace."""

    key = "workflows"
    about = {
        "get": "List workflows",
        "post": "Create a workflow\n\nErrors in its configuration are refused with their place;"
        " doubtful settings are returned in `warnings`.",
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
        "post": "Change a workflow\n\nWaiting tasks keep the configuration they were created"
        " with, unless ReEvaluateTasks is true. New tasks use the new one.",
        "delete": "Delete a workflow\n\nRefused while a waiting or offered task uses it.",
    }
    params = (
        inputs.name().says(_NAME, "Incoming chats"),
        inputs.document("Configuration").says(_CONFIGURATION),
        inputs.boolean("ReEvaluateTasks").says(
            "Whether waiting tasks are routed again. Defaults to false.", True
        ),
        *_COMMON,
    )

    def find(self) -> models.Workflow:
        return self.one(self.rows().filter(sid=self.sid("sid", "WW")))

    def update(self, row: models.Workflow, given: dict[str, Any]) -> models.Workflow:
        return workflows.update_workflow(workflow=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Workflow) -> None:
        workflows.delete_workflow(workflow=row, actor=self.actor, now=self.now)
