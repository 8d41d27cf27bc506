"""Insert a row, and rows of another model that belong to it, with one statement (PostgreSQL)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter, not_
from typing import Any, Final

from django.db import connection, models

from routing.db import guarded
from routing.db.bulk_insert import list_columns
from routing.db.pipeline import open_cursor
from routing.db.sql import offered_task
from routing.db.sql import rows as sql
from routing.db.sql.follow_ups import find_follow_up

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


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot to claim for a worker who must be as they were read.

    Arguments:
        version, workload_version: the worker's.
        reserved_us: the moment of the offer, in microseconds.
    """

    worker_id: int
    version: int
    workload_version: int
    slot_id: int
    reserved_us: int

    @property
    def parameters(self) -> tuple[int, ...]:
        """Return the parameters of the worker and the slot."""
        return self.worker_id, self.version, self.workload_version, self.slot_id


def insert_together(first: models.Model, later: Sequence[models.Model]) -> None:
    """Insert a new row and rows of one other model in one round trip, and set all ids.

    Raises `Outdated` if a cached row that this relies on has changed.
    """
    guards, rows = _list_guards(), _Later(later)
    text = _text(type(first), rows.shape, _name_guards(guards))
    ids = _run(
        text,
        _table(type(first)).list_values(first),
        *(guard.parameters for guard in guards),
        rows.parameters,
    )
    if not ids:
        raise guarded.Outdated
    _mark_written([first, *later], ids)


def insert_with_offer(
    first: models.Model, offer: models.Model, later: Sequence[models.Model], claim: Claim
) -> bool:
    """Claim a slot, and insert a task, its offer and rows of another model in one round trip.

    Returns whether this was done. Nothing is written if the worker is not as they were read, or is
    locked, or if a cached row has changed.
    """
    guards, rows = _list_guards(), _Later(later)
    text = _offering_text(type(first), type(offer), rows.shape, _name_guards(guards))
    table = _table(type(offer))
    values = [
        value
        for (name, _), value in zip(table.columns, table.list_values(offer), strict=True)
        if name != _FIRST_ID
    ]
    ids = _run(
        text,
        claim.parameters,
        *(guard.parameters for guard in guards),
        [claim.reserved_us] * 4,
        _table(type(first)).list_values(first),
        values,
        rows.parameters,
    )
    if ids:
        _mark_written([first, offer, *later], ids)
        setattr(offer, _FIRST_ID, first.pk)
    return bool(ids)


_FIRST_ID: Final = "task_id"
"""The column of an offer with the id of its task."""

_Shape = tuple[type[models.Model], tuple[bool, ...], int]
"""A model, for each of its columns whether all rows have the same value, and their number."""


class _Later:
    """The other rows, as they are sent: what is equal in all of them once (`parameters`)."""

    def __init__(self, rows: Sequence[models.Model]) -> None:
        values = [*map(_table(type(rows[0])).list_values, rows)]
        is_shared = tuple(
            [given.count(given[0]) == len(given) for given in zip(*values, strict=True)]
        )
        self.shape: _Shape = (type(rows[0]), is_shared, len(rows))
        self.parameters = [*itertools.compress(values[0], is_shared)]
        for row in values:
            self.parameters += itertools.compress(row, map(not_, is_shared))


def _list_guards() -> list[guarded.Guard]:
    reads = guarded.current_reads()
    return [] if reads is None else sorted(reads.guards, key=lambda each: each.table)


def _name_guards(guards: Sequence[guarded.Guard]) -> Guarded:
    return tuple([(guard.table, guard.sole_in) for guard in guards])


def _run(text: str, *parameters: Iterable[Any]) -> list[int]:
    """Run a statement, and return the ids of all rows in order."""
    with open_cursor() as cursor:
        cursor.execute(text, [*itertools.chain(*parameters)])
        return [pk for _, pk in cursor.fetchall()]


def _mark_written(rows: Sequence[models.Model], ids: Sequence[int]) -> None:
    """Set the ids of rows that were inserted."""
    reads = guarded.current_reads()
    if reads is not None:
        reads.is_written = True
    for each, pk in zip(rows, ids, strict=True):
        each.pk = pk
        each._state.adding = False
        each._state.db = connection.alias


# The arguments of both differ by the kinds of new rows only.
@functools.lru_cache(maxsize=256)
def _text(first: type[models.Model], later: _Shape, guards: Guarded) -> str:
    """Return the statement of `insert_together`."""
    table, (model, is_shared, count) = _table(first), later
    others = _table(model)
    return sql.insert_together(
        table.name,
        table.columns,
        others.name,
        [*itertools.compress(others.columns, map(not_, is_shared))],
        shared=[*itertools.compress(others.columns, is_shared)],
        count=count,
        guards=guards,
        follow_up=find_follow_up(model),
    )


@functools.lru_cache(maxsize=256)
def _offering_text(
    first: type[models.Model], offer: type[models.Model], later: _Shape, guards: Guarded
) -> str:
    """Return the statement of `insert_with_offer`."""
    table, offers, (model, is_shared, count) = _table(first), _table(offer), later
    others = _table(model)
    return offered_task.insert_offered_task(
        table.name,
        table.columns,
        offers.name,
        [column for column in offers.columns if column[0] != _FIRST_ID],
        guards=guards,
        later=sql.insert_later(
            others.name,
            [*itertools.compress(others.columns, map(not_, is_shared))],
            [*itertools.compress(others.columns, is_shared)],
            count,
            find_follow_up(model),
        ),
    )
