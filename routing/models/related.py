"""Give many rows what they refer to, each of which was read once for all of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Model


def referred(rows: Collection[Model], name: str) -> set[Any]:
    """Return the ids of what rows refer to by a foreign key."""
    return {getattr(row, f"{name}_id") for row in rows} - {None}


def attach(rows: Collection[Model], related: Mapping[str, type[Model]]) -> None:
    """Read what rows refer to by foreign keys, each row of that once, and set it.

    Arguments:
        related: the model by the name of the key.
    """
    for name, model in related.items():
        refer(rows, name, model._default_manager.in_bulk(referred(rows, name)))


def refer(rows: Collection[Model], name: str, found: Mapping[Any, Model]) -> None:
    """Set what rows refer to by a foreign key; what was not found is None."""
    for row in rows:
        setattr(row, name, found.get(getattr(row, f"{name}_id")))
