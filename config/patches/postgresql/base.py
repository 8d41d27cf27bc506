"""PostgreSQL backend with prepared statements.

Requests and cycles send the same statements each time, and planning one costs the server more than
running it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import select
import time
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper
from psycopg.types.array import ListBinaryDumper
from psycopg_pool import ConnectionPool

from config.patches.postgresql import preparation, silence

_PREPARED: Final = "prepared"
_MOST: Final = 500
"""Maximum number of prepared statements per connection; the least recently used is dropped."""


_Cursor: Final[Any] = base.Cursor  # type: ignore[attr-defined]  # not in the stubs


class _CountsRows:
    """The number of changed rows, for which a cursor of the driver does not wait in a pipeline."""

    @property
    def rowcount(self) -> int:
        """Wait for the statement, and return how many rows it has changed or found."""
        cursor: Any = self
        cursor._fetch_pipeline()
        return int(cursor._rowcount)


class PlainCursor(_CountsRows, _Cursor):  # type: ignore[misc]
    """Django's cursor, also for use in a pipeline."""


class PreparedCursor(_CountsRows, psycopg.RawCursor[Any]):
    """A cursor that prepares all its statements, and caches their numbered texts."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> PreparedCursor:
        """Run a statement, prepared at its first use."""
        return super().execute(_numbered(query), params, prepare=True)


@functools.lru_cache(maxsize=2_000)
def _numbered(query: str) -> str:
    """Return a statement with PostgreSQL's own placeholders: `$1` for the first `%s`."""
    places = itertools.count(1)
    return re.sub("%[s%]", lambda found: "%" if found[0] == "%%" else f"${next(places)}", query)


_SILENT: Final = 30.0
"""Seconds after its last use for which a connection need not be checked with a query."""


def check(connection: Any) -> None:
    """Raise the driver's error if a connection of the pool is broken.

    A server that is gone has closed its end, which is visible without a query. Only a connection
    that a network may have dropped silently is checked with a query. A check each time would add a
    round trip to every request and every cycle.
    """
    now = time.monotonic()
    seen, connection.seen = getattr(connection, "seen", 0.0), now
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0) or now - seen > _SILENT:
        ConnectionPool.check_connection(connection)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's operations, for cursors that do not keep the text of their last statement."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        """Return a statement as it was run; a prepared one without its values."""
        if isinstance(cursor, PreparedCursor):
            return sql
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL backend, with cursors for frequently repeated statements."""

    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection; fail at once while the database does not answer."""
        with silence.watch.waiting() if silence.watch.is_on else contextlib.nullcontext():
            connection = super().get_new_connection(conn_params)
        connection.cursor_factory = PlainCursor
        return connection

    def _configure_connection(self, connection: Any) -> bool:
        changed: bool = super()._configure_connection(connection)  # type: ignore[misc]
        wanted = self.settings_dict.get("PREPARE")
        connection.prepares = preparation.configure(connection, wanted=wanted)
        # A pooler would hand limits on to the next client of its connection.
        if not connection.prepares:
            return changed
        # As text, each quote in an array of JSON costs a call of a Python function.
        connection.adapters.register_dumper(list, ListBinaryDumper)
        if self._has_limits:
            connection.execute(self._limits())
        return True

    @property
    def _has_limits(self) -> bool:
        return bool(self.settings_dict.get("LIMITS")) and silence.watch.is_on

    @property
    def _prepares(self) -> bool:
        """Return whether the connection, opened if needed, may have prepared statements."""
        if self.connection is None:
            self.ensure_connection()
        return bool(self.connection.prepares)

    def _limits(self) -> str:
        """Return the statement that sets the session's time limits."""
        return "; ".join(
            f"SET {name} = {int(seconds * 1000)}"
            for name, seconds in self.settings_dict["LIMITS"].items()
        )

    def watch(self) -> None:
        """Limit in this process how long anything waits for the database and holds its locks.

        For processes that serve others; migrations, backups and other commands have no limit.
        """
        # Connections that were opened before have no limits.
        self.close_pool()  # type: ignore[attr-defined]
        silence.watch.start(self.probe, on_back=self._renew)

    def insist_on_answer(self) -> None:
        """Raise a database error unless the database answers; free if it has just answered."""
        if silence.watch.is_on and not silence.watch.is_fresh():
            with self.cursor() as cursor:
                cursor.execute("SELECT 1")

    @contextlib.contextmanager
    def without_limits(self) -> Iterator[None]:
        """Lift the session's limits for a block of work that may take long.

        Only outside a transaction.
        """
        if not (self._has_limits and self._prepares):
            yield
            return
        with self.cursor() as cursor:
            cursor.execute("; ".join(f"SET {name} = 0" for name in self.settings_dict["LIMITS"]))
        try:
            yield
        finally:
            with self.cursor() as cursor:
                cursor.execute(self._limits())

    def probe(self) -> None:
        """Open a connection outside the pool and run a query; raises if that fails."""
        wanted = self.get_connection_params() | {"connect_timeout": silence.PROBE_SECONDS}
        with silence.Probe.connect(**wanted) as connection:
            connection.execute("SELECT 1")

    def _renew(self) -> None:
        """Replace connections that were open during the silence, as they may be dead."""
        if self.pool is not None:
            self.pool.drain()

    @property
    def pool(self) -> Any:
        """Return this process's connection pool, which checks connections before use."""
        pool = super().pool  # type: ignore[misc]
        if pool is not None:
            # Django accepts neither as an option, so they are set on the pool itself.
            pool._check = check
            pool.connection_class = silence.Connection
        return pool

    def prepared_cursor(self) -> CursorWrapper:
        """Return a cursor for a few frequently repeated statements.

        Behind a pooler, or with `PREPARE` off in the settings, it is a cursor like any other.
        """
        if not self._prepares:
            return self.cursor()
        if self.queries_logged:
            logging_cursor: CursorWrapper = self._cursor(_PREPARED)  # type: ignore[attr-defined]
            return logging_cursor
        # As Django does it, without what a statement outside of a transaction needs.
        self.validate_thread_sharing()
        return CursorWrapper(self.create_cursor(_PREPARED), self)

    @contextlib.contextmanager
    def pipeline(self) -> Iterator[None]:
        """Send the statements of a block together, and wait for all answers at its end."""
        if not self._prepares:
            yield
            return
        with self.wrap_database_errors, self.connection.pipeline():
            yield

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor of this connection."""
        if name is not _PREPARED:
            return super().create_cursor(name)
        self.connection.prepared_max = _MOST
        # Django turns off the driver's prepared statements for all cursors.
        self.connection.prepare_threshold = 0
        # Times are in UTC, as the connection is set to it; none of our querysets needs another
        # zone.
        return PreparedCursor(self.connection)
