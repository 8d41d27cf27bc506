"""Views for workers."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.workers import WORKER
from routing.operations.workers import WorkerInstanceOperation, WorkerListOperation


class _Workers(ResourceView):
    shape = WORKER

    def represent(self, row: models.Worker) -> dict[str, Any]:
        row.workspace = self.workspace
        return WORKER.represent(row, base=self.base)


class WorkerList(_Workers, ListView):
    """The workers of a workspace."""

    operation_class = WorkerListOperation
    key = "workers"
    about = {
        "get": "List workers",
        "post": "Create a worker\n\nThey get a capacity of 1 for every task channel.",
    }


class WorkerInstance(_Workers, InstanceView):
    """One worker."""

    operation_class = WorkerInstanceOperation
    about = {
        "get": "Fetch a worker",
        "post": "Change a worker\n\nAn activity that takes no work stops new offers at once."
        " Accepted"
        " tasks continue.",
        "delete": "Delete a worker\n\nRefused while they have an open offer or a task. The"
        " reservations of finished tasks keep the worker's sid and name.",
    }
