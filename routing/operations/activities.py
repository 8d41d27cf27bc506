"""Operations on activities."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models
from routing.actions import activities
from routing.operations import parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation

_NAME = "The display name; unique in the workspace, ignoring upper and lower case."


class ActivityListOperation(ListOperation[models.Activity]):
    """The activities of a workspace."""

    params = (
        parameters.friendly_name(required=True).describe(_NAME, "Lunch"),
        parameters.boolean("Available").describe(
            "Whether workers in it take work. Defaults to false and cannot be changed later.",
            False,
        ),
    )
    filters = (
        parameters.text("FriendlyName").describe("Only the one with this name.", "Available"),
        parameters.boolean("Available").describe(
            "Only those in which workers do, or do not, take work."
        ),
    )

    def rows(self) -> QuerySet[models.Activity]:
        return self.workspace.activities.all()

    def filter_rows(
        self, rows: QuerySet[models.Activity], arguments: Arguments
    ) -> QuerySet[models.Activity]:
        columns = {"friendly_name": "friendly_name", "available": "available"}
        return rows.filter(references.filter_condition(arguments, columns))

    def create(self, arguments: Arguments) -> models.Activity:
        return activities.create_activity(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class ActivityInstanceOperation(InstanceOperation[models.Activity]):
    """One activity. Its `available` flag is fixed at creation."""

    params = (parameters.friendly_name().describe(_NAME, "Lunch break"),)

    def find(self) -> models.Activity:
        return self.first_row(self.workspace.activities.filter(sid=self.sid("sid", "WA")))

    def update(self, row: models.Activity, arguments: dict[str, Any]) -> models.Activity:
        return activities.rename_activity(activity=row, actor=self.actor, now=self.now, **arguments)

    def remove(self, row: models.Activity) -> None:
        activities.delete_activity(activity=row, actor=self.actor, now=self.now)
