"""Outcomes of completed tasks: a code of the workspace and a note."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routing import models
from routing.actions.support import inputs
from routing.actions.support.errors import InvalidInput

NOTE_LIMIT: Final = 1_000
"""Most characters of a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a task ended, as the worker or a program says."""

    code: models.OutcomeCode | None = None
    note: str | None = None


def set_outcome(reservation: models.Reservation, outcome: Outcome) -> None:
    """Set the outcome of a reservation that is completed next, which writes it.

    Raises `InvalidInput` for a code of another workspace, or one that is not active.
    """
    code = outcome.code
    if code is not None:
        if code.workspace_id != reservation.workspace_id:
            raise InvalidInput(
                f"outcome code {code.sid} belongs to another workspace", field="outcome_code"
            )
        if not code.active:
            raise InvalidInput(
                f"the outcome code {code.unique_name!r} is not active; choose an active one",
                field="outcome_code",
            )
        reservation.outcome_code = code.unique_name
    note = inputs.check_text(outcome.note or "", field="outcome_note", limit=NOTE_LIMIT)
    reservation.outcome_note = note.strip() or None
