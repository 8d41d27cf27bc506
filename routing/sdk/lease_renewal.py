"""Count this process's open desks, and record in Redis when a worker's last one has closed.

The records are written with the lease of `routing.sdk.leases`, and `routing.sdk.desk_grace` acts
on them. So they survive the process that had the desk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
import weakref
from collections import Counter
from collections.abc import Iterable
from typing import Final

from asgiref.sync import async_to_sync, sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from routing import groups
from routing.redis import clients
from routing.sdk import leases
from routing.sdk.leases import SessionCounts

logger = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.05
"""Changes within this time are written in one batch."""
RECHECK: Final = "desk.look"
"""The message that makes a desk check its session at once."""


class Desks:
    """The open desks of one event loop, by worker."""

    def __init__(self) -> None:
        """Create an empty counter."""
        self.process = uuid.uuid4().hex
        self._counts: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._has_changes = asyncio.Event()
        self._renewal: asyncio.Task[None] | None = None

    def add(self, worker_sid: str) -> None:
        """Count one more desk of a worker."""
        self._change(worker_sid, 1)

    def remove(self, worker_sid: str) -> None:
        """Count one desk less of a worker."""
        self._change(worker_sid, -1)

    def _change(self, worker_sid: str, by: int) -> None:
        self._counts[worker_sid] += by
        if self._counts[worker_sid] <= 0:
            del self._counts[worker_sid]
        self._changed.add(worker_sid)
        self._has_changes.set()
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew_while_open())

    async def _renew_while_open(self) -> None:
        """Write every change, and renew the lease, while there is an open desk."""
        try:
            while self._counts or self._changed:
                await asyncio.sleep(GATHER_SECONDS)
                self._has_changes.clear()
                try:
                    await self._write()
                except clients.BROKEN as error:
                    logger.debug("desks.unwritten count=%d error=%s", len(self._changed), error)
                    await asyncio.sleep(1.0)
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._has_changes.wait(), leases.RENEW_SECONDS)
        finally:
            self._renewal = None

    async def _write(self) -> None:
        changed, self._changed = self._changed, set()
        try:
            if not await self._renew(changed):
                # The lease was missing, so the counts may be lost too: write all of them.
                await self._renew(changed | self._counts.keys())
        except BaseException:
            self._changed |= changed
            raise

    async def _renew(self, worker_sids: set[str]) -> bool:
        held = SessionCounts(desks={sid: self._counts[sid] for sid in worker_sids})
        renew = sync_to_async(leases.renew_lease, thread_sensitive=False)
        return await renew(self.process, held, now=timezone.now())


def recheck_desks(worker_sids: Iterable[str]) -> None:
    """Make the open desks of these workers check their sessions at once."""
    layer = get_channel_layer()
    for sid in worker_sids:
        try:
            async_to_sync(layer.group_send)(groups.desks_group(sid), {"type": RECHECK})
        except clients.BROKEN as error:
            # They also check periodically.
            logger.warning("desks.not_told worker=%s error=%s", sid, error)


_of_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Desks] = weakref.WeakKeyDictionary()


def find_desks() -> Desks:
    """Return the desks of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), Desks())
