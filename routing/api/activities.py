"""Views for activities."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.workspaces import ACTIVITY
from routing.operations.activities import ActivityInstanceOperation, ActivityListOperation


class _Activities(ResourceView):
    shape = ACTIVITY

    def represent(self, row: models.Activity) -> dict[str, Any]:
        return ACTIVITY.represent(row, base=self.base)


class ActivityList(_Activities, ListView):
    """The activities of a workspace."""

    operation_class = ActivityListOperation
    key = "activities"
    about = {
        "get": "List activities",
        "post": "Create an activity\n\nA workspace has at most 100.",
    }


class ActivityInstance(_Activities, InstanceView):
    """One activity. Its `available` flag is fixed at creation."""

    operation_class = ActivityInstanceOperation
    about = {
        "get": "Fetch an activity",
        "post": "Rename an activity",
        "delete": "Delete an activity\n\nRefused while a worker is in it, and while the workspace"
        " or a queue names it.",
    }
