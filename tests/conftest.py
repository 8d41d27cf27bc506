"""What all tests share; each folder adds its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis as redis_client

from tests import postgres, redis

# No example is wrong for being slow: how fast things are is measured by benchmarks.
hypothesis.settings.register_profile(
    "cordboard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("cordboard")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that at the end no process is left alone with it."""
    items.sort(key=lambda item: not any(map(item.get_closest_marker, ("system", "postgres"))))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a private PostgreSQL that lasts as long as the tests."""
    with postgres.private_server() as url:
        yield url


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
    """Have everything speak to the private Redis, which is empty."""
    # Only here, as some folders' tests need no Django.
    from routing import shared_redis

    settings.REDIS_URL = redis_url
    shared_redis.client_of.cache_clear()
    client = shared_redis.client()
    assert client is not None
    client.flushdb()
    yield client
    client.close()
    shared_redis.client_of.cache_clear()
