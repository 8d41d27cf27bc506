"""A real Redis for wakes, and what they send."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from routing import shared_redis, wakes
from tests import redis


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """Return the URL of a private Redis."""
    with (
        tempfile.TemporaryDirectory(prefix="cb-wakes-", dir="/tmp") as home,
        redis.private_server(Path(home) / "redis.sock") as url,
    ):
        yield url


@pytest.fixture
def real_redis(redis_url: str, settings: Any) -> Iterator[None]:
    """Have wakes speak to the private Redis, empty."""
    settings.REDIS_URL = redis_url
    shared_redis.client_of.cache_clear()
    client = shared_redis.client()
    assert client is not None
    client.flushdb()
    yield
    client.close()
    shared_redis.client_of.cache_clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the workspaces that were put on the list for routers, which none takes."""
    found: list[str] = []
    monkeypatch.setattr(wakes, "_send", lambda client, workspace: found.append(workspace))
    return found
