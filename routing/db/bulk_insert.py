"""Insert or update many rows with one statement and little Python work.

`bulk_create` asks every field of every row how to be written, and sends every value as a parameter.
For the hundreds of rows of one assignment, that costs several times the database's work.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from django.db import connection, models

from routing.db.pipeline import Pending, open_cursor
from routing.db.sql import rows as sql
from routing.db.sql.follow_ups import find_follow_up

_Prepare = Callable[[Any], Any]

_ELEMENT_TYPES: Final = {"jsonb": "text", "inet": "text"}
"""Array element type to send where it differs from the column type."""

_VALUES_AT_MOST: Final = {"postgresql": 8, "sqlite": 20}
"""Largest number of rows that one statement writes with a parameter for each value.

PostgreSQL gets more rows as arrays, and SQLite gets the rows before the last ones one by one.
"""


class _Column:
    """How one field's values are written to the database."""

    def __init__(self, field: Any) -> None:
        self.field = field.name
        self.name = field.column
        self.attribute = field.attname
        self.type = str(field.db_type(connection)).partition("(")[0]
        self.element_type = _ELEMENT_TYPES.get(self.type, self.type)
        self.prepare: _Prepare | None = None
        if isinstance(field, models.JSONField):
            self.prepare = json.dumps
        elif isinstance(field, models.DateTimeField) and connection.vendor == "sqlite":
            self.prepare = functools.lru_cache(maxsize=64)(_adapt_moment)


def _list_values(columns: Sequence[_Column], rows: Sequence[models.Model]) -> list[list[Any]]:
    """Return for each column its values in some rows, as they are written."""
    read = attrgetter(*(column.attribute for column in columns))
    values = zip(*map(read, rows), strict=True) if len(columns) > 1 else [map(read, rows)]
    return [
        list(given if column.prepare is None else map(column.prepare, given))
        for column, given in zip(columns, values, strict=True)
    ]


def insert(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, in order, and set their ids.

    Fields with a database default get that default.
    """
    insert_later(rows).result()


def insert_later(rows: Sequence[models.Model]) -> Pending[None]:
    """Send the insert of new rows, see `pipeline`; reading its result sets their ids."""
    if not rows:
        return Pending(lambda: None)
    model = type(rows[0])
    columns = list_columns(model, connection.vendor)
    write = _write_postgresql if connection.vendor == "postgresql" else _write_sqlite
    ids = write(model, columns, _list_values(columns, rows))
    return Pending(lambda: _assign_ids(rows, ids.result()))


def _assign_ids(rows: Sequence[models.Model], ids: Sequence[int]) -> None:
    """Mark new rows as stored under these ids."""
    for row, pk in zip(rows, ids, strict=True):
        row.pk = pk
        row._state.adding = False
        row._state.db = connection.alias


def update(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Store some fields of locked rows with one statement."""
    if not rows:
        return
    model = type(rows[0])
    table = model._meta.db_table
    columns = [
        c for c in list_columns(model, connection.vendor) if {c.field, c.attribute} & {*names}
    ]
    values = _list_values(columns, rows)
    ids = [row.pk for row in rows]
    with open_cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(sql.update_arrays(table, *_names_and_types(columns)), [ids, *values])
        else:
            text = sql.update_row(table, [column.name for column in columns])
            cursor.executemany(text, list(zip(*values, ids, strict=True)))


def update_if_later(
    row: models.Model, names: Collection[str], conditions: Mapping[str, Any]
) -> Pending[int]:
    """Send the update of some fields of a row if it still has these values, see `pipeline`.

    The result is the number of rows that were changed.
    """
    columns, text = _conditional_update(
        type(row), tuple(sorted(names)), tuple(conditions), connection.vendor
    )
    values = [getattr(row, column.attribute) for column in columns]
    prepared = [
        value if column.prepare is None or value is None else column.prepare(value)
        for column, value in zip(columns, values, strict=True)
    ]
    cursor = open_cursor()
    cursor.execute(text, [*prepared, row.pk, *conditions.values()])

    def count_rows() -> int:
        with cursor:
            return int(cursor.rowcount)

    return Pending(count_rows)


@functools.cache
def _conditional_update(
    model: type[models.Model], names: Sequence[str], conditions: Sequence[str], vendor: str
) -> tuple[list[_Column], str]:
    columns = [_Column(model._meta.get_field(name)) for name in names]
    text = sql.update_row(model._meta.db_table, [column.name for column in columns])
    return columns, "".join((text, *(f" AND {name} = %s" for name in conditions)))


def _write_postgresql(
    model: type[models.Model], columns: Sequence[_Column], values: Sequence[list[Any]]
) -> Pending[Sequence[int]]:
    """Insert the columns' values; the result is the new ids."""
    table, count = model._meta.db_table, len(values[0])
    if count <= _VALUES_AT_MOST["postgresql"]:
        text = sql.insert_rows(table, [column.name for column in columns], count)
        parameters = [value for row in zip(*values, strict=True) for value in row]
    else:
        text = sql.insert_arrays(table, *_names_and_types(columns))
        parameters = [*values]
    cursor = open_cursor()
    cursor.execute(sql.return_ids(text, find_follow_up(model)), parameters)

    def read_ids() -> Sequence[int]:
        with cursor:
            return [pk for (pk,) in cursor.fetchall()]

    return Pending(read_ids)


def _write_sqlite(
    model: type[models.Model], columns: Sequence[_Column], values: Sequence[list[Any]]
) -> Pending[Sequence[int]]:
    """Insert the columns' values; the result is the new ids."""
    table, names = model._meta.db_table, [column.name for column in columns]
    rows = list(zip(*values, strict=True))
    # `executemany` for most rows, then one statement for the last ones, which gives the last id.
    last = rows[-_VALUES_AT_MOST["sqlite"] :]
    with open_cursor() as cursor:
        if before := rows[: -_VALUES_AT_MOST["sqlite"]]:
            cursor.executemany(sql.insert_rows(table, names, 1), before)
        cursor.execute(
            sql.insert_rows(table, names, len(last)), [value for row in last for value in row]
        )
        # SQLite has one writer at a time, so the rows of one transaction get consecutive ids.
        ids = range(cursor.lastrowid - len(rows) + 1, cursor.lastrowid + 1)
        if (follow_up := find_follow_up(model)) is not None:
            cursor.execute(sql.insert_following(table, follow_up), [ids[0], ids[-1]])
    return Pending(lambda: ids)


def _names_and_types(columns: Sequence[_Column]) -> tuple[list[str], list[str], list[str]]:
    """Return the columns' names, their types, and the types of their arrays' elements."""
    return (
        [column.name for column in columns],
        [column.type for column in columns],
        [column.element_type for column in columns],
    )


@functools.cache
def list_columns(model: type[models.Model], vendor: str) -> list[_Column]:
    """Return the columns of a model that an insert writes."""
    return [
        _Column(field)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.db_default is models.NOT_PROVIDED
    ]


def _adapt_moment(value: datetime | None) -> Any:
    return None if value is None else connection.ops.adapt_datetimefield_value(value)
