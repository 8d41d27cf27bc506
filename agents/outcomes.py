"""Outcomes on the desk: which tasks are asked about, and the codes to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from routing import models
from routing.core.vocabulary import OutcomePolicy
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import Pending


def list_codes(workspace_id: int) -> list[models.OutcomeCode]:
    """Return the active outcome codes of a workspace, in their order."""
    return send_codes(workspace_id).result()


def send_codes(workspace_id: int) -> Pending[list[models.OutcomeCode]]:
    """Send the query of `list_codes`, see `pipeline`."""
    return _CODES.send(workspace_id)


def find_asked(rows: Sequence[models.Reservation]) -> set[int]:
    """Return the ids of the held reservations whose completion asks for an outcome.

    The codes are loaded only if a queue asks for them.
    """
    asked = {row.pk for row in rows if _find_policy(row) != OutcomePolicy.OFF}
    return asked if asked and list_codes(rows[0].workspace_id) else set()


def is_required(row: models.Reservation) -> bool:
    """Return whether the desk completes a held task only with an outcome."""
    return _find_policy(row) == OutcomePolicy.REQUIRED


def _find_policy(row: models.Reservation) -> OutcomePolicy:
    """Return the policy of a task's queue; a worker who has transferred the task is not asked."""
    queue = row.task.task_queue
    if queue is None or row.outgoing_id is not None:
        return OutcomePolicy.OFF
    return OutcomePolicy(queue.outcome_policy)


_CODES: Final = CompiledQuery(
    lambda workspace: models.OutcomeCode.objects.filter(
        workspace_id=workspace, active=True
    ).order_by("position", "pk")
)
