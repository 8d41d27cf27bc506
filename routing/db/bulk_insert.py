"""Insert or update many rows with one statement and little Python work.

`bulk_create` asks every field of every row how to be written, and sends every value as a parameter.
For the hundreds of rows of one assignment, that costs several times the database's work.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, models

from routing.db import compiled

_Prepare = Callable[[Any], Any]
_Ids = Callable[[], Sequence[int]]

_ARRAYS: Final = {"jsonb": "text", "inet": "text"}
"""Array element type to send where it differs from the column type."""


_FEW: Final = 20
_SOME: Final = 8
"""Largest number of rows that are cheaper to write one by one in a statement than as arrays."""


class _Column:
    """How one field's values are written to the database."""

    def __init__(self, field: Any) -> None:
        self.field = field.name
        self.name = field.column
        self.attribute = field.attname
        self.type = str(field.db_type(connection)).partition("(")[0]
        self.prepare: _Prepare | None = None
        if isinstance(field, models.JSONField):
            self.prepare = json.dumps
        elif isinstance(field, models.DateTimeField) and connection.vendor == "sqlite":
            self.prepare = functools.lru_cache(maxsize=64)(_moment)

    def values(self, rows: Sequence[models.Model]) -> list[Any]:
        found = [getattr(row, self.attribute) for row in rows]
        return found if self.prepare is None else [self.prepare(value) for value in found]


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, in order, and set their ids.

    Fields with a database default get that default.
    """
    insert_later(rows)()


def insert_later(rows: Sequence[models.Model]) -> Callable[[], None]:
    """Insert new rows; the returned function sets their ids, see `prepared.together`."""
    if not rows:
        return lambda: None
    columns = _columns(type(rows[0]), connection.vendor)
    write = _write_postgresql if connection.vendor == "postgresql" else _write_sqlite
    values = [column.values(rows) for column in columns]
    written = write(type(rows[0])._meta.db_table, columns, values)

    def finish() -> None:
        for row, pk in zip(rows, written(), strict=True):
            row.pk = pk
            row._state.adding = False
            row._state.db = connection.alias

    return finish


def update(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Store some fields of locked rows with one statement."""
    if not rows:
        return
    model = type(rows[0])
    columns = [c for c in _columns(model, connection.vendor) if {c.field, c.attribute} & {*names}]
    values = [column.values(rows) for column in columns]
    keys = [row.pk for row in rows]
    table = model._meta.db_table
    with compiled.cursor() as cursor:
        if connection.vendor == "sqlite":
            changes = ", ".join(f"{column.name} = %s" for column in columns)
            cursor.executemany(
                f"UPDATE {table} SET {changes} WHERE id = %s",  # noqa: S608 - names from models
                list(zip(*values, keys, strict=True)),
            )
            return
        names = [column.name for column in columns]
        arrays = ", ".join(f"%s::{_ARRAYS.get(c.type, c.type)}[]" for c in columns)
        changes = ", ".join(f"{c.name} = new.{c.name}::{c.type}" for c in columns)
        cursor.execute(
            f"UPDATE {table} SET {changes}"  # noqa: S608 - names from models
            f" FROM unnest(%s::bigint[], {arrays}) AS new (id, {', '.join(names)})"
            f" WHERE {table}.id = new.id",
            [keys, *values],
        )


def _write_postgresql(table: str, columns: Sequence[_Column], values: Sequence[list[Any]]) -> _Ids:
    """Insert the columns' values; return a function that gives the new ids."""
    names = ", ".join(column.name for column in columns)
    if len(values[0]) <= _SOME:
        marks = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(values[0]))
        sql = f"INSERT INTO {table} ({names}) VALUES {marks}"  # noqa: S608 - names from models
        parameters = [value for line in zip(*values, strict=True) for value in line]
    else:
        arrays = ", ".join(f"%s::{_ARRAYS.get(c.type, c.type)}[]" for c in columns)
        taken = ", ".join(f"new.{column.name}::{column.type}" for column in columns)
        sql = (
            f"INSERT INTO {table} ({names})"  # noqa: S608 - names from models
            f" SELECT {taken} FROM unnest({arrays}) WITH ORDINALITY AS new ({names}, place)"
            " ORDER BY place"
        )
        parameters = [*values]
    cursor = compiled.cursor()
    cursor.execute(f"{sql} RETURNING id", parameters)

    def ids() -> Sequence[int]:
        with cursor:
            return [pk for (pk,) in cursor.fetchall()]

    return ids


def _write_sqlite(table: str, columns: Sequence[_Column], values: Sequence[list[Any]]) -> _Ids:
    """Insert the columns' values; return a function that gives the new ids."""
    marks = f"({', '.join(['%s'] * len(columns))})"
    into = f"INSERT INTO {table} ({', '.join(column.name for column in columns)}) VALUES"
    lines = list(zip(*values, strict=True))
    # `executemany` for most rows, then one statement for the last ones, which gives the last id.
    few = lines[-_FEW:]
    with compiled.cursor() as cursor:
        if many := lines[:-_FEW]:
            cursor.executemany(f"{into} {marks}", many)
        cursor.execute(
            f"{into} {', '.join([marks] * len(few))}", [value for line in few for value in line]
        )
        # SQLite has one writer at a time, so the rows of one transaction get consecutive ids.
        ids = range(cursor.lastrowid - len(lines) + 1, cursor.lastrowid + 1)
    return lambda: ids


@functools.cache
def _columns(model: type[models.Model], vendor: str) -> list[_Column]:
    return [
        _Column(field)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.db_default is models.NOT_PROVIDED
    ]


def _moment(value: datetime | None) -> Any:
    return None if value is None else connection.ops.adapt_datetimefield_value(value)
