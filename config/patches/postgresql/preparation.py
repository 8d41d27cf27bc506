"""Prepared statements with unique names, and none behind a pooler.

A pooler in transaction mode runs each transaction on any of its server connections. With the
driver's names, `_pg3_0` and so on, a statement of another client could be found there and run
instead.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Iterator
from typing import Any, Final

from psycopg._preparing import Prepare, PrepareManager

logger = logging.getLogger(__name__)

_PLAN_ONCE: Final = """
    SELECT pg_backend_pid(), set_config(
        'plan_cache_mode',
        CASE WHEN %s OR pg_backend_pid() = %s THEN 'force_generic_plan'
        ELSE current_setting('plan_cache_mode') END,
        false
    )
"""


class UniqueNames(PrepareManager):
    """The driver's prepared statements of one connection, with names unique to the connection."""

    def __init__(self) -> None:
        super().__init__()
        self._prefix = secrets.token_hex(8)
        self._keeps = False

    @contextlib.contextmanager
    def keep(self) -> Iterator[None]:
        """Keep all statements in a block, whatever it does."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False

    def clear(self) -> bool:
        """Drop all statements, unless they are kept; return whether there were any."""
        return False if self._keeps else super().clear()

    def get(self, query: Any, prepare: bool | None = None) -> tuple[Prepare, bytes]:
        """Return whether to prepare a statement, and its name."""
        decided, name = super().get(query, prepare)
        if decided is Prepare.SHOULD:
            name = f"cb_{self._prefix}_{self._prepared_idx}".encode()
        return decided, name


_is_warned = threading.Event()


def configure(connection: Any, *, wanted: bool | None) -> bool:
    """Prepare a new connection for prepared statements; return whether it may have them.

    A pooled connection is recognised by its process id: the one in the handshake is not the
    server's. The planner is also set to keep one plan, as prepared statements read the heads of
    indexes, whatever the values.

    Arguments:
        wanted: True and False decide; None prepares unless a pooler is in front of PostgreSQL.
    """
    connection._prepared = UniqueNames()
    if wanted is False:
        return False
    pid = connection.info.backend_pid
    found = connection.execute(_PLAN_ONCE, [bool(wanted), pid]).fetchone()[0]
    if wanted or found == pid:
        return True
    if not _is_warned.is_set():
        _is_warned.set()
        logger.warning(
            "no prepared statements: there is a pooler in front of PostgreSQL (process %d answers"
            " for %d);"
            " set DATABASE_PREPARE=1 if it pools sessions or keeps track of prepared statements,"
            " DATABASE_PREPARE=0 to say that it does not",
            found,
            pid,
        )
    return False
