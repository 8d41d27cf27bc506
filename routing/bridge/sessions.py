"""Look after every session of this process by one clock."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any, Final, Protocol

from channels.db import database_sync_to_async

from routing import models, secretbox, tokens
from routing.bridge import leases
from routing.bridge.beginnings import Beginnings
from routing.bridge.editions import Editions
from routing.bridge.loader import Loader
from routing.bridge.registry import Holder, Registry

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 30.0
"""How often it is asked whether the keys and workers of all sessions are good still."""

_AT_ONCE: Final = 50
"""So many of thousands of sessions are looked after before anything else may happen."""


class Session(Protocol):
    """What the clock does with a session."""

    holder: Holder

    async def tick(self, now: float) -> None:
        """Do what is due."""

    async def compare(self, version: int) -> None:
        """Compare what it knows with the worker's version."""

    async def end(self, code: int, reason: str) -> None:
        """Close it."""


class Sessions:
    """The sessions of one event loop."""

    tick_seconds = 1.0

    def __init__(self) -> None:
        """Begin with none."""
        self.loader = Loader()
        self.editions = Editions()
        self.beginnings = Beginnings()
        self._open: set[Any] = set()
        self.registry = Registry()
        self._clock: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    def add(self, session: Session) -> None:
        """Look after a session whose place was claimed."""
        self._open.add(session)
        if self._clock is None:
            self._clock = asyncio.create_task(self._look_after())

    def remove(self, session: Session) -> None:
        """Look after a session no more, and give its place back."""
        self._open.discard(session)
        self.registry.release(session.holder)
        self.start(self.registry.write_if_possible())

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the sessions, and outlive the one that asks for it."""
        task = asyncio.create_task(quietly(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _look_after(self) -> None:
        checked = renewed = time.monotonic()
        try:
            while self._open or self.registry.watched:
                await asyncio.sleep(self.tick_seconds)
                now = time.monotonic()
                async for session in in_turn(self._open):
                    await quietly(session.tick(now))
                if now - renewed >= leases.RENEW_SECONDS:
                    renewed = now
                    self.start(self.registry.write_if_possible())
                if now - checked >= CHECK_SECONDS:
                    checked = now
                    await quietly(self.check())
        finally:
            self._clock = None

    async def check(self) -> None:
        """End the sessions of keys that were revoked or renewed, and of workers that are gone.

        All others hear which version their worker has, to compare.
        """
        open_now = list(self._open)
        key_sids = {session.holder.key_sid for session in open_now}
        ids = {session.holder.worker_id for session in open_now}
        keys, workers = await database_sync_to_async(_good, thread_sensitive=False)(key_sids, ids)
        async for session in in_turn(open_now):
            holder = session.holder
            is_good = secretbox.is_among(keys.get(holder.key_sid, ()), holder.sealed)
            if not is_good or holder.worker_id not in workers:
                await quietly(session.end(4401, "The token is good no longer"))
            else:
                await quietly(session.compare(workers[holder.worker_id]))


async def in_turn(sessions: Iterable[Session]) -> AsyncIterator[Session]:
    """Yield all of these, and let everybody else have their turn after every few of them."""
    for number, session in enumerate(list(sessions), start=1):
        yield session
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)


def _good(
    key_sids: set[str], worker_ids: set[int]
) -> tuple[dict[str, tuple[str, ...]], dict[int, int]]:
    rows = models.Worker.objects.filter(pk__in=worker_ids)
    return tokens.good_keys(key_sids), dict(rows.values_list("pk", "version"))


async def quietly(work: Coroutine[Any, Any, None]) -> None:
    """Do something whose failure concerns nobody else; it is logged."""
    try:
        await work
    except Exception:
        logger.exception("a session of the SDK could not be looked after")


_of_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Sessions] = (
    weakref.WeakKeyDictionary()
)


def here() -> Sessions:
    """Return the sessions of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Sessions()
    return found
