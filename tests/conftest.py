"""Fixtures of all tests; each folder adds its own."""

from __future__ import annotations

import contextlib
import functools
import gc
import operator
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis as redis_client

from tests import database_templates, postgres, redis
from tests.server import Cordboard, running_server, wait_until

# Every process of this run inherits it: its forks, and those that tests start.
os.environ.setdefault(database_templates.RUN_DIRECTORY, os.environ["DATA_DIR"])

# No example is wrong for being slow: how fast things are is measured by benchmarks.
hypothesis.settings.register_profile(
    "cordboard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("cordboard")


LONG_FILES = {
    *("test_statistics_agree.py", "test_schemathesis.py", "test_router_machine.py"),
    *("test_lookups.py", "test_bad_input.py"),
}
"""Files of tests without a server that take 10 s or more of a core."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes long, so that at the end no process is left alone with it."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.path.name == "test_same_on_postgresql.py":
        return -1
    if any(map(item.get_closest_marker, ("system", "postgres"))):
        return 0
    return 1 if item.path.name in LONG_FILES else 2


def pytest_collection_finish() -> None:
    """Freeze the loaded objects, so that the garbage collector skips them."""
    gc.collect()
    gc.freeze()


LASTING_TABLES = {"auth_permission", "django_content_type", "django_migrations"}

_shared_servers: dict[str, Cordboard] = {}
"""The servers of this process by the name of their fixture."""


_PROCESS_STATE = (
    ("agents.served_queues", "_possible.clear"),
    ("routing.actions.support.first_offers", "forget_pauses"),
    ("routing.floor_watches", "forget_watches"),
    ("routing.db.guarded", "clear_caches"),
    ("routing.operations.rate_limits", "_local_counters.counts.clear"),
    ("routing.redis.clients", "client_of.cache_clear"),
    ("routing.router.failures", "process_failures.clear"),
    ("routing.sdk.admission", "_refused.clear"),
    ("routing.sdk.replacements", "_replaced.clear"),
    ("routing.sdk.replacements", "_replacements.clear"),
    ("routing.sdk.session_ranks", "_alone.clear"),
    ("routing.snapshots.skill_index", "_uses.clear"),
    ("routing.snapshots.workers", "_snapshots.clear"),
    ("routing.snapshots.lanes", "_snapshots.clear"),
    ("supervisors.agent_figures", "forget_books"),
    ("supervisors.demands", "forget_demands"),
    ("supervisors.unserved", "forget_unserved"),
    ("supervisors.fragments", "forget_fragments"),
    ("supervisors.pictures", "forget_pictures"),
    ("config.metrics.pages", "forget_pages"),
    ("routing.instruments", "find_instruments.cache_clear"),
    ("routing.instruments", "_create.cache_clear"),
    ("supervisors.reading", "forget_connected"),
    ("supervisors.recent", "forget_today"),
    ("supervisors.following", "forget_versions"),
    ("supervisors.boards.values", "forget_books"),
    ("supervisors.boards.rendering", "forget_tiles"),
)
"""Modules that keep something between requests, and what clears it."""


def _clear_process_state() -> None:
    """Clear what modules keep; one that was not imported keeps nothing, and stays unloaded."""
    for name, function in _PROCESS_STATE:
        if (module := sys.modules.get(name)) is not None:
            operator.attrgetter(function)(module)()


def _is_healthy(server: Cordboard) -> bool:
    return server.health()[0] == 200


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Clear the state of this process, and stop shared servers that the test does not need."""
    _clear_process_state()
    # An idle server takes 4 % of a core.
    for name, server in _shared_servers.items():
        is_needed = name in item.fixturenames  # type: ignore[attr-defined]
        if is_needed and not server.is_running:
            server.start()
            # What fell due while it was ended is done at its first sweep.
            wait_until(functools.partial(_is_healthy, server), "nothing is overdue")
        elif not is_needed and server.is_running:
            server.end()


@contextlib.contextmanager
def shared_server(name: str, home: Path, **given: Any) -> Iterator[Cordboard]:
    """Run a server for all tests of this process that need it."""
    with running_server(home, **given) as server:
        _shared_servers[name] = server
        yield server
        del _shared_servers[name]


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_use_migrations: bool) -> bool:
    """Start Django's test database from the migrated template, where it is SQLite."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"] != "config.patches.sqlite":
        return False
    shutil.copyfile(database_templates.migrated_sqlite(), database["TEST"]["NAME"])
    return True


@pytest.fixture(scope="session", autouse=True)
def _flush_without_migration_signals() -> Iterator[None]:
    """Empty tables after a test with commits without what follows a migration.

    Django would recreate content types and permissions each time, which takes ten times what
    emptying the tables does. They stay, as no test changes them.
    """
    from django.test import TransactionTestCase

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_tables)
        yield


def _empty_tables(_: object) -> None:
    from django.core.management.color import no_style
    from django.db import connection

    tables = set(connection.introspection.django_table_names(only_existing=True))
    flush = connection.ops.sql_flush(no_style(), sorted(tables - LASTING_TABLES))
    connection.ops.execute_sql_flush(flush)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a private PostgreSQL that lasts as long as the tests."""
    with postgres.private_server() as url:
        yield url


@pytest.fixture(scope="session")
def cordboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a running server that no test may break; each test makes a workspace of its own."""
    with shared_server("cordboard", tmp_path_factory.mktemp("shared") / "var") as server:
        yield server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a running server with the demo's workspace, which no test may break."""
    with shared_server("demo", tmp_path_factory.mktemp("demo") / "var", demo=True) as server:
        yield server


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """Return the URL of a private Redis."""
    with (
        tempfile.TemporaryDirectory(prefix="cb-redis-", dir="/tmp") as home,
        redis.private_server(Path(home) / "redis.sock") as url,
    ):
        yield url


@pytest.fixture
def real_redis(redis_url: str, settings: Any) -> Iterator[redis_client.Redis]:
    """Point every client at the private Redis, which is empty."""
    # Only here, as some folders' tests need no Django.
    from routing.redis import clients

    settings.REDIS_URL = redis_url
    client = clients.client()
    assert client is not None
    client.flushdb()
    yield client
    client.close()
