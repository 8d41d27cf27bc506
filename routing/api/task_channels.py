"""Serve task channels."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from routing import models, representations, sids
from routing.actions import task_channels
from routing.api import inputs
from routing.api.base import Given, InstanceResource, ListResource, Resource


class _TaskChannels(Resource):
    def represent(self, row: models.TaskChannel) -> dict[str, Any]:
        return representations.task_channel(row, base=self.base)


class TaskChannelList(_TaskChannels, ListResource[models.TaskChannel]):
    """The task channels of a workspace."""

    key = "channels"
    params = (
        inputs.text("FriendlyName", required=True),
        inputs.text("UniqueName", required=True),
        inputs.boolean("ChannelOptimizedRouting"),
    )

    def rows(self) -> QuerySet[models.TaskChannel]:
        return self.workspace.task_channels.all()

    def create(self, given: Given) -> models.TaskChannel:
        return task_channels.create_task_channel(
            workspace=self.workspace, actor=self.actor, now=self.now, **given
        )


class TaskChannelInstance(_TaskChannels, InstanceResource[models.TaskChannel]):
    """One task channel, named by its sid or its unique name."""

    params = (inputs.text("FriendlyName"), inputs.boolean("ChannelOptimizedRouting"))

    def find(self) -> models.TaskChannel:
        rows = self.workspace.task_channels.all()
        if sids.is_valid(str(self.kwargs["sid"]), "TC"):
            return self.one(rows, sid=self.kwargs["sid"])
        return self.one(rows, unique_name=self.unique_name("sid"))

    def update(self, row: models.TaskChannel, given: dict[str, Any]) -> models.TaskChannel:
        return task_channels.update_task_channel(
            channel=row, actor=self.actor, now=self.now, **given
        )

    def remove(self, row: models.TaskChannel) -> None:
        task_channels.delete_task_channel(channel=row, actor=self.actor, now=self.now)
