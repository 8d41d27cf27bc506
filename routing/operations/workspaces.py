"""Operations on workspaces."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models
from routing.actions import workspaces
from routing.core.vocabulary import QueueOrder
from routing.fields.workspaces import WORKSPACE
from routing.operations import parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation

_NAME = "The display name; unique in the account."
_COMMON = (
    parameters.url("EventCallbackUrl").describe(
        "The URL that every event is posted to; empty: none.", "https://example.com/events"
    ),
    parameters.text("EventsFilter").describe(
        "The event types to post, separated by commas; empty: all.", "task.created,task.completed"
    ),
    parameters.boolean("MultiTaskEnabled").describe(
        "Whether workers take several tasks at once, up to their capacities. Defaults to true."
        " Capacities are kept while it is off.",
        True,
    ),
    parameters.choice("PrioritizeQueueOrder", QueueOrder).describe(
        "Which queues a free worker serves first when FIFO and LIFO queues compete. Defaults to"
        " FIFO."
    ),
    parameters.whole_number("DeskGrace", least=0, most=workspaces.MAX_DESK_GRACE).describe(
        "Seconds after the last desk of a worker closes until the worker is moved to"
        " the timeout activity and their offers go to others; 0: never. Defaults to 30."
        " Workers who never opened a desk are not affected.",
        30,
    ),
    *parameters.derive_parameters(WORKSPACE),
)


class WorkspaceListOperation(ListOperation[models.Workspace]):
    """The workspaces of an account."""

    params = (
        parameters.friendly_name(required=True).describe(_NAME, "Support"),
        parameters.choice("Template", ("NONE", "FIFO")).describe(
            "`FIFO` also creates a queue for every worker and a workflow that fills it. `NONE`, the"
            " default, does not.",
            "FIFO",
        ),
        *_COMMON,
    )
    filters = (parameters.text("FriendlyName").describe("Only the one with this name.", "Support"),)

    def rows(self) -> QuerySet[models.Workspace]:
        rows = self.context.account.workspaces.all()
        return rows.select_related("default_activity", "timeout_activity")

    def filter_rows(
        self, rows: QuerySet[models.Workspace], arguments: Arguments
    ) -> QuerySet[models.Workspace]:
        # Workspace names are case-sensitive within an account, unlike the names in a workspace.
        return rows.filter(**{name: value.strip() for name, value in arguments.items()})

    def create(self, arguments: Arguments) -> models.Workspace:
        return workspaces.create_workspace(
            account=self.context.account, actor=self.actor, now=self.now, **arguments
        )


class WorkspaceInstanceOperation(InstanceOperation[models.Workspace]):
    """One workspace."""

    params = (
        parameters.friendly_name().describe(_NAME, "Support"),
        references.reference(
            "DefaultActivitySid", models.Activity, "WA", argument="default_activity"
        ).describe("The activity of workers created without one."),
        references.reference(
            "TimeoutActivitySid", models.Activity, "WA", argument="timeout_activity"
        ).describe("The activity of a worker who lets an offer expire."),
        *_COMMON,
    )

    def find(self) -> models.Workspace:
        return self.workspace

    def update(self, row: models.Workspace, arguments: dict[str, Any]) -> models.Workspace:
        return workspaces.update_workspace(
            workspace=row, actor=self.actor, now=self.now, **arguments
        )

    def remove(self, row: models.Workspace) -> None:
        workspaces.delete_workspace(workspace=row, actor=self.actor, now=self.now)
