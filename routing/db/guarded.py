"""Answer queries for the configuration from this process, and guard the write that relies on them.

A creation reads an account, a workspace, a workflow, a channel and a lane, which rarely change.
`Reads.run` takes them from a cache, and the insert writes nothing unless each row still has the
version that was cached. Then the work is done again with rows read now.

The version is PostgreSQL's own: the transaction that wrote the row. So no change can forget to move
it. What was not found is never cached. On SQLite a query costs little, and nothing is cached.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from cachetools import LRUCache
from django.db import connection, models
from django.db.models.base import ModelState

from routing.db.compiled import CompiledQuery
from routing.db.errors import AWAY

Row = TypeVar("Row", bound=models.Model)
T = TypeVar("T")

MOST_ROWS: Final = 1_000
"""Number of rows that each query caches in a process."""
_VERSION: Final = "version_of_row"
_VERSION_OF_RELATED: Final = "version_of_related_row"


class Outdated(Exception):
    """A row that the write relied on has changed since it was cached; nothing was written."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A row that must be unchanged.

    Arguments:
        version: the row's version when it was read.
        sole_in: a column by whose value it must be the only row; empty for none.
        owner: that value.
    """

    table: str
    pk: int
    version: str
    sole_in: str = ""
    owner: int = 0

    @property
    def parameters(self) -> tuple[int | str, ...]:
        """Return the parameters of its condition in `sql.rows.insert_together`."""
        sole = (self.owner, self.pk) if self.sole_in else ()
        return self.pk, self.version, *sole


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Row]):
    row: Row
    guards: tuple[Guard, ...]


class Reads:
    """The cached rows that one request relies on."""

    def __init__(self) -> None:
        self.guards: set[Guard] = set()
        self.is_written = False
        self._has_cached = False
        self._used: list[tuple[GuardedQuery[Any], tuple[Any, ...]]] = []

    @contextlib.contextmanager
    def use(self) -> Iterator[None]:
        """Answer queries of the block from the cache."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def run(self, act: Callable[[], T], *, again: Callable[[], T]) -> T:
        """Write by cached rows; do it again, by rows read now, where they are outdated.

        It is also done again if it is refused, as a row that has changed may be the reason. It is
        not if the database went away, as it may be done.
        """
        try:
            with self.use():
                return act()
        except AWAY:
            raise
        except Exception as error:
            if self.is_written or not (self._has_cached or isinstance(error, Outdated)):
                raise
        self.forget()
        return again()

    def add(
        self,
        query: GuardedQuery[Any],
        values: tuple[Any, ...],
        guards: Sequence[Guard],
        *,
        is_cached: bool,
    ) -> None:
        """Note rows that must be unchanged.

        Arguments:
            is_cached: whether they were taken from the cache, or read now.
        """
        self._used.append((query, values))
        self._has_cached |= is_cached
        # Of a row that was read in two versions, both are kept, so that the write finds it changed.
        self.guards.update(guards)

    def is_guarded(self, row: models.Model) -> bool:
        """Return whether the write is guarded against a change of this row."""
        table = row._meta.db_table
        return any(each.table == table and each.pk == row.pk for each in self.guards)

    def forget(self) -> bool:
        """Remove the rows from the cache; return whether one of them was taken from there."""
        had_cached = self._has_cached
        for query, values in self._used:
            query.forget(values)
        self._used.clear()
        self.guards.clear()
        self._has_cached = False
        return had_cached


_current: ContextVar[Reads | None] = ContextVar("reads", default=None)


def current_reads() -> Reads | None:
    """Return the reads of the work under way, if it relies on cached rows."""
    return _current.get()


def can_guard() -> bool:
    """Return whether the database can guard a write, outside of a larger transaction."""
    return connection.vendor == "postgresql" and not connection.in_atomic_block


class GuardedQuery(Generic[Row]):
    """A compiled query for one row, answered from a cache within `Reads.run`.

    Arguments:
        make: returns the queryset, see `CompiledQuery`.
        related: a relation that `make` selects with the row; its row is guarded too.
        sole_in: a column by whose value the row must be the only one, where the query asks whether
            there are several.
    """

    def __init__(
        self,
        make: Callable[..., models.QuerySet[Row, Row]],
        *,
        related: str = "",
        sole_in: str = "",
    ) -> None:
        self._plain = CompiledQuery(make)
        self._versioned = CompiledQuery(_with_versions(make, related))
        self._related = related
        self._sole_in = sole_in
        self._entries: LRUCache[tuple[Any, ...], _Entry[Row]] = LRUCache(maxsize=MOST_ROWS)
        self._lock = threading.Lock()
        _queries.append(self)

    def __call__(self, *values: Any) -> list[Row]:
        """Return the rows of the query with these values."""
        reads = _current.get()
        if reads is None:
            return self._plain(*values)
        with self._lock:
            entry = self._entries.get(values)
        if entry is not None:
            reads.add(self, values, entry.guards, is_cached=True)
            return [_copy(entry.row)]
        found = self._versioned(*values)
        if len(found) == 1:
            guards = tuple(self._list_guards(found[0]))
            reads.add(self, values, guards, is_cached=False)
            with self._lock:
                self._entries[values] = _Entry(_copy(found[0]), guards)
        return found

    def forget(self, values: tuple[Any, ...]) -> None:
        """Remove a row from the cache."""
        with self._lock:
            self._entries.pop(values, None)

    def clear(self) -> None:
        """Remove all rows from the cache."""
        with self._lock:
            self._entries.clear()

    def _list_guards(self, row: Row) -> list[Guard]:
        given: Any = row
        owner = getattr(row, self._sole_in) if self._sole_in else 0
        guards = [
            Guard(row._meta.db_table, row.pk, given.version_of_row, self._sole_in, owner),
        ]
        other = getattr(row, self._related) if self._related else None
        if other is not None:
            guards.append(Guard(other._meta.db_table, other.pk, given.version_of_related_row))
        return guards


_queries: Final[list[GuardedQuery[Any]]] = []


def clear_caches() -> None:
    """Remove all rows of all queries, for tests."""
    for query in _queries:
        query.clear()


class _RowVersion(models.Func):
    """The transaction that wrote the row of a column (PostgreSQL)."""

    arity = 1
    output_field = models.TextField()

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **more: Any
    ) -> tuple[str, list[Any]]:
        """Return the system column of the column's table."""
        (column,) = self.get_source_expressions()
        return f"{compiler.quote_name_unless_alias(column.alias)}.xmin::text", []


def _with_versions(
    make: Callable[..., models.QuerySet[Row, Row]], related: str
) -> Callable[..., models.QuerySet[Row, Row]]:
    def with_versions(*values: Any) -> models.QuerySet[Row, Row]:
        versions = {_VERSION: _RowVersion("pk")}
        if related:
            # A column that only the related row has: for its id, Django would take the foreign key.
            versions[_VERSION_OF_RELATED] = _RowVersion(f"{related}__friendly_name")
        rows: models.QuerySet[Row, Row] = make(*values).annotate(**versions)
        return rows

    with_versions.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
    return with_versions


def _copy(row: Row) -> Row:
    """Return a copy of a row and the rows that it was loaded with, so that callers share none."""
    copied = type(row).__new__(type(row))
    copied.__dict__.update(row.__dict__)
    state = copied._state = ModelState()
    state.adding, state.db = False, row._state.db
    state.fields_cache = {
        name: None if other is None else _copy(other)
        for name, other in row._state.fields_cache.items()
    }
    return copied
