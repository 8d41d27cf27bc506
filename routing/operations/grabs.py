"""Operation for grabbing: a worker takes a waiting task."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.actions import offers
from routing.fields.schemas import sample_sid
from routing.operations import references
from routing.operations.base import Arguments, Operation

_TASK: Final = references.compile_lookup(models.Task)


class TaskGrabOperation(Operation):
    """The grab of one waiting task."""

    params = (
        references.reference(
            "WorkerSid", models.Worker, "WK", argument="worker", required=True
        ).describe("The worker who takes it.", sample_sid("WK")),
    )

    def find(self) -> models.Task:
        """Return the task that the path names; raises `NotFound`."""
        return self.load_row(_TASK, self.sid("task_sid", "WT"))

    def create(self, task: models.Task, arguments: Arguments) -> models.Reservation:
        """Offer the task to the worker and accept it for them; return the reservation."""
        return offers.grab_task(task=task, actor=self.actor, now=self.now, **arguments)
