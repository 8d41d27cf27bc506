"""Operations on workflows."""

from __future__ import annotations

import json
from typing import Any, Final

from django.db.models import QuerySet

from routing import models
from routing.actions import workflows
from routing.actions.support.workflow_revisions import LONGEST_MESSAGE
from routing.fields.queues import WORKFLOW
from routing.fields.schemas import sample_sid
from routing.operations import parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation

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
MESSAGE: Final = parameters.text("Message", limit=LONGEST_MESSAGE).describe(
    "What the new configuration is about, kept with its revision.", "Ask VIPs first"
)
_COMMON = (
    parameters.url("AssignmentCallbackUrl").describe(
        "The URL called for each offer. Empty: offers are answered by REST or on the desk."
    ),
    parameters.url("FallbackAssignmentCallbackUrl").describe("The URL called when that one fails."),
    *parameters.derive_parameters(WORKFLOW),
)


class _WorkflowsOperation(Operation):
    def rows(self) -> QuerySet[models.Workflow]:
        return self.workspace.workflows.select_related("revision")


class WorkflowListOperation(_WorkflowsOperation, ListOperation[models.Workflow]):
    """The workflows of a workspace."""

    params = (
        parameters.friendly_name(required=True).describe(_NAME, "Incoming chats"),
        parameters.document("Configuration", required=True).describe(_CONFIGURATION, _EXAMPLE),
        MESSAGE,
        *_COMMON,
    )
    filters = (
        parameters.text("FriendlyName").describe("Only the one with this name.", "Incoming chats"),
    )

    def filter_rows(
        self, rows: QuerySet[models.Workflow], arguments: Arguments
    ) -> QuerySet[models.Workflow]:
        return rows.filter(
            references.filter_condition(arguments, {"friendly_name": "friendly_name"})
        )

    def create(self, arguments: Arguments) -> models.Workflow:
        return workflows.create_workflow(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class WorkflowInstanceOperation(_WorkflowsOperation, InstanceOperation[models.Workflow]):
    """One workflow."""

    params = (
        parameters.friendly_name().describe(_NAME, "Incoming chats"),
        parameters.document("Configuration").describe(_CONFIGURATION),
        parameters.boolean("ReEvaluateTasks").describe(
            "Whether waiting tasks are routed again. Defaults to false.", True
        ),
        MESSAGE,
        *_COMMON,
    )

    def find(self) -> models.Workflow:
        return self.first_row(self.rows().filter(sid=self.sid("sid", "WW")))

    def update(self, row: models.Workflow, arguments: dict[str, Any]) -> models.Workflow:
        return workflows.update_workflow(workflow=row, actor=self.actor, now=self.now, **arguments)

    def remove(self, row: models.Workflow) -> None:
        workflows.delete_workflow(workflow=row, actor=self.actor, now=self.now)
