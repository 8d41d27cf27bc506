"""Operations on worker channels: a worker's capacity for each task channel."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from routing import models, sids
from routing.actions import worker_channels
from routing.fields.workers import WORKER_CHANNEL
from routing.models.worker_channels import MAX_CAPACITY
from routing.operations import parameters
from routing.operations.base import InstanceOperation, ListOperation, Operation


class _WorkerChannelsOperation(Operation):
    @cached_property
    def worker(self) -> models.Worker:
        """Return the worker in the path."""
        return self.first_row(self.workspace.workers.filter(sid=self.sid("worker_sid", "WK")))

    def rows(self) -> QuerySet[models.WorkerChannel]:
        return self.worker.channels.select_related("task_channel")


class WorkerChannelListOperation(_WorkerChannelsOperation, ListOperation[models.WorkerChannel]):
    """The channels of a worker."""


class WorkerChannelInstanceOperation(
    _WorkerChannelsOperation, InstanceOperation[models.WorkerChannel]
):
    """One worker channel, found by its sid, or the task channel's sid or unique name."""

    params = (
        parameters.whole_number("Capacity", "configured_capacity", most=MAX_CAPACITY).describe(
            "The number of tasks of it that the worker takes at once; 0: none.", 3
        ),
        *parameters.derive_parameters(WORKER_CHANNEL),
    )

    def find(self) -> models.WorkerChannel:
        rows, named = self.rows(), self.names["sid"]
        if sids.is_valid(named, "WC"):
            return self.first_row(rows.filter(sid=named))
        if sids.is_valid(named, "TC"):
            return self.first_row(rows.filter(task_channel__sid=named))
        return self.first_row(rows.filter(task_channel__unique_name=self.unique_name("sid")))

    def update(self, row: models.WorkerChannel, arguments: dict[str, Any]) -> models.WorkerChannel:
        return worker_channels.update_worker_channel(
            channel=row, actor=self.actor, now=self.now, **arguments
        )
