"""A real Redis for wakes, and the list of woken workspaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing import wakeups


@pytest.fixture
def sent(real_redis: Any) -> Callable[[], list[str]]:
    """Return a function that lists the woken workspaces; no router takes them."""

    def waiting() -> list[str]:
        return [sid.decode() for sid in real_redis.lrange(wakeups.WOKEN, 0, -1)]

    return waiting
