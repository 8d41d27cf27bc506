"""Views for workspaces."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models
from routing.actions import workspaces
from routing.api import inputs
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.core.vocabulary import QueueOrder
from routing.fields.workspaces import WORKSPACE

_NAME = "The display name; unique in the account."
_COMMON = (
    inputs.url("EventCallbackUrl").says(
        "The URL that every event is posted to; empty: none.", "https://example.com/events"
    ),
    inputs.text("EventsFilter").says(
        "The event types to post, separated by commas; empty: all.", "task.created,task.completed"
    ),
    inputs.boolean("MultiTaskEnabled").says(
        "Whether workers take several tasks at once, up to their capacities. Defaults to true."
        " Capacities are kept while it is off.",
        True,
    ),
    inputs.one_of("PrioritizeQueueOrder", QueueOrder).says(
        "Which queues a free worker serves first when FIFO and LIFO queues compete. Defaults to"
        " FIFO."
    ),
    inputs.whole("DeskGrace", least=0, most=workspaces.MAX_DESK_GRACE).says(
        "Seconds after the last desk of a worker closes until the worker is moved to"
        " the timeout activity and their offers go to others; 0: never. Defaults to 30."
        " Workers who never opened a desk are not affected.",
        30,
    ),
    inputs.text("TimeZone").says(
        "The time zone in which the admin shows times. Defaults to UTC.",
        "Europe/Berlin",
    ),
)


class _Workspaces(Resource):
    shape = WORKSPACE

    def workspaces(self) -> QuerySet[models.Workspace]:
        """Return the caller's workspaces with the relations that their representation needs."""
        return super().workspaces().select_related("default_activity", "timeout_activity")

    def represent(self, row: models.Workspace) -> dict[str, Any]:
        return WORKSPACE.represent(row, base=self.base)


class WorkspaceList(_Workspaces, ListResource[models.Workspace]):
    """The workspaces of an account."""

    key = "workspaces"
    about = {
        "get": "List workspaces",
        "post": "Create a workspace\n\nIt begins with three activities (Offline, Available,"
        " Unavailable) and five task channels (default, voice, sms, chat, video).",
    }
    params = (
        inputs.name(required=True).says(_NAME, "Support"),
        inputs.one_of("Template", ("NONE", "FIFO")).says(
            "`FIFO` also creates a queue for every worker and a workflow that fills it. `NONE`, the"
            " default, does not.",
            "FIFO",
        ),
        *_COMMON,
    )
    filters = (inputs.text("FriendlyName").says("Only the one with this name.", "Support"),)

    def rows(self) -> QuerySet[models.Workspace]:
        return self.workspaces()

    def narrow(self, rows: QuerySet[models.Workspace], given: Given) -> QuerySet[models.Workspace]:
        # Workspace names are case-sensitive within an account, unlike the names in a workspace.
        return rows.filter(**{name: value.strip() for name, value in given.items()})

    def create(self, given: Given) -> models.Workspace:
        return workspaces.create_workspace(
            account=self.caller.account, actor=self.actor, now=self.now, **given
        )


class WorkspaceInstance(_Workspaces, InstanceResource[models.Workspace]):
    """One workspace."""

    about = {
        "get": "Fetch a workspace",
        "post": "Change a workspace",
        "delete": "Delete a workspace\n\nEverything in it is deleted, including accepted tasks.",
    }
    params = (
        inputs.name().says(_NAME, "Support"),
        inputs.reference(
            "DefaultActivitySid", models.Activity, "WA", argument="default_activity"
        ).says("The activity of workers created without one."),
        inputs.reference(
            "TimeoutActivitySid", models.Activity, "WA", argument="timeout_activity"
        ).says("The activity of a worker who lets an offer expire."),
        *_COMMON,
    )

    def find(self) -> models.Workspace:
        return self.workspace

    def update(self, row: models.Workspace, given: dict[str, Any]) -> models.Workspace:
        return workspaces.update_workspace(workspace=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Workspace) -> None:
        workspaces.delete_workspace(workspace=row, actor=self.actor, now=self.now)
