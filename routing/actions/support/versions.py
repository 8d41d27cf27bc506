"""Check the version that a caller has seen."""

from __future__ import annotations

from routing import models
from routing.actions.support.errors import StaleState


def check_version(
    row: models.Task | models.Reservation | models.Worker, wanted: int | None
) -> None:
    """Raise `StaleState` unless a row, read under lock, has the wanted version."""
    if wanted is not None and row.version != wanted:
        raise StaleState(
            f"{row.sid} has version {row.version}, not {wanted}: read it again and decide again"
        )
