"""Know every session of this process: count them, and look after all of them by one clock."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, Protocol

from channels.db import database_sync_to_async
from django.conf import settings

from routing import models, tokens
from routing.bridge.beginnings import Beginnings
from routing.bridge.editions import Editions
from routing.bridge.loader import Loader

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 30.0
"""How often it is asked whether the keys and workers of all sessions are good still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose session it is and what lets them in: all that is kept of a token, for as long as it.

    Arguments:
        sealed: the secret of the key as it was stored, which tells whether it is the same still.
        digest: what stands for the token itself.
        edition: of the workspace's lists, as they were when the session was let in.
    """

    account_sid: str
    workspace_sid: str
    worker_sid: str
    worker_id: int
    key_sid: str
    sealed: str
    expires: int
    digest: str
    edition: str


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
        self._of_workers: Counter[str] = Counter()
        self._of_accounts: Counter[str] = Counter()
        self._clock: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()
        self._said: dict[str, float] = {}

    def of_worker(self, sid: str) -> int:
        """Return how many sessions a worker has here."""
        return self._of_workers[sid]

    def room(self, holder: Holder) -> bool:
        """Tell whether one more session is allowed; say in the log, once a minute, if not."""
        for sid, count, most in (
            (holder.worker_sid, self._of_workers, settings.SDK_SESSIONS_PER_WORKER),
            (holder.account_sid, self._of_accounts, settings.SDK_SESSIONS_PER_ACCOUNT),
        ):
            if count[sid] >= most:
                self._say_once(sid, most)
                return False
        return True

    def add(self, session: Session) -> None:
        """Take a session in."""
        self._open.add(session)
        self._of_workers[session.holder.worker_sid] += 1
        self._of_accounts[session.holder.account_sid] += 1
        if self._clock is None:
            self._clock = asyncio.create_task(self._look_after())

    def remove(self, session: Session) -> None:
        """Let a session go."""
        if session not in self._open:
            return
        self._open.discard(session)
        for sid, count in (
            (session.holder.worker_sid, self._of_workers),
            (session.holder.account_sid, self._of_accounts),
        ):
            count[sid] -= 1
            if count[sid] <= 0:
                del count[sid]

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something beside the sessions, and outlive the one that asks for it."""
        task = asyncio.create_task(quietly(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _look_after(self) -> None:
        checked = time.monotonic()
        try:
            while self._open:
                await asyncio.sleep(self.tick_seconds)
                now = time.monotonic()
                for session in list(self._open):
                    await quietly(session.tick(now))
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
        for session in open_now:
            holder = session.holder
            if keys.get(holder.key_sid) != holder.sealed or holder.worker_id not in workers:
                await quietly(session.end(4401, "The token is good no longer"))
            else:
                await quietly(session.compare(workers[holder.worker_id]))

    def _say_once(self, sid: str, most: int) -> None:
        now = time.monotonic()
        if self._said.get(sid, 0.0) <= now:
            if len(self._said) > 1_000:
                self._said.clear()
            self._said[sid] = now + 60.0
            logger.warning("%s has %d sessions of the SDK already; more are refused", sid, most)


def _good(key_sids: set[str], worker_ids: set[int]) -> tuple[dict[str, str], dict[int, int]]:
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
