"""View for grabbing: a worker takes a waiting task."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from routing import models
from routing.api import idempotency
from routing.api.base import POST_ONLY, ResourceView
from routing.api.responses import ApiResponse
from routing.fields.tasks import RESERVATION
from routing.operations.grabs import TaskGrabOperation


class TaskGrab(ResourceView):
    """The grab of one waiting task."""

    operation_class = TaskGrabOperation
    http_method_names = POST_ONLY
    created = 201
    repeatable = True
    shape = RESERVATION
    about = {
        "post": "Grab a task\n\nGives a waiting task to a worker. The answer is"
        " their reservation, already accepted. If they may not have it, nothing changes and"
        " `details.reason` of the 409 gives the reason."
    }

    def represent(self, row: models.Reservation) -> dict[str, Any]:
        row.workspace = self.workspace
        return RESERVATION.represent(row, base=self.base)

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Offer the task to the worker and accept it for them, or give the reason against it."""
        operation: TaskGrabOperation = self.operation
        return idempotency.answer_creation(self, lambda: self._grab(operation))

    def _grab(self, operation: TaskGrabOperation) -> ApiResponse:
        task = operation.find()
        reservation = operation.create(task, operation.read_arguments(self.form))
        return self.answer(reservation, status=self.created)
