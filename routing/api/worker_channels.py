"""Views for worker channels: a worker's capacity for each task channel."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from routing import models, sids
from routing.actions import worker_channels
from routing.api import inputs
from routing.api.base import (
    NO_DELETE,
    READ_ONLY,
    InstanceResource,
    ListResource,
    Resource,
)
from routing.fields.workers import WORKER_CHANNEL
from routing.models.worker_channels import MAX_CAPACITY


class _WorkerChannels(Resource):
    shape = WORKER_CHANNEL

    @cached_property
    def worker(self) -> models.Worker:
        """Return the worker in the path."""
        return self.one(self.workspace.workers.filter(sid=self.sid("worker_sid", "WK")))

    def rows(self) -> QuerySet[models.WorkerChannel]:
        return self.worker.channels.select_related("task_channel")

    def represent(self, row: models.WorkerChannel) -> dict[str, Any]:
        row.worker = self.worker
        return WORKER_CHANNEL.represent(row, base=self.base)


class WorkerChannelList(_WorkerChannels, ListResource[models.WorkerChannel]):
    """The channels of a worker."""

    http_method_names = READ_ONLY
    key = "channels"
    about = {"get": "List a worker's channels\n\nOne for every task channel of the workspace."}


class WorkerChannelInstance(_WorkerChannels, InstanceResource[models.WorkerChannel]):
    """One worker channel, found by its sid, or the task channel's sid or unique name."""

    http_method_names = NO_DELETE
    about = {
        "get": "Fetch a worker's channel",
        "post": "Change a worker's channel\n\nAccepted tasks are not affected.",
    }
    params = (
        inputs.whole("Capacity", "configured_capacity", most=MAX_CAPACITY).says(
            "The number of tasks of it that the worker takes at once; 0: none.", 3
        ),
        inputs.boolean("Available").says(
            "Whether the worker currently takes this kind of work. The capacity is kept.", True
        ),
        inputs.whole("ReservedForManual", most=MAX_CAPACITY).says(
            "The number of slots that the router leaves free for grabbing.", 1
        ),
    )

    def find(self) -> models.WorkerChannel:
        rows, named = self.rows(), str(self.kwargs["sid"])
        if sids.is_valid(named, "WC"):
            return self.one(rows.filter(sid=named))
        if sids.is_valid(named, "TC"):
            return self.one(rows.filter(task_channel__sid=named))
        return self.one(rows.filter(task_channel__unique_name=self.unique_name("sid")))

    def update(self, row: models.WorkerChannel, given: dict[str, Any]) -> models.WorkerChannel:
        return worker_channels.update_worker_channel(
            channel=row, actor=self.actor, now=self.now, **given
        )
