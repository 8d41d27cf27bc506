"""Servers with the database and Redis behind proxies, and a table of the faults' effects."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests import database_templates, redis
from tests.chaos.proxy import Proxy
from tests.chaos.task_load import FAULT_SECONDS, Outcome
from tests.server import Cordboard, running_server

ENVIRONMENT = {"CALLBACK_ALLOW_PRIVATE": "127.0.0.1", "AUTH_TOKEN": "f" * 32}
HEAD = "fault | gap | delay | after | answer | lost | doubled | answers"

_lines: list[str] = []


@pytest.fixture
def outcomes(request: pytest.FixtureRequest) -> Iterator[list[Outcome]]:
    """Return a list for the outcomes of a test, which the table at the end shows."""
    found: list[Outcome] = []
    yield found
    name = request.node.name.removeprefix("test_").replace("_", " ")
    _lines.extend(f"{name} | {outcome.table_row()}" for outcome in found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if _lines:
        terminalreporter.write_line(
            f"\nFaults of {FAULT_SECONDS:.0f} seconds; all figures in seconds\n"
        )
        for line in (HEAD, *_lines):
            terminalreporter.write_line(line)


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """Return a directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="cb-chaos-", dir="/tmp") as directory:
        yield Path(directory)


@dataclass
class Services:
    """Where the database and Redis are."""

    environment: dict[str, str]
    redis_socket: str
    database_socket: str = ""
    database: str = ""

    def through(self, proxy: Proxy) -> str:
        """Return the database's URL by way of a proxy."""
        return f"postgres://tests@127.0.0.1:{proxy.port}/{self.database}"


BOTH_DATABASES = pytest.mark.parametrize(
    "services",
    [pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"],
    indirect=True,
)


@pytest.fixture
def services(request: pytest.FixtureRequest, short_directory: Path) -> Iterator[Services]:
    """Run a Redis, and a database of the kind that the test is parametrized with."""
    kind = getattr(request, "param", "postgres")
    with redis.private_server(short_directory / "redis.sock") as url:
        made = Services(
            {**ENVIRONMENT, "REDIS_URL": url}, redis_socket=str(short_directory / "redis.sock")
        )
        if kind == "postgres":
            server: str = request.getfixturevalue("postgres_url")
            name = f"chaos_{uuid.uuid4().hex}"
            template = database_templates.migrated_postgres(server)
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            place = parse_qs(urlsplit(server).query)["host"][0]
            made.database = name
            made.database_socket = f"{place}/.s.PGSQL.5432"
            made.environment["DATABASE_URL"] = server.replace("/postgres?", f"/{name}?")
        yield made


@contextlib.contextmanager
def server_on_services(home: Path, services: Services, **environment: str) -> Iterator[Cordboard]:
    """Run a server on these services."""
    with running_server(home, environment={**services.environment, **environment}) as server:
        yield server
