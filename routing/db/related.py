"""Attach related rows to many rows, loading each related row once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model


def referred(rows: Collection[Model], name: str) -> set[Any]:
    """Return the ids that rows refer to by a foreign key."""
    return {getattr(row, f"{name}_id") for row in rows} - {None}


def attach_related(rows: Collection[Model], related: Mapping[str, type[Model]]) -> None:
    """Load the related rows of these foreign keys, each once, and set them.

    Arguments:
        related: the related model by the name of the foreign key.
    """
    for name, model in related.items():
        refer(rows, name, model._default_manager.in_bulk(referred(rows, name)))


def refer(rows: Collection[Model], name: str, found: Mapping[Any, Model]) -> None:
    """Set a foreign key's related rows; None for those not found."""
    for row in rows:
        # As `select_related` does: `setattr` would check each row and write its id again.
        row._state.fields_cache[name] = found.get(getattr(row, f"{name}_id"))
