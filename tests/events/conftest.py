"""A real Redis for wakes, the list of woken workspaces, and fake channel layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from channels.layers import channel_layers

from routing import wakeups


@pytest.fixture
def sent(real_redis: Any) -> Callable[[], list[str]]:
    """Return a function that lists the woken workspaces; no router takes them."""

    def waiting() -> list[str]:
        return [sid.decode() for sid in real_redis.lrange(wakeups.WOKEN, 0, -1)]

    return waiting


@contextmanager
def channel_layer(layer: object) -> Iterator[None]:
    """Publish to this channel layer for a block."""
    before = channel_layers.set("default", layer)
    try:
        yield
    finally:
        if before is None:
            del channel_layers.backends["default"]
        else:
            channel_layers.set("default", before)
