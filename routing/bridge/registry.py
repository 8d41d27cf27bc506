"""Count the sessions of this process, and let no worker and no account have too many anywhere.

Redis is told of every change, in batches, so that all processes together keep the limits; while it
is away, each keeps them by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from routing import shared_redis
from routing.bridge import leases
from routing.bridge.leases import Held

logger = logging.getLogger(__name__)

TOO_MANY: Final = "%s has %d sessions of the SDK already; more are refused"

T = TypeVar("T")


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


class Registry:
    """The sessions of one event loop, by whose they are."""

    def __init__(self) -> None:
        """Begin with none."""
        self.process = uuid.uuid4().hex
        self.workers: Counter[str] = Counter()
        self.accounts: Counter[str] = Counter()
        self.watched: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._writing = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._said: dict[str, float] = {}

    async def admit(self, holder: Holder) -> bool:
        """Take a place for one more session, if there is room for it, here and over all processes.

        Others are told first: of two who take the last place at once, none overlooks the other.
        """
        for sid, count, most in self._limits(holder):
            if count[sid] >= most:
                self._warn(sid, TOO_MANY, sid, most)
                return False
        for sid, count, _ in self._limits(holder):
            count[sid] += 1
            self._changed.add(sid)
        is_within = False
        try:
            is_within = await self._is_within(holder)
        finally:
            if not is_within:
                self.release(holder)
        if not is_within:
            await self.write_if_possible()
        return is_within

    async def _is_within(self, holder: Holder) -> bool:
        asked = Held(workers={holder.worker_sid: 0}, accounts={holder.account_sid: 0})
        try:
            await self.write()
            others = await in_thread(
                leases.elsewhere, asked, process=self.process, now=timezone.now()
            )
        except shared_redis.BROKEN as error:
            self._warn("redis", "sessions are counted by each process alone (%s)", error)
            return True
        sums = {**others.workers, **others.accounts}
        for sid, count, most in self._limits(holder):
            if count[sid] + sums.get(sid, 0) > most:
                self._warn(sid, TOO_MANY, sid, most)
                return False
        return True

    def release(self, holder: Holder) -> None:
        """Give a place back."""
        for sid, count, _ in self._limits(holder):
            self._less(count, sid)

    def watch(self, worker_sid: str) -> None:
        """Note that a worker is to be put offline when their last session is gone."""
        self.watched[worker_sid] += 1
        self._changed.add(worker_sid)

    def unwatch(self, worker_sid: str) -> None:
        """Note that this has been seen to, or is another session's concern."""
        self._less(self.watched, worker_sid)

    async def elsewhere(self, worker_sid: str) -> int:
        """Return how many sessions a worker has with other processes; raises if Redis is away."""
        now = timezone.now()
        return await in_thread(leases.of_worker, worker_sid, process=self.process, now=now)

    async def write(self) -> None:
        """Renew the lease and write what has changed up to now; raises if Redis is away.

        Whoever asks while another write is under way shares the next one.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._write())
            self._next.add_done_callback(_look_at_failure)
        await asyncio.shield(self._next)

    async def write_if_possible(self) -> None:
        """Write what has changed; while Redis is away, that waits for the next time."""
        try:
            await self.write()
        except shared_redis.BROKEN as error:
            self._warn("write", "others do not know of this process's sessions yet (%s)", error)

    async def _write(self) -> None:
        async with self._writing:
            self._next = None
            changed, self._changed = self._changed, set()
            try:
                if not await self._renew(self._held(changed)):
                    everybody = {*self.workers, *self.accounts, *self.watched}
                    await self._renew(self._held(everybody))
            except BaseException:
                self._changed |= changed
                raise

    async def _renew(self, held: Held) -> bool:
        return await in_thread(leases.renew, self.process, held, now=timezone.now())

    def _held(self, sids: set[str]) -> Held:
        workers = {sid for sid in sids if sid.startswith("WK")}
        accounts = sids - workers
        return Held(
            workers={sid: self.workers[sid] for sid in workers},
            accounts={sid: self.accounts[sid] for sid in accounts},
            watched={sid: self.watched[sid] for sid in workers},
        )

    def _limits(self, holder: Holder) -> tuple[tuple[str, Counter[str], int], ...]:
        return (
            (holder.worker_sid, self.workers, settings.SDK_SESSIONS_PER_WORKER),
            (holder.account_sid, self.accounts, settings.SDK_SESSIONS_PER_ACCOUNT),
        )

    def _less(self, count: Counter[str], sid: str) -> None:
        count[sid] -= 1
        if count[sid] <= 0:
            del count[sid]
        self._changed.add(sid)

    def _warn(self, about: str, words: str, *values: object) -> None:
        """Say something in the log, once a minute: clients that are refused come back at once."""
        now = time.monotonic()
        if self._said.get(about, 0.0) <= now:
            if len(self._said) > 1_000:
                self._said.clear()
            self._said[about] = now + 60.0
            logger.warning(words, *values)


async def in_thread(function: Callable[..., T], *args: Any, **given: Any) -> T:
    """Ask Redis without holding up the event loop."""
    result: T = await sync_to_async(function, thread_sensitive=False)(*args, **given)
    return result


def _look_at_failure(task: asyncio.Task[None]) -> None:
    """Have a failure count as seen, even if everybody who waited for the write has gone."""
    if not task.cancelled():
        task.exception()
