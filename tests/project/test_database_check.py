"""Health of the database: it answers, and it takes writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from config import health
from config.environment import database
from config.patches.sqlite import base

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection of another process to a database that has one migration."""
    made = sqlite3.connect(tmp_path / "file.sqlite3", isolation_level=None)
    made.execute("CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, applied TEXT)")
    made.execute("INSERT INTO django_migrations VALUES (1, 'then')")
    yield made
    made.close()


@pytest.fixture
def our_connection(
    file: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[base.DatabaseWrapper]:
    """Return a connection to it as the settings make it, which the check uses."""
    url = f"sqlite:///{tmp_path}/file.sqlite3"
    made = base.DatabaseWrapper(connection.settings_dict | database(url, tmp_path))
    monkeypatch.setattr(health, "connection", made)
    yield made
    made.close()


def test_a_database_that_can_be_read_and_written_passes(
    our_connection: base.DatabaseWrapper,
) -> None:
    assert health._database()


def test_a_database_that_refuses_writes_fails(our_connection: base.DatabaseWrapper) -> None:
    with our_connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    assert not health._database()


def test_a_full_disk_fails(our_connection: base.DatabaseWrapper, file: sqlite3.Connection) -> None:
    with our_connection.cursor() as cursor:
        # The least that the file may have: a row that has grown finds no page.
        cursor.execute("UPDATE django_migrations SET applied = hex(zeroblob(9000))")
        cursor.execute(
            "CREATE TRIGGER grow AFTER UPDATE ON django_migrations BEGIN"
            " INSERT INTO django_migrations VALUES (NULL, hex(zeroblob(9000))); END"
        )
        cursor.execute("PRAGMA max_page_count = 1")
    assert not health._database()
    with our_connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 10000")
    assert health._database()


def test_a_database_that_another_process_writes_to_passes(
    our_connection: base.DatabaseWrapper, file: sqlite3.Connection
) -> None:
    our_connection.ensure_connection()
    file.execute("BEGIN IMMEDIATE")
    assert health._database()
    file.execute("ROLLBACK")
