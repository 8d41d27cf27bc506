"""PostgreSQL: placeholders of statements, and connections that break."""

from __future__ import annotations

import select
import time
from typing import LiteralString

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from config.patches.postgresql import preparation, silence
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


@pytest.mark.postgres
def test_the_statements_of_a_pipeline_are_sent_together_at_its_end(postgres_url: str) -> None:
    with (
        silence.Connection.connect(postgres_url) as connection,
        psycopg.connect(postgres_url, autocommit=True) as other,
    ):

        def is_free() -> bool:
            found = other.execute("SELECT pg_try_advisory_lock(7), pg_advisory_unlock(7)")
            return bool(next(found)[0])

        with connection.pipeline():
            connection.execute("SELECT pg_advisory_xact_lock(7)")
            connection.execute("SELECT 1")
            assert is_free()
        assert not is_free()
        connection.rollback()
        assert is_free()


@pytest.mark.postgres
def test_a_pipeline_sends_and_gets_more_than_all_buffers_hold(postgres_url: str) -> None:
    long = "x" * 400_000
    with silence.Connection.connect(postgres_url) as connection:
        with connection.pipeline():
            sent = [connection.execute("SELECT %s || %s", [str(n), long]) for n in range(40)]
        assert [cursor.fetchall() for cursor in sent] == [[(f"{n}{long}",)] for n in range(40)]


@pytest.mark.postgres
def test_a_pipeline_raises_the_error_of_its_first_bad_statement(postgres_url: str) -> None:
    with silence.Connection.connect(postgres_url) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            _send_together(connection, "SELECT 1", "SELECT 1 / 0", "SELECT no_such_column")
        connection.rollback()
        assert connection.execute("SELECT 2").fetchone() == (2,)


@pytest.mark.postgres
def test_a_result_can_be_read_before_a_pipeline_ends(postgres_url: str) -> None:
    with silence.Connection.connect(postgres_url) as connection, connection.pipeline():
        first, second = connection.execute("SELECT 1"), connection.execute("SELECT 2")
        assert second.fetchone() == (2,)
        assert first.fetchone() == (1,)
        assert connection.execute("SELECT 3").fetchone() == (3,)


@pytest.mark.postgres
def test_a_transaction_that_is_rolled_back_costs_no_prepared_statement(postgres_url: str) -> None:
    with silence.Connection.connect(postgres_url) as connection:
        connection.autocommit = True
        assert preparation.configure(connection, wanted=True)
        connection.autocommit, connection.prepare_threshold = False, 0

        def count_prepared() -> int:
            text = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'"
            return int(next(connection.execute(text, prepare=False))[0])

        connection.execute("SELECT 1", prepare=True)
        connection.rollback()
        assert count_prepared() == 1
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0", prepare=False)
        # Whether the failed statement is prepared is unknown, so all are dropped.
        connection.rollback()
        assert count_prepared() == 0


def _send_together(connection: silence.Connection, *statements: LiteralString) -> None:
    with connection.pipeline():
        for statement in statements:
            connection.execute(statement)
