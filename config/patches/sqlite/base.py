"""SQLite for several writing processes, with short waits for the lock.

SQLite lets a writer sleep longer and longer while another one writes, up to a tenth of a second,
although the other one needs a few milliseconds. Here each wait is short, with the same limit in
total.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.db.backends.sqlite3 import base

PATIENCE: Final = 20.0
"""Seconds after which a statement that gets no lock fails."""
OWN_PATIENCE_MS: Final = 3
"""Milliseconds that SQLite itself waits, in short first steps, before we retry."""
PAUSE_SECONDS: Final = 0.001


def pause() -> None:
    """Wait before the next retry."""
    time.sleep(PAUSE_SECONDS)


class PatientCursor(base.SQLiteCursorWrapper):
    """A cursor that retries while another writer holds the lock."""

    def execute(self, query: str, params: Any = None) -> Any:
        """Run a statement as soon as the lock is free."""
        return self._patiently(lambda: base.SQLiteCursorWrapper.execute(self, query, params))

    def executemany(self, query: str, param_list: Any) -> Any:
        """Run a statement for many rows as soon as the lock is free, for all of them or none."""
        if self.connection.in_transaction:
            return super().executemany(query, param_list)
        self.execute("BEGIN IMMEDIATE")
        try:
            result = super().executemany(query, param_list)
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()
        return result

    def _patiently(self, act: Callable[[], Any]) -> Any:
        give_up_at = 0.0
        while True:
            try:
                return act()
            except sqlite3.OperationalError as error:
                # A retry is safe only before a transaction has begun: nothing was done that it
                # would repeat or skip.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or self.connection.in_transaction:
                    raise
                now = time.monotonic()
                give_up_at = give_up_at or now + PATIENCE
                if now >= give_up_at:
                    raise
            pause()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite with retrying cursors, in a file that only its user can read."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection; a new file is created private first.

        SQLite gives its other files the same mode. An existing file must not be opened here:
        closing any descriptor of it drops this process's locks on it.
        """
        name = os.fspath(conn_params["database"])
        if not name.startswith((":", "file:")) and Path(name).parent.is_dir():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> PatientCursor:
        """Return a cursor of this connection."""
        cursor: PatientCursor = self.connection.cursor(factory=PatientCursor)
        return cursor
