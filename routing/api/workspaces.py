"""Views for workspaces."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.workspaces import WORKSPACE
from routing.operations.workspaces import WorkspaceInstanceOperation, WorkspaceListOperation


class _Workspaces(ResourceView):
    shape = WORKSPACE

    def represent(self, row: models.Workspace) -> dict[str, Any]:
        return WORKSPACE.represent(row, base=self.base)


class WorkspaceList(_Workspaces, ListView):
    """The workspaces of an account."""

    operation_class = WorkspaceListOperation
    key = "workspaces"
    about = {
        "get": "List workspaces",
        "post": "Create a workspace\n\nIt begins with three activities (Offline, Available,"
        " Unavailable) and five task channels (default, voice, sms, chat, video).",
    }


class WorkspaceInstance(_Workspaces, InstanceView):
    """One workspace."""

    operation_class = WorkspaceInstanceOperation
    about = {
        "get": "Fetch a workspace",
        "post": "Change a workspace",
        "delete": "Delete a workspace\n\nEverything in it is deleted, including accepted tasks.",
    }
