"""Serve workflows."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import configurations, models, representations
from routing.actions import workflows
from routing.api import inputs
from routing.api.base import Given, InstanceResource, ListResource, Resource

_COMMON = (
    inputs.text("AssignmentCallbackUrl"),
    inputs.text("FallbackAssignmentCallbackUrl"),
    inputs.whole("TaskReservationTimeout"),
)


class _Workflows(Resource):
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
    params = (
        inputs.text("FriendlyName", required=True),
        inputs.document("Configuration", required=True),
        *_COMMON,
    )
    filters = (inputs.text("FriendlyName"),)

    def narrow(self, rows: QuerySet[models.Workflow], given: Given) -> QuerySet[models.Workflow]:
        return rows.filter(**given)

    def create(self, given: Given) -> models.Workflow:
        return workflows.create_workflow(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class WorkflowInstance(_Workflows, InstanceResource[models.Workflow]):
    """One workflow."""

    params = (
        inputs.text("FriendlyName"),
        inputs.document("Configuration"),
        inputs.boolean("ReEvaluateTasks"),
        *_COMMON,
    )

    def find(self) -> models.Workflow:
        return self.one(self.rows(), sid=self.sid("sid", "WW"))

    def update(self, row: models.Workflow, given: dict[str, Any]) -> models.Workflow:
        return workflows.update_workflow(workflow=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Workflow) -> None:
        workflows.delete_workflow(workflow=row, actor=self.actor, now=self.now)
