"""Insert a row, and rows of another model that belong to it, with one statement (PostgreSQL)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from operator import attrgetter, not_
from typing import Any

from django.db import connection, models

from routing.db import guarded
from routing.db.bulk_insert import list_columns
from routing.db.pipeline import open_cursor
from routing.db.sql import rows as sql

Guarded = tuple[tuple[str, str], ...]
"""The table of each guarded row, and the column by whose value it must be the only row."""


class _Table:
    """How the rows of a model are written."""

    def __init__(self, model: type[models.Model]) -> None:
        columns = list_columns(model, "postgresql")
        self.name = model._meta.db_table
        self.columns = [(column.name, column.type) for column in columns]
        self._read = attrgetter(*(column.attribute for column in columns))
        self._prepared = [
            (place, column.prepare)
            for place, column in enumerate(columns)
            if column.prepare is not None
        ]

    def list_values(self, row: models.Model) -> list[Any]:
        """Return a row's values in the order of the columns."""
        values = [*self._read(row)]
        for place, prepare in self._prepared:
            values[place] = prepare(values[place])
        return values


_table = functools.cache(_Table)


def insert_together(first: models.Model, later: Sequence[models.Model]) -> None:
    """Insert a new row and rows of one other model in one round trip, and set all ids.

    Raises `Outdated` if a cached row that this relies on has changed.
    """
    reads = guarded.current_reads()
    guards = [] if reads is None else sorted(reads.guards, key=lambda each: each.table)
    rows = [*map(_table(type(later[0])).list_values, later)]
    # What is equal in all rows is sent once.
    is_shared = tuple([given.count(given[0]) == len(given) for given in zip(*rows, strict=True)])
    text = _text(
        type(first),
        type(later[0]),
        is_shared,
        len(later),
        tuple([(guard.table, guard.sole_in) for guard in guards]),
    )
    parameters = _table(type(first)).list_values(first)
    for guard in guards:
        parameters += guard.parameters
    parameters += itertools.compress(rows[0], is_shared)
    for row in rows:
        parameters += itertools.compress(row, map(not_, is_shared))
    with open_cursor() as cursor:
        cursor.execute(text, parameters)
        ids = [pk for _, pk in cursor.fetchall()]
    if not ids:
        raise guarded.Outdated
    if reads is not None:
        reads.is_written = True
    for each, pk in zip([first, *later], ids, strict=True):
        each.pk = pk
        each._state.adding = False
        each._state.db = connection.alias


@functools.lru_cache(maxsize=256)
def _text(
    first: type[models.Model],
    later: type[models.Model],
    is_shared: tuple[bool, ...],
    count: int,
    guards: Guarded,
) -> str:
    """Return the statement; its arguments differ by the kinds of new rows only."""
    table, others = _table(first), _table(later)
    return sql.insert_together(
        table.name,
        table.columns,
        others.name,
        [*itertools.compress(others.columns, map(not_, is_shared))],
        shared=[*itertools.compress(others.columns, is_shared)],
        count=count,
        guards=guards,
    )
