"""Page through rows by their sort key: after a key or before it, never by an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any, Final, TypeVar

from django.db import models as db
from django.db.models import Q, QuerySet

from routing.core import clock
from routing.operations.parameters import Param, ParamContext

Row = TypeVar("Row", bound=db.Model)
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One column of an order, and its direction.

    Arguments:
        greatest: the greatest value that the column can have, if many rows have it.
    """

    column: str
    descending: bool = False
    greatest: int | None = None


Order = tuple[Clause, ...]
OLDEST_FIRST: Final[Order] = (Clause("date_created"), Clause("id"))


@dataclass(frozen=True, slots=True)
class Token:
    """The start of a page: after this key, or before it and read backwards."""

    key: Key
    backwards: bool = False


def load_first_rows(
    rows: QuerySet[Row], order: Order, token: Token | None, count: int, indexed: bool
) -> list[Row]:
    """Return the first rows from a token on.

    Arguments:
        indexed: there is an index in exactly this order, so that no sorting is needed.
    """
    backwards = token is not None and token.backwards
    clauses = [replace(c, descending=c.descending != backwards) for c in order]
    rows = rows.order_by(*[f"-{c.column}" if c.descending else c.column for c in clauses])
    if indexed:
        return list(
            (rows if token is None else rows.filter(_condition_after(clauses, rows, token)))[:count]
        )
    # Without an index, sort ids only, then load the rows. Many rows may be equal in all columns but
    # the last, and the database seeks efficiently only within one range at a time.
    bare = rows.select_related(None).values_list("pk", flat=True)
    ids: list[int] = []
    for stretch in [None] if token is None else _ranges_after(clauses, rows, token):
        wanted = bare if stretch is None else bare.filter(stretch)
        ids.extend(wanted[: count - len(ids)])
        if len(ids) == count:
            break
    found = rows.order_by().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _condition_after(clauses: Sequence[Clause], rows: QuerySet[Row], token: Token) -> Q:
    """Return the condition of lying after a key: later in some column, equal in all before it."""
    first, *_ = clauses
    if not first.descending and token.key[0] == first.greatest:
        nearest, *_ = _ranges_after(clauses, rows, token)
        return nearest
    # Repeats the first column, because the planner seeks in the index by this condition alone.
    bound = "lte" if clauses[0].descending else "gte"
    leading = Q(**{f"{clauses[0].column}__{bound}": _value(rows.model, clauses[0], token.key[0])})
    return leading & reduce(or_, _ranges_after(clauses, rows, token))


def _ranges_after(clauses: Sequence[Clause], rows: QuerySet[Row], token: Token) -> list[Q]:
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


def sort_key(row: db.Model, order: Order) -> Key:
    """Return a row's sort key as whole numbers."""
    values = [getattr(row, clause.column) for clause in order]
    return tuple(clock.microseconds(v) if isinstance(v, datetime) else v for v in values)


def ordering(
    columns: Mapping[str, str],
    *,
    exclusive: frozenset[str] = frozenset(),
    ties: Mapping[str, str] = MappingProxyType({}),
) -> Param:
    """Return a parameter for an order such as `DateCreated:asc,Priority:desc`.

    Arguments:
        columns: the column behind each name.
        exclusive: names that exclude each other.
        ties: the second sort key, in the opposite direction, if the list is sorted by one name
            alone. An index that is read from either end then gives both directions.
    """
    directions = {"asc": False, "desc": True}
    wanted = f"it must be a list of pairs such as {next(iter(columns))}:asc, with the names "
    wanted += f"{', '.join(columns)} and the directions asc and desc"

    def convert(value: str, place: ParamContext) -> Order:
        clauses: dict[str, Clause] = {}
        for pair in value.split(","):
            name, colon, direction = (part.strip() for part in pair.partition(":"))
            descending = directions.get(direction.lower() if colon else "asc")
            if name not in columns or descending is None:
                place.refuse(value, wanted)
            if name in clauses:
                place.refuse(value, f"{name} may stand in it only once")
            clauses[name] = Clause(columns[name], descending)
        if len(exclusive & clauses.keys()) > 1:
            place.refuse(value, f"only one of {' and '.join(sorted(exclusive))} is possible")
        *before, last = clauses.values()
        if not before and name in ties:
            last = Clause(columns[ties[name]], not last.descending)
            clauses[ties[name]] = last
        return (*clauses.values(), Clause("id", last.descending))

    clause = f"(?:{'|'.join(columns)})(?::(?:asc|desc))?"
    schema = {"type": "string", "pattern": f"^{clause}(?:,{clause})*$"}
    return Param("Ordering", "ordering", convert, schema=schema).describe(
        f"The sort order: {', '.join(columns)}, each with `:asc` or `:desc`; several"
        " are separated by commas." + "".join(map(_describe_ties, ties.items())),
        f"{next(iter(columns))}:desc",
    )


def _describe_ties(tie: tuple[str, str]) -> str:
    name, further = tie
    return (
        f" {name}:desc alone sorts equal ones by {further}, oldest first; {name}:asc is the"
        " reverse of that list."
    )
