"""Inserts and updates of many rows of one model, whose names come from the model.

No index is needed but the primary key. The texts differ by the columns and, for few rows, by their
number.
"""

from __future__ import annotations

from collections.abc import Sequence

from routing.db.sql.follow_ups import FollowUp


def insert_rows(table: str, names: Sequence[str], count: int) -> str:
    """Return an insert of some rows, with a `%s` for each value."""
    marks = f"({', '.join(['%s'] * len(names))})"
    rows = ", ".join([marks] * count)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {rows}"  # noqa: S608


def insert_arrays(
    table: str, names: Sequence[str], types: Sequence[str], arrays: Sequence[str]
) -> str:
    """Return an insert of any number of rows in order, with one array for each column.

    PostgreSQL only.

    Arguments:
        types: the types of the columns.
        arrays: the types of the arrays' elements.
    """
    columns = ", ".join(names)
    given = ", ".join(f"%s::{array}[]" for array in arrays)
    values = ", ".join(f"new.{name}::{type_}" for name, type_ in zip(names, types, strict=True))
    return (
        f"INSERT INTO {table} ({columns})"  # noqa: S608
        f" SELECT {values} FROM unnest({given}) WITH ORDINALITY AS new ({columns}, place)"
        " ORDER BY place"
    )


def return_ids(insert: str, follow_up: FollowUp | None) -> str:
    """Return an insert with the ids of its rows as result, and with its follow-up.

    PostgreSQL only.
    """
    if follow_up is None:
        return f"{insert} RETURNING id"
    return (
        f"WITH later AS ({insert} RETURNING id, {follow_up.reads}),"  # noqa: S608
        f" {follow_up.build_part('later')} SELECT id FROM later ORDER BY id"
    )


def insert_following(table: str, follow_up: FollowUp) -> str:
    """Return the follow-up of an insert whose first and last id are the parameters.

    It seeks by the primary key. With statistics of a small table, SQLite would scan an index that
    covers the columns. SQLite only.
    """
    return f"{follow_up.build_insert(f'{table} NOT INDEXED')} AND id BETWEEN %s AND %s"


def insert_together(
    table: str,
    columns: Sequence[tuple[str, str]],
    later_table: str,
    later_columns: Sequence[tuple[str, str]],
    *,
    shared: Sequence[tuple[str, str]],
    count: int,
    guards: Sequence[tuple[str, str]] = (),
    follow_up: FollowUp | None = None,
) -> str:
    """Return an insert of one row, and of some rows of another table in order, with their ids.

    The parameters are the values of the first row, those of the guards, the shared values of the
    others, and then the values of each of the others. The ids are given in the same order. Nothing
    is inserted unless all guards hold. PostgreSQL only.

    Arguments:
        columns: the names and types of the first row's columns.
        later_columns: those of the other rows, without the shared ones.
        shared: those of the other rows' columns that have the same value in each of them.
        count: the number of the other rows.
        guards: tables of rows that must be unchanged, by id and the transaction that wrote them,
            each with a column by whose value the row must be the only one, or an empty name.
        follow_up: that of the other rows.
    """
    names = ", ".join(name for name, _ in columns)
    given = ", ".join(f"%s::{type_}" for _, type_ in columns)
    return (
        f"WITH first AS (INSERT INTO {table} ({names}) SELECT {given}"  # noqa: S608
        f" WHERE {join_guards(guards)} RETURNING id),"
        f" {insert_later(later_table, later_columns, shared, count, follow_up)}"
        " SELECT 0 AS part, id FROM first UNION ALL SELECT 1, id FROM later ORDER BY part, id"
    )


def insert_later(
    table: str,
    columns: Sequence[tuple[str, str]],
    shared: Sequence[tuple[str, str]],
    count: int,
    follow_up: FollowUp | None,
) -> str:
    """Return the part `later` of a statement, which inserts rows in order if `first` is a row.

    Their follow-up is a second part.

    Arguments as for `insert_together`.
    """
    names = ", ".join(name for name, _ in (*shared, *columns))
    values = ", ".join(
        [
            *(f"%s::{type_}" for _, type_ in shared),
            *(f"new.{name}::{type_}" for name, type_ in columns),
        ]
    )
    rows = ", ".join(
        f"({', '.join([str(place), *['%s'] * len(columns)])})" for place in range(count)
    )
    places = ", ".join(["place", *(name for name, _ in columns)])
    insert = (
        f"INSERT INTO {table} ({names}) SELECT {values}"  # noqa: S608
        f" FROM first, (VALUES {rows}) AS new ({places}) ORDER BY place RETURNING id"
    )
    if follow_up is None:
        return f"later AS ({insert})"
    return f"later AS ({insert}, {follow_up.reads}), {follow_up.build_part('later')}"


def join_guards(guards: Sequence[tuple[str, str]]) -> str:
    """Return the condition that all guards hold, see `insert_together`."""
    return " AND ".join(_guard(table, sole_in) for table, sole_in in guards) or "true"


def _guard(table: str, sole_in: str) -> str:
    unchanged = f"EXISTS (SELECT 1 FROM {table} WHERE id = %s AND xmin = %s::xid)"  # noqa: S608
    if not sole_in:
        return unchanged
    others = f"SELECT 1 FROM {table} WHERE {sole_in} = %s AND id <> %s"  # noqa: S608
    return f"{unchanged} AND NOT EXISTS ({others})"


def update_row(table: str, names: Sequence[str]) -> str:
    """Return an update of the row with an id, which is the last parameter."""
    changes = ", ".join(f"{name} = %s" for name in names)
    return f"UPDATE {table} SET {changes} WHERE id = %s"  # noqa: S608


def update_arrays(
    table: str, names: Sequence[str], types: Sequence[str], arrays: Sequence[str]
) -> str:
    """Return an update of any number of rows, with an array of ids and one for each column.

    PostgreSQL only. Arguments as for `insert_arrays`.
    """
    given = ", ".join(f"%s::{array}[]" for array in arrays)
    changes = ", ".join(
        f"{name} = new.{name}::{type_}" for name, type_ in zip(names, types, strict=True)
    )
    return (
        f"UPDATE {table} SET {changes}"  # noqa: S608
        f" FROM unnest(%s::bigint[], {given}) AS new (id, {', '.join(names)})"
        f" WHERE {table}.id = new.id"
    )
