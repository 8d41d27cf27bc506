"""Statements that add to figures, and fold minutes into quarters.

Each adds to a cell by its unique constraint. The names come from the models, and are quoted because
some of them are words of SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def add_to_cells(table: str, keys: Sequence[str], sums: Sequence[str], count: int) -> str:
    """Return an insert of some cells, which adds to the cells that exist.

    Arguments:
        keys: the columns of the unique constraint.
        sums: the columns that are added up.
    """
    marks = f"({', '.join(['%s'] * (len(keys) + len(sums)))})"
    rows = ", ".join([marks] * count)
    return (
        f"INSERT INTO {table} ({_list((*keys, *sums))}) VALUES {rows}"  # noqa: S608
        f" {_add_up(table, keys, sums)}"
    )


def fold_minutes(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """Return an insert of quarters from the minutes of a workspace before a minute.

    Its parameters are the workspace's id and the minute. `minute` and `length` are among the keys.
    """
    values = {"minute": "minute - minute %% 15", "length": "15"}
    chosen = ", ".join(values.get(name, _quote(name)) for name in keys)
    grouped = ", ".join(values.get(name, _quote(name)) for name in keys if name != "length")
    added = ", ".join(f"SUM({_quote(name)})" for name in sums)
    return (
        f"INSERT INTO {table} ({_list((*keys, *sums))})"  # noqa: S608
        f" SELECT {chosen}, {added} FROM {table}"
        " WHERE workspace_id = %s AND minute < %s AND length = 1"
        f" GROUP BY {grouped} {_add_up(table, keys, sums)}"
    )


def _add_up(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    quoted = map(_quote, sums)
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in quoted)
    return f"ON CONFLICT ({_list(keys)}) DO UPDATE SET {added}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quote, names))


def _quote(name: str) -> str:
    return f'"{name}"'
