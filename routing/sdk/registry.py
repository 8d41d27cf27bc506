"""Count this process's sessions, and enforce the limits per worker and account everywhere.

Changes are written to Redis in batches, so that all processes together keep the limits. While Redis
is unreachable, each process keeps them alone.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from asgiref.sync import sync_to_async
from cachetools import TTLCache
from django.conf import settings
from django.utils import timezone

from routing.redis import clients
from routing.sdk import leases, session_ranks
from routing.sdk.leases import SessionCounts

logger = logging.getLogger(__name__)

TOO_MANY: Final = "%s has %d sessions of the SDK already; more are refused"
OLDEST_CLOSED: Final = "%s has %d sessions of the SDK already; the oldest is closed for a new one"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A session's owner and credentials: all that is kept of a token while the session lives.

    Arguments:
        sealed: the stored secret of the key, to detect that the key was renewed.
        digest: the token's digest.
        edition: the version of the workspace's lists when the session was admitted.
        session: the name of the session.
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
    session: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Admission:
    """A reserved place for a session.

    Arguments:
        closing: the names of the worker's oldest sessions, which must be closed for it.
    """

    holder: Holder
    closing: tuple[str, ...] = ()


class Registry:
    """The sessions of one event loop, by worker and account."""

    def __init__(self) -> None:
        """Create an empty registry."""
        self.process = uuid.uuid4().hex
        self.workers: Counter[str] = Counter()
        self.accounts: Counter[str] = Counter()
        self.watched: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._ranked: set[str] = set()
        self._ended: set[tuple[str, str]] = set()
        self._writing = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._warned: TTLCache[str, None] = TTLCache(maxsize=1_000, ttl=60.0)

    async def admit(self, holder: Holder) -> Admission | None:
        """Reserve a place for a session, here and over all processes; None if there is none.

        An account at its limit gets none. A worker at the limit gets one, and the oldest session is
        closed. Own counts are written before those of others are read. So of two that take the last
        place at the same time, each sees the other.
        """
        account = holder.account_sid
        if self._is_full(account, self.accounts[account] + 1):
            return None
        for sid, count in self._counts(holder):
            count[sid] += 1
            self._changed.add(sid)
        admission: Admission | None = None
        try:
            admission = await self._reserve_place(holder)
        finally:
            if admission is None:
                self.release(holder)
        if admission is None:
            await self.try_write_changes()
        return admission

    async def _reserve_place(self, holder: Holder) -> Admission | None:
        worker, account, most = (
            holder.worker_sid,
            holder.account_sid,
            settings.SDK_SESSIONS_PER_WORKER,
        )
        now, process = timezone.now(), self.process
        try:
            await self.write_changes()
            counts = SessionCounts(accounts={account: 0})
            elsewhere = await run_in_thread(
                leases.count_elsewhere, counts, process=process, now=now
            )
            if self._is_full(account, self.accounts[account] + elsewhere.accounts.get(account, 0)):
                return None
            self._ranked.add(holder.session)
            closing = await run_in_thread(
                session_ranks.add_session,
                worker,
                holder.session,
                process=process,
                most=most,
                now=now,
            )
        except clients.BROKEN as error:
            # Without Redis the oldest session can be neither found nor closed.
            self._warn("redis", "sessions.counted_per_process error=%s", error)
            if self.workers[worker] > most:
                self._warn(worker, TOO_MANY, worker, most)
                return None
            return Admission(holder)
        if closing:
            self._warn(worker, OLDEST_CLOSED, worker, most)
        return Admission(holder, tuple(closing))

    def _is_full(self, account: str, count: int) -> bool:
        most = settings.SDK_SESSIONS_PER_ACCOUNT
        if count > most:
            self._warn(account, TOO_MANY, account, most)
        return count > most

    def release(self, holder: Holder) -> None:
        """Release a place."""
        for sid, count in self._counts(holder):
            self._decrement(count, sid)
        if holder.session in self._ranked:
            self._ranked.discard(holder.session)
            self._ended.add((holder.worker_sid, holder.session))

    def watch(self, worker_sid: str) -> None:
        """Mark a worker to be put offline when their last session ends."""
        self.watched[worker_sid] += 1
        self._changed.add(worker_sid)

    def unwatch(self, worker_sid: str) -> None:
        """Remove the mark, as it was handled or another session keeps it."""
        self._decrement(self.watched, worker_sid)

    async def count_elsewhere(self, worker_sid: str) -> int:
        """Return the number of a worker's sessions with other processes; raises Redis errors."""
        now = timezone.now()
        return await run_in_thread(
            leases.count_worker_sessions, worker_sid, process=self.process, now=now
        )

    async def write_changes(self) -> None:
        """Renew the lease and write all changes so far; raises Redis errors.

        Callers that arrive during a write share the next one.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._write())
            self._next.add_done_callback(_retrieve_failure)
        await asyncio.shield(self._next)

    async def try_write_changes(self) -> None:
        """Write all changes; while Redis is unreachable, they are kept for the next write."""
        try:
            await self.write_changes()
        except clients.BROKEN as error:
            self._warn("write", "sessions.unwritten error=%s", error)

    async def _write(self) -> None:
        async with self._writing:
            self._next = None
            changed, self._changed = self._changed, set()
            ended, self._ended = self._ended, set()
            try:
                if not await self._renew(self._session_counts(changed)):
                    all_sids = {*self.workers, *self.accounts, *self.watched}
                    await self._renew(self._session_counts(all_sids))
                if ended:
                    await run_in_thread(session_ranks.remove_sessions, ended, process=self.process)
            except BaseException:
                self._changed |= changed
                self._ended |= ended
                raise

    async def _renew(self, counts: SessionCounts) -> bool:
        return await run_in_thread(leases.renew_lease, self.process, counts, now=timezone.now())

    def _session_counts(self, sids: set[str]) -> SessionCounts:
        workers = {sid for sid in sids if sid.startswith("WK")}
        accounts = sids - workers
        return SessionCounts(
            workers={sid: self.workers[sid] for sid in workers},
            accounts={sid: self.accounts[sid] for sid in accounts},
            watched={sid: self.watched[sid] for sid in workers},
        )

    def _counts(self, holder: Holder) -> tuple[tuple[str, Counter[str]], ...]:
        return (holder.worker_sid, self.workers), (holder.account_sid, self.accounts)

    def _decrement(self, count: Counter[str], sid: str) -> None:
        count[sid] -= 1
        if count[sid] <= 0:
            del count[sid]
        self._changed.add(sid)

    def _warn(self, about: str, words: str, *values: object) -> None:
        """Log a warning at most once a minute per subject, as refused clients reconnect at once."""
        if about not in self._warned:
            self._warned[about] = None
            logger.warning(words, *values)


async def run_in_thread(function: Callable[..., T], *args: Any, **options: Any) -> T:
    """Run a blocking function in a thread, and return its result."""
    result: T = await sync_to_async(function, thread_sensitive=False)(*args, **options)
    return result


def _retrieve_failure(task: asyncio.Task[None]) -> None:
    """Retrieve a failure, even if all waiting callers have been cancelled."""
    if not task.cancelled():
        task.exception()
