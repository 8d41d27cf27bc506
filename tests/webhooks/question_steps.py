"""Steps that tests of assignment callbacks share."""

from __future__ import annotations

import json
from typing import Any

from routing import models
from routing.webhook_delivery import assignment_questions
from tests import factories
from tests.webhooks.conftest import Clock


def answer_with(answer: Any, status: int = 200, content_type: str = "application/json") -> Any:
    """Return the behaviour of a receiver that always gives this answer."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return lambda request: request.answer(status, body, content_type)


def send_questions(workflow: models.Workflow, clock: Clock) -> None:
    assignment_questions.send_due_questions(workflow.sid, clock=clock)


def offer(workspace: models.Workspace, **given: Any) -> models.Reservation:
    """Make an offer to a worker of its own."""
    factories.worker(workspace)
    return factories.offered(workspace, **given)


def concluded(reservation: models.Reservation) -> models.AssignmentCallback:
    return models.AssignmentCallback.objects.get(reservation=reservation)


def failures() -> list[dict[str, Any]]:
    rows = models.Event.objects.filter(event_type="reservation.callback-failed").order_by("pk")
    return [row.event_data for row in rows]
