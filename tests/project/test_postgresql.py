"""PostgreSQL: placeholders of statements, and connections that break."""

from __future__ import annotations

import select
import time

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from config.patches.postgresql.base import _SILENT, _numbered, check


@pytest.mark.parametrize(
    ("written", "numbered"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT %s, %s::bigint[]", "SELECT $1, $2::bigint[]"),
        ("name LIKE '%%s' AND id = %s", "name LIKE '%s' AND id = $1"),
    ],
)
def test_placeholders_are_numbered_and_doubled_percent_signs_become_single(
    written: str, numbered: str
) -> None:
    assert _numbered(written) == numbered


@pytest.mark.postgres
def test_a_connection_that_the_server_closed_is_not_reused(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as operator:
        connection = psycopg.connect(postgres_url, autocommit=True)
        check(connection)
        check(connection)
        operator.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        ended = select.poll()
        ended.register(connection.fileno(), select.POLLIN)
        assert ended.poll(10_000)
        with pytest.raises(psycopg.OperationalError):
            check(connection)


@pytest.mark.postgres
def test_a_connection_is_checked_only_after_a_long_idle_time(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(ConnectionPool, "check_connection", asked.append)
    now = time.monotonic()
    moments = iter([now, now + 1, now + _SILENT, now + 2 * _SILENT + 1])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        counts = []
        for _ in range(4):
            check(connection)
            counts.append(len(asked))
    # First, because its state is unknown, and last.
    assert counts == [1, 1, 1, 2]
