"""`INDEXED BY` clauses for SQLite, in the slots of a text that are named for indexes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

from django.db import connection

INDEXES: Final = (
    "tasks_expiring",
    "tasks_lane_fifo",
    "tasks_lane_lifo",
    "tasks_oldest_of_channel",
    "tasks_served",
    "tasks_skip_unasked",
    "tasks_step_due",
    "transfers_seeking",
)
"""Partial indexes that SQLite would not choose itself."""


def fill_slots(sql: str, **slots: str) -> str:
    """Return a text with its slots filled: those of indexes by hints, the others as given."""
    return sql.format(**_hints(connection.vendor), **slots)


@functools.cache
def _hints(vendor: str) -> Mapping[str, str]:
    """Return the hints of a database.

    SQLite has no statistics to choose by, and would scan finished tasks. PostgreSQL needs no hint.
    """
    return {name: f"INDEXED BY {name}" if vendor == "sqlite" else "" for name in INDEXES}
