"""Serve workspaces."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models, representations
from routing.actions import workspaces
from routing.api import inputs
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.core.vocabulary import QueueOrder

_COMMON = (
    inputs.text("EventCallbackUrl"),
    inputs.text("EventsFilter"),
    inputs.boolean("MultiTaskEnabled"),
    inputs.one_of("PrioritizeQueueOrder", QueueOrder),
)


class _Workspaces(Resource):
    def workspaces(self) -> QuerySet[models.Workspace]:
        """Return the caller's workspaces with what showing them needs."""
        return super().workspaces().select_related("default_activity", "timeout_activity")

    def represent(self, row: models.Workspace) -> dict[str, Any]:
        return representations.workspace(row, base=self.base)


class WorkspaceList(_Workspaces, ListResource[models.Workspace]):
    """The workspaces of an account."""

    key = "workspaces"
    params = (
        inputs.text("FriendlyName", required=True),
        inputs.one_of("Template", ("NONE", "FIFO")),
        *_COMMON,
    )
    filters = (inputs.text("FriendlyName"),)

    def rows(self) -> QuerySet[models.Workspace]:
        return self.workspaces()

    def narrow(self, rows: QuerySet[models.Workspace], given: Given) -> QuerySet[models.Workspace]:
        return rows.filter(**given)

    def create(self, given: Given) -> models.Workspace:
        return workspaces.create_workspace(
            account=self.caller.account, actor=self.actor, now=self.now, **given
        )


class WorkspaceInstance(_Workspaces, InstanceResource[models.Workspace]):
    """One workspace."""

    params = (
        inputs.text("FriendlyName"),
        inputs.reference("DefaultActivitySid", models.Activity, "WA", argument="default_activity"),
        inputs.reference("TimeoutActivitySid", models.Activity, "WA", argument="timeout_activity"),
        *_COMMON,
    )

    def find(self) -> models.Workspace:
        return self.workspace

    def update(self, row: models.Workspace, given: dict[str, Any]) -> models.Workspace:
        return workspaces.update_workspace(workspace=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Workspace) -> None:
        workspaces.delete_workspace(workspace=row, actor=self.actor, now=self.now)
