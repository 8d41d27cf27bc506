"""Views for workflows."""

from __future__ import annotations

from typing import Any

from routing import configurations, models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.queues import WORKFLOW, show_warnings
from routing.operations.workflows import WorkflowInstanceOperation, WorkflowListOperation


class _Workflows(ResourceView):
    shape = WORKFLOW

    def represent(self, row: models.Workflow) -> dict[str, Any]:
        row.workspace = self.workspace
        return WORKFLOW.represent(row, base=self.base)

    def represent_one(self, row: models.Workflow) -> dict[str, Any]:
        """Return a workflow with the warnings about its configuration."""
        row.workspace = self.workspace
        return represent_workflow(row, base=self.base)


class WorkflowList(_Workflows, ListView):
    """The workflows of a workspace."""

    operation_class = WorkflowListOperation
    key = "workflows"
    about = {
        "get": "List workflows",
        "post": "Create a workflow\n\nErrors in its configuration are refused with their place;"
        " doubtful settings are returned in `warnings`.",
    }


class WorkflowInstance(_Workflows, InstanceView):
    """One workflow."""

    operation_class = WorkflowInstanceOperation
    about = {
        "get": "Fetch a workflow",
        "post": "Change a workflow\n\nWaiting tasks keep the configuration they were created"
        " with, unless ReEvaluateTasks is true. New tasks use the new one.",
        "delete": "Delete a workflow\n\nRefused while a waiting or offered task uses it.",
    }


def represent_workflow(row: models.Workflow, *, base: str) -> dict[str, Any]:
    """Return a workflow with the warnings about its configuration."""
    assert row.revision_id is not None
    doubts = configurations.load_configuration(row.revision_id).warnings
    return WORKFLOW.represent(row, base=base) | {"warnings": show_warnings(doubts)}
