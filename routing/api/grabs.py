"""View for grabbing: a worker takes a waiting task."""

from __future__ import annotations

from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

from routing import models
from routing.actions import offers
from routing.api import idempotency, inputs, lookups
from routing.api.base import POST_ONLY, Resource
from routing.fields.schemas import sample_sid
from routing.fields.tasks import RESERVATION

_TASK: Final = lookups.by(models.Task)


class TaskGrab(Resource):
    """The grab of one waiting task."""

    http_method_names = POST_ONLY
    created = 201
    repeatable = True
    shape = RESERVATION
    about = {
        "post": "Grab a task\n\nGives a waiting task to a worker. The answer is"
        " their reservation, already accepted. If they may not have it, nothing changes and"
        " `details.reason` of the 409 gives the reason."
    }
    params = (
        inputs.reference("WorkerSid", models.Worker, "WK", argument="worker", required=True).says(
            "The worker who takes it.", sample_sid("WK")
        ),
    )

    def represent(self, row: models.Reservation) -> dict[str, Any]:
        row.workspace = self.workspace
        return RESERVATION.represent(row, base=self.base)

    def post(self, request: Request, **kwargs: str) -> Response:
        """Offer the task to the worker and accept it for them, or give the reason against it."""
        _ = self.workspace
        return idempotency.once(self, self._grab)

    def _grab(self) -> Response:
        task = self.here(_TASK, self.sid("task_sid", "WT"))
        reservation = offers.grab_task(task=task, actor=self.actor, now=self.now, **self.given())
        return self.answer(reservation, status=self.created)
