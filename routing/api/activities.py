"""Serve activities."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models, representations
from routing.actions import activities
from routing.api import inputs
from routing.api.base import Given, InstanceResource, ListResource, Resource


class _Activities(Resource):
    def represent(self, row: models.Activity) -> dict[str, Any]:
        return representations.activity(row, base=self.base)


class ActivityList(_Activities, ListResource[models.Activity]):
    """The activities of a workspace."""

    key = "activities"
    params = (inputs.text("FriendlyName", required=True), inputs.boolean("Available"))
    filters = (inputs.text("FriendlyName"), inputs.boolean("Available"))

    def rows(self) -> QuerySet[models.Activity]:
        return self.workspace.activities.all()

    def narrow(self, rows: QuerySet[models.Activity], given: Given) -> QuerySet[models.Activity]:
        return rows.filter(**given)

    def create(self, given: Given) -> models.Activity:
        return activities.create_activity(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class ActivityInstance(_Activities, InstanceResource[models.Activity]):
    """One activity; whether it is available was fixed when it was created."""

    params = (inputs.text("FriendlyName"),)

    def find(self) -> models.Activity:
        return self.one(self.workspace.activities.all(), sid=self.sid("sid", "WA"))

    def update(self, row: models.Activity, given: dict[str, Any]) -> models.Activity:
        return activities.rename_activity(activity=row, actor=self.actor, now=self.now, **given)

    def remove(self, row: models.Activity) -> None:
        activities.delete_activity(activity=row, actor=self.actor, now=self.now)
