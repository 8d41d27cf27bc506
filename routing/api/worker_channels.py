"""Views for worker channels: a worker's capacity for each task channel."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import NO_DELETE, READ_ONLY, InstanceView, ListView, ResourceView
from routing.fields.workers import WORKER_CHANNEL
from routing.operations.worker_channels import (
    WorkerChannelInstanceOperation,
    WorkerChannelListOperation,
)


class _WorkerChannels(ResourceView):
    shape = WORKER_CHANNEL

    def represent(self, row: models.WorkerChannel) -> dict[str, Any]:
        row.worker = self.operation.worker
        return WORKER_CHANNEL.represent(row, base=self.base)


class WorkerChannelList(_WorkerChannels, ListView):
    """The channels of a worker."""

    operation_class = WorkerChannelListOperation
    http_method_names = READ_ONLY
    key = "channels"
    about = {"get": "List a worker's channels\n\nOne for every task channel of the workspace."}


class WorkerChannelInstance(_WorkerChannels, InstanceView):
    """One worker channel, found by its sid, or the task channel's sid or unique name."""

    operation_class = WorkerChannelInstanceOperation
    http_method_names = NO_DELETE
    about = {
        "get": "Fetch a worker's channel",
        "post": "Change a worker's channel\n\nAccepted tasks are not affected.",
    }
