"""Writers of one SQLite file wait for each other, within a limit."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError

from config.environment import database
from config.patches.sqlite import base

pytestmark = pytest.mark.django_db

LONGEST = 10


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a second connection to the same file, as another process has it."""
    made = sqlite3.connect(tmp_path / "file.sqlite3", isolation_level=None, check_same_thread=False)
    made.execute("CREATE TABLE notes (text)")
    yield made
    made.close()


@pytest.fixture
def our_connection(other: sqlite3.Connection, tmp_path: Path) -> Iterator[base.DatabaseWrapper]:
    """Return a connection as the settings make it."""
    settings = connection.settings_dict | database(f"sqlite:///{tmp_path}/file.sqlite3", tmp_path)
    made = base.DatabaseWrapper(settings)
    made.inc_thread_sharing()
    made.ensure_connection()
    yield made
    made.close()


def notes(other: sqlite3.Connection) -> list[Any]:
    return [text for (text,) in other.execute("SELECT text FROM notes")]


@pytest.mark.parametrize("many", [False, True])
def test_a_second_writer_waits_for_the_first(
    our_connection: base.DatabaseWrapper,
    other: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    many: bool,
) -> None:
    waiting = threading.Event()
    monkeypatch.setattr(base, "pause", waiting.set)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO notes VALUES ('first')")

    def write() -> None:
        with our_connection.cursor() as cursor:
            if many:
                cursor.executemany("INSERT INTO notes VALUES (%s)", [["second"], ["third"]])
            else:
                cursor.execute("INSERT INTO notes VALUES (%s)", ["second"])

    writer = threading.Thread(target=write)
    writer.start()
    assert waiting.wait(LONGEST)
    other.execute("COMMIT")
    writer.join(LONGEST)
    assert notes(other) == ["first", "second", "third"][: 3 if many else 2]


def test_a_writer_that_waits_too_long_gets_an_error(
    our_connection: base.DatabaseWrapper, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with our_connection.cursor() as cursor:
        monkeypatch.setattr(base, "PATIENCE", 0.0)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            cursor.execute("INSERT INTO notes VALUES ('second')")
        other.execute("ROLLBACK")
        cursor.execute("INSERT INTO notes VALUES ('second')")
    assert notes(other) == ["second"]


def test_a_bulk_insert_writes_all_rows_or_none(
    our_connection: base.DatabaseWrapper, other: sqlite3.Connection
) -> None:
    other.execute("CREATE UNIQUE INDEX once ON notes (text)")
    with our_connection.cursor() as cursor, pytest.raises(Exception, match="UNIQUE"):
        cursor.executemany("INSERT INTO notes VALUES (%s)", [["one"], ["two"], ["one"]])
    assert notes(other) == []


def test_other_errors_are_raised_at_once(our_connection: base.DatabaseWrapper) -> None:
    with our_connection.cursor() as cursor, pytest.raises(OperationalError, match="no such table"):
        cursor.execute("INSERT INTO nowhere VALUES (1)")


def test_a_second_connection_of_a_process_does_not_drop_the_locks_of_the_first(
    our_connection: base.DatabaseWrapper, tmp_path: Path
) -> None:
    """The kernel drops a process's locks on a file when it closes any descriptor of that file."""
    with our_connection.cursor() as cursor:
        cursor.execute("BEGIN IMMEDIATE")
    second = base.DatabaseWrapper(our_connection.settings_dict)
    second.ensure_connection()
    second.close()
    program = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    )
    tried = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "file.sqlite3")],
        capture_output=True,
        text=True,
    )
    assert "database is locked" in tried.stderr
