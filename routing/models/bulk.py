"""Write many rows by one statement, at what the database takes for it.

`bulk_create` asks every field of every row how to be written, and names every value by itself; for
the hundreds of rows of one assignment that costs several times what the rows do.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection, models

_Prepare = Callable[[Any], Any]

_ARRAYS: Final = {"jsonb": "text", "inet": "text"}
"""In which form a column's values come, where it is not their own."""


_FEW: Final = 20


class _Column:
    """How one field's values are written."""

    def __init__(self, field: Any) -> None:
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
    """Insert new rows of one model, in order, and give them their ids.

    Fields with a default in the database get that one.
    """
    if not rows:
        return
    model = type(rows[0])
    table = model._meta.db_table
    columns = _columns(model, connection.vendor)
    names = ", ".join(column.name for column in columns)
    values = [column.values(rows) for column in columns]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{_ARRAYS.get(c.type, c.type)}[]" for c in columns)
            taken = ", ".join(f"new.{column.name}::{column.type}" for column in columns)
            cursor.execute(
                f"INSERT INTO {table} ({names})"  # noqa: S608 - names from models
                f" SELECT {taken} FROM unnest({arrays}) WITH ORDINALITY AS new ({names}, place)"
                " ORDER BY place RETURNING id",
                values,
            )
            ids: Sequence[int] = [pk for (pk,) in cursor.fetchall()]
        else:
            marks = f"({', '.join(['%s'] * len(columns))})"
            into = f"INSERT INTO {table} ({names}) VALUES"
            lines = list(zip(*values, strict=True))
            # Many by a statement that is prepared once, the last few, or the only ones, at once.
            few = lines[-_FEW:]
            if many := lines[:-_FEW]:
                cursor.executemany(f"{into} {marks}", many)
            cursor.execute(
                f"{into} {', '.join([marks] * len(few))}", [value for line in few for value in line]
            )
            # One writer at a time: the rows of one transaction are numbered without a gap.
            ids = range(cursor.lastrowid - len(rows) + 1, cursor.lastrowid + 1)
    for row, pk in zip(rows, ids, strict=True):
        row.pk = pk
        row._state.adding = False
        row._state.db = connection.alias


@functools.cache
def _columns(model: type[models.Model], vendor: str) -> list[_Column]:
    return [
        _Column(field)
        for field in model._meta.concrete_fields
        if not field.primary_key and field.db_default is models.NOT_PROVIDED
    ]


def _moment(value: datetime | None) -> Any:
    return None if value is None else connection.ops.adapt_datetimefield_value(value)
