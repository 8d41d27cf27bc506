"""Page through rows by their sort key: after a key or before it, never by an offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, TypeVar

from django.db import models as db
from django.db.models import Q, QuerySet

from routing.core import clock

Row = TypeVar("Row", bound=db.Model)
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One column of an order, and its direction."""

    column: str
    descending: bool = False


Order = tuple[Clause, ...]
OLDEST_FIRST: Final[Order] = (Clause("date_created"), Clause("id"))


@dataclass(frozen=True, slots=True)
class Token:
    """The start of a page: after this key, or before it and read backwards."""

    key: Key
    backwards: bool = False


def first(
    rows: QuerySet[Row], order: Order, token: Token | None, count: int, indexed: bool
) -> list[Row]:
    """Return the first rows from a token on.

    Arguments:
        indexed: there is an index in exactly this order, so that no sorting is needed.
    """
    backwards = token is not None and token.backwards
    clauses = [Clause(c.column, c.descending != backwards) for c in order]
    rows = rows.order_by(*[f"-{c.column}" if c.descending else c.column for c in clauses])
    if indexed:
        return list((rows if token is None else rows.filter(_beyond(clauses, rows, token)))[:count])
    # Without an index, sort ids only, then load the rows. Many rows may be equal in all columns but
    # the last, and the database seeks efficiently only within one range at a time.
    bare = rows.select_related(None).values_list("pk", flat=True)
    ids: list[int] = []
    for stretch in [None] if token is None else _stretches(clauses, rows, token):
        wanted = bare if stretch is None else bare.filter(stretch)
        ids.extend(wanted[: count - len(ids)])
        if len(ids) == count:
            break
    found = rows.order_by().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _beyond(clauses: Sequence[Clause], rows: QuerySet[Row], token: Token) -> Q:
    """Return the condition of lying after a key: later in some column, equal in all before it."""
    # Repeats the first column, because the planner seeks in the index by this condition alone.
    bound = "lte" if clauses[0].descending else "gte"
    leading = Q(**{f"{clauses[0].column}__{bound}": _value(rows.model, clauses[0], token.key[0])})
    return leading & reduce(or_, _stretches(clauses, rows, token))


def _stretches(clauses: Sequence[Clause], rows: QuerySet[Row], token: Token) -> list[Q]:
    """Return the ranges that lie after a key, the nearest first."""
    values = [_value(rows.model, c, part) for c, part in zip(clauses, token.key, strict=True)]
    stretches = []
    for index, clause in reversed(list(enumerate(clauses))):
        equal = {c.column: v for c, v in zip(clauses[:index], values, strict=False)}
        later = "lt" if clause.descending else "gt"
        stretches.append(Q(**equal, **{f"{clause.column}__{later}": values[index]}))
    return stretches


def _value(model: type[db.Model], clause: Clause, part: int) -> Any:
    dated = isinstance(model._meta.get_field(clause.column), db.DateTimeField)
    return clock.moment(part) if dated else part


def key_of(row: db.Model, order: Order) -> Key:
    """Return a row's sort key as whole numbers."""
    values = [getattr(row, clause.column) for clause in order]
    return tuple(clock.microseconds(v) if isinstance(v, datetime) else v for v in values)
