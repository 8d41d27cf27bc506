"""Views for activities."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models
from routing.actions import activities
from routing.api import inputs, lookups
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.fields.workspaces import ACTIVITY

_NAME = "The display name; unique in the workspace, ignoring upper and lower case."


class _Activities(Resource):
    shape = ACTIVITY

    def represent(self, row: models.Activity) -> dict[str, Any]:
        return ACTIVITY.represent(row, base=self.base)


class ActivityList(_Activities, ListResource[models.Activity]):
    """The activities of a workspace."""

    key = "activities"
    about = {
        "get": "List activities",
        "post": "Create an activity\n\nA workspace has at most 100.",
    }
    params = (
        inputs.name(required=True).says(_NAME, "Lunch"),
        inputs.boolean("Available").says(
            "Whether workers in it take work. Defaults to false and cannot be changed later.",
            False,
        ),
    )
    filters = (
        inputs.text("FriendlyName").says("Only the one with this name.", "Available"),
        inputs.boolean("Available").says("Only those in which workers do, or do not, take work."),
    )

    def rows(self) -> QuerySet[models.Activity]:
        return self.workspace.activities.all()

    def narrow(self, rows: QuerySet[models.Activity], given: Given) -> QuerySet[models.Activity]:
        columns = {"friendly_name": "friendly_name", "available": "available"}
        return rows.filter(lookups.conditions(given, columns))

    def create(self, given: Given) -> models.Activity:
        return activities.create_activity(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class ActivityInstance(_Activities, InstanceResource[models.Activity]):
    """One activity. Its `available` flag is fixed at creation."""

    about = {
        "get": "Fetch an activity",
        "post": "Rename an activity",
        "delete": "Delete an activity\n\nRefused while a worker is in it, and while the workspace"
        " or a queue names it.",
    }
    params = (inputs.name().says(_NAME, "Lunch break"),)

    def find(self) -> models.Activity:
        return self.one(self.workspace.activities.filter(sid=self.sid("sid", "WA")))

    def update(self, row: models.Activity, given: dict[str, Any]) -> models.Activity:
        return activities.rename_activity(activity=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Activity) -> None:
        activities.delete_activity(activity=row, actor=self.actor, now=self.now)
