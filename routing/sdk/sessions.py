"""Run the timers and checks of all sessions of this process."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any, Final, Protocol

from channels.db import database_sync_to_async

from routing import models, secretbox, tokens
from routing.sdk import leases
from routing.sdk.list_barrier import ListBarriers
from routing.sdk.list_versions import ListVersions
from routing.sdk.loader import FrameLoader
from routing.sdk.registry import Holder, Registry

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 30.0
"""Seconds between checks whether the keys and workers of all sessions are still valid."""

_SESSIONS_PER_TURN: Final = 50
"""Number of sessions handled before other tasks of the event loop get a turn."""


class Session(Protocol):
    """The methods of a session that the timer calls."""

    holder: Holder

    async def tick(self, now: float) -> None:
        """Do what is due."""

    async def compare(self, version: int) -> None:
        """Compare the version that the session knows with the worker's version."""

    async def end(self, code: int, reason: str) -> None:
        """Close the session."""


class Sessions:
    """The sessions of one event loop."""

    tick_seconds = 1.0

    def __init__(self) -> None:
        """Create an empty set of sessions."""
        self.loader = FrameLoader()
        self.list_versions = ListVersions()
        self.list_barriers = ListBarriers()
        self._open: set[Any] = set()
        self.registry = Registry()
        self._clock: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    def add(self, session: Session) -> None:
        """Add a session whose place was reserved."""
        self._open.add(session)
        if self._clock is None:
            self._clock = asyncio.create_task(self._run_timers())

    def remove(self, session: Session) -> None:
        """Remove a session, and release its place."""
        self._open.discard(session)
        self.registry.release(session.holder)
        self.start(self.registry.try_write_changes())

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work in the background, independent of the session that starts it."""
        task = asyncio.create_task(log_failure(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _run_timers(self) -> None:
        checked = renewed = time.monotonic()
        try:
            while self._open or self.registry.watched:
                await asyncio.sleep(self.tick_seconds)
                now = time.monotonic()
                async for session in yield_in_turns(self._open):
                    await log_failure(session.tick(now))
                if now - renewed >= leases.RENEW_SECONDS:
                    renewed = now
                    self.start(self.registry.try_write_changes())
                if now - checked >= CHECK_SECONDS:
                    checked = now
                    await log_failure(self.check())
        finally:
            self._clock = None

    async def check(self) -> None:
        """Close the sessions of revoked or renewed keys and of deleted workers.

        All others get their worker's version, to compare.
        """
        open_now = list(self._open)
        key_sids = {session.holder.key_sid for session in open_now}
        ids = {session.holder.worker_id for session in open_now}
        keys, workers = await database_sync_to_async(_load_valid, thread_sensitive=False)(
            key_sids, ids
        )
        async for session in yield_in_turns(open_now):
            holder = session.holder
            is_good = secretbox.matches_any_secret(keys.get(holder.key_sid, ()), holder.sealed)
            if not is_good or holder.worker_id not in workers:
                await log_failure(session.end(4401, "Token revoked"))
            else:
                await log_failure(session.compare(workers[holder.worker_id]))


async def yield_in_turns(sessions: Iterable[Session]) -> AsyncIterator[Session]:
    """Yield all of these, and give other tasks of the event loop a turn after every few."""
    for number, session in enumerate(list(sessions), start=1):
        yield session
        if number % _SESSIONS_PER_TURN == 0:
            await asyncio.sleep(0)


def _load_valid(
    key_sids: set[str], worker_ids: set[int]
) -> tuple[dict[str, tuple[str, ...]], dict[int, int]]:
    rows = models.Worker.objects.filter(pk__in=worker_ids)
    return tokens.list_valid_secrets(key_sids), dict(rows.values_list("pk", "version"))


async def log_failure(work: Coroutine[Any, Any, None]) -> None:
    """Run work, and log its failure instead of raising it."""
    try:
        await work
    except Exception:
        logger.exception("SDK session: background work failed")


_of_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Sessions] = (
    weakref.WeakKeyDictionary()
)


def find_sessions() -> Sessions:
    """Return the sessions of the running event loop."""
    loop = asyncio.get_running_loop()
    sessions = _of_loops.get(loop)
    if sessions is None:
        sessions = _of_loops[loop] = Sessions()
    return sessions
