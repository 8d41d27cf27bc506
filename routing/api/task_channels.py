"""Views for task channels."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.workspaces import TASK_CHANNEL
from routing.operations.task_channels import TaskChannelInstanceOperation, TaskChannelListOperation


class _TaskChannels(ResourceView):
    shape = TASK_CHANNEL

    def represent(self, row: models.TaskChannel) -> dict[str, Any]:
        return TASK_CHANNEL.represent(row, base=self.base)


class TaskChannelList(_TaskChannels, ListView):
    """The task channels of a workspace."""

    operation_class = TaskChannelListOperation
    key = "channels"
    about = {
        "get": "List task channels",
        "post": "Create a task channel\n\nEvery worker gets a capacity of 1 for it.",
    }


class TaskChannelInstance(_TaskChannels, InstanceView):
    """One task channel, found by sid or unique name."""

    operation_class = TaskChannelInstanceOperation
    about = {
        "get": "Fetch a task channel",
        "post": "Change a task channel\n\nIts unique name cannot be changed.",
        "delete": "Delete a task channel\n\nRefused for `default`, and while a task uses it. The"
        " workers' capacities for it go with it; finished tasks keep its sid and name.",
    }
