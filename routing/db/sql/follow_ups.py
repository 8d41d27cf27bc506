"""Rows of another table that are inserted with each new row of a model, by the same statement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FollowUp:
    """An insert of the ids of new rows into another table.

    A model names it as its attribute `follow_up`. SQLite needs a statement of its own.

    Arguments:
        table: the other table.
        column: its column for the id.
        reads: the column of the new rows that the condition reads.
        condition: an SQL condition of the new rows whose ids are inserted.
    """

    table: str
    column: str
    reads: str
    condition: str

    def build_insert(self, source: str) -> str:
        """Return the insert of the ids of the new rows that a table, or part of a query, has."""
        ids = f"SELECT id FROM {source} WHERE {self.condition}"  # noqa: S608 - made of constants
        return f"INSERT INTO {self.table} ({self.column}) {ids}"

    def build_part(self, source: str) -> str:
        """Return the insert as a part of a query; `source` must return id and `reads`."""
        return f"followed AS ({self.build_insert(source)})"


def find_follow_up(model: type) -> FollowUp | None:
    """Return the follow-up of a model's inserts, if it has one."""
    return getattr(model, "follow_up", None)
