"""Statements that add to figures, fold minutes into quarters, and find unread logs.

Each adds to a cell by its unique constraint. The names come from the models.
"""

from __future__ import annotations

from collections.abc import Sequence


def add_to_cells(table: str, keys: Sequence[str], sums: Sequence[str], count: int) -> str:
    """Return an insert of some cells, which adds to the cells that exist.

    Arguments:
        keys: the columns of the unique constraint.
        sums: the columns that are added up.
    """
    names = (*keys, *sums)
    marks = f"({', '.join(['%s'] * len(names))})"
    rows = ", ".join([marks] * count)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES {rows}"  # noqa: S608
        f" {_add_up(table, keys, sums)}"
    )


def fold_minutes(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """Return an insert of quarters from the minutes of a workspace before a minute.

    Its parameters are the workspace's id and the minute. `minute` and `length` are among the keys.
    """
    values = {"minute": "minute - minute % 15", "length": "15"}
    chosen = ", ".join(values.get(name, name) for name in keys)
    grouped = ", ".join(values.get(name, name) for name in keys if name != "length")
    added = ", ".join(f"SUM({name})" for name in sums)
    return (
        f"INSERT INTO {table} ({', '.join((*keys, *sums))})"  # noqa: S608
        f" SELECT {chosen}, {added} FROM {table}"
        " WHERE workspace_id = %s AND minute < %s AND length = 1"
        f" GROUP BY {grouped} {_add_up(table, keys, sums)}"
    )


def _add_up(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
