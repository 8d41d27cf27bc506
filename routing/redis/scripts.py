"""Load the Lua scripts of this folder; each runs atomically in Redis, in one round trip."""

from __future__ import annotations

import functools
from pathlib import Path

import redis
from redis.commands.core import Script


@functools.lru_cache(maxsize=16)
def load_script(client: redis.Redis, name: str) -> Script:
    """Return the script of the file `NAME.lua`; calling it runs it with this client."""
    return client.register_script(Path(__file__).with_name(f"{name}.lua").read_text())
