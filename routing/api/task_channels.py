"""Views for task channels."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models, sids
from routing.actions import task_channels
from routing.api import inputs
from routing.api.base import Given, InstanceResource, ListResource, Resource
from routing.fields.workspaces import TASK_CHANNEL

_OPTIMIZED = inputs.boolean("ChannelOptimizedRouting").says(
    "Whether workers with most free capacity on this channel are preferred. Defaults to false."
)


class _TaskChannels(Resource):
    shape = TASK_CHANNEL

    def represent(self, row: models.TaskChannel) -> dict[str, Any]:
        return TASK_CHANNEL.represent(row, base=self.base)


class TaskChannelList(_TaskChannels, ListResource[models.TaskChannel]):
    """The task channels of a workspace."""

    key = "channels"
    about = {
        "get": "List task channels",
        "post": "Create a task channel\n\nEvery worker gets a capacity of 1 for it.",
    }
    params = (
        inputs.name(required=True).says("The display name.", "Web leads"),
        inputs.text("UniqueName", required=True).says(
            "The name in expressions and requests: letters, digits, `_` and `$`, no digit first;"
            " kept in lower case.",
            "leads",
            minLength=1,
            maxLength=inputs.NAME_LIMIT,
            pattern="^[A-Za-z_$][A-Za-z0-9_$]*$",
        ),
        _OPTIMIZED,
    )

    def rows(self) -> QuerySet[models.TaskChannel]:
        return self.workspace.task_channels.all()

    def create(self, given: Given) -> models.TaskChannel:
        return task_channels.create_task_channel(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class TaskChannelInstance(_TaskChannels, InstanceResource[models.TaskChannel]):
    """One task channel, found by sid or unique name."""

    about = {
        "get": "Fetch a task channel",
        "post": "Change a task channel\n\nIts unique name cannot be changed.",
        "delete": "Delete a task channel\n\nRefused for `default`, and while a task uses it. The"
        " workers' capacities for it go with it; finished tasks keep its sid and name.",
    }
    params = (inputs.name().says("The display name.", "Leads"), _OPTIMIZED)

    def find(self) -> models.TaskChannel:
        rows = self.workspace.task_channels.all()
        if sids.is_valid(str(self.kwargs["sid"]), "TC"):
            return self.one(rows.filter(sid=self.kwargs["sid"]))
        return self.one(rows.filter(unique_name=self.unique_name("sid")))

    def update(self, row: models.TaskChannel, given: dict[str, Any]) -> models.TaskChannel:
        return task_channels.update_task_channel(
            channel=row, actor=self.actor, now=self.now, **given
        )

    def remove(self, row: models.TaskChannel) -> None:
        task_channels.delete_task_channel(channel=row, actor=self.actor, now=self.now)
