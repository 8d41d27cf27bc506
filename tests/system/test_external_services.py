"""The same system over an external PostgreSQL and an external Redis."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import redis
from tests.server import running_server, wait_until

pytestmark = pytest.mark.system


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """Return a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cb-", dir="/tmp") as directory:
        yield Path(directory) / "redis.sock"


@pytest.mark.postgres
def test_the_server_runs_over_postgresql(data_directory: Path, postgres_url: str) -> None:
    with running_server(data_directory, environment={"DATABASE_URL": postgres_url}) as server:
        assert server.health()[0] == 200
        with psycopg.connect(postgres_url) as connection:
            rows = connection.execute("SELECT sid FROM accounts").fetchall()
        assert rows == [(server.credentials()["ACCOUNT_SID"],)]
    assert not (data_directory / "cordboard.sqlite3").exists()


def test_the_server_survives_a_restart_of_redis(data_directory: Path, socket_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        with redis.private_server(socket_path) as url:
            environment = {"REDIS_URL": f"{url}?db=3"}
            cordboard = stack.enter_context(running_server(data_directory, environment=environment))
        wait_until(lambda: cordboard.health()[0] == 503, "Redis is missed")
        assert cordboard.health()[1]["checks"]["redis"] == "no answer"
        stack.enter_context(redis.private_server(socket_path))
        wait_until(lambda: cordboard.health()[0] == 200, "all parts are back", seconds=30)
        assert "Traceback" not in cordboard.said()
    assert not (data_directory / "redis").exists()
