"""Put workers offline whose last session of the SDK, or whose last desk, has gone.

A session of the SDK asks for that itself, and the process that had it sees to it. For a process
that was killed, or ended before it could, the sweep does, once its lease has run out.

A desk does not ask: the workspace says after how many seconds without a desk a worker is moved, and
the sweep alone moves them. A worker with an open session of the SDK stays; what happens when that
session goes is decided by what it asked for.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from channels.db import database_sync_to_async
from django.utils import timezone

from routing import models, shared_redis
from routing.actions import errors, workers
from routing.actors import Actor
from routing.bridge import leases
from routing.bridge.leases import Held
from routing.core.clock import microseconds

if TYPE_CHECKING:
    from routing.bridge.registry import Registry

logger = logging.getLogger(__name__)

GRACE_SECONDS: Final = 4.0
"""How long a session may be away: a reconnect takes a second, the loading of a page longer."""


async def follow(registry: Registry, worker_sid: str) -> None:
    """Wait for a worker who is watched to come back, here or elsewhere, then put them offline.

    Who cannot ask elsewhere, as Redis is away, waits until they can.
    """
    while True:
        await asyncio.sleep(GRACE_SECONDS)
        if registry.workers[worker_sid]:
            break
        try:
            is_elsewhere = await registry.elsewhere(worker_sid)
        except shared_redis.BROKEN as error:
            logger.warning("%s is not put offline yet (%s)", worker_sid, error)
            continue
        if not is_elsewhere:
            now = timezone.now()
            await database_sync_to_async(put_offline, thread_sensitive=False)(worker_sid, now=now)
        break
    registry.unwatch(worker_sid)


def sweep(*, now: datetime) -> None:
    """Put those offline whom processes that died had watched, and who have no session elsewhere.

    Then sign off the workers whose last desk has been gone for too long. Raises what a Redis that
    is away raises; what is left is done by the next sweep.
    """
    for process, watched in leases.dead(now=now).items():
        for worker_sid in watched:
            if not leases.of_worker(worker_sid, now=now):
                put_offline(worker_sid, now=now)
        leases.forget(process, now=now)
    if not leases.is_interrupted(now=now):
        for batch in list(leases.gone_desks()):
            _sign_off(dict(batch), now=now)


def _sign_off(gone: dict[str, int], *, now: datetime) -> None:
    """Sign off those of these workers who are due; `gone` has when their last desk went."""
    rows = models.Worker.objects.filter(sid__in=gone).select_related("workspace")
    found = {worker.sid: worker for worker in rows}
    for sid, since in gone.items():
        worker = found.get(sid)
        if worker is not None and worker.workspace.desk_grace:
            if microseconds(now) // 1000 < since + worker.workspace.desk_grace * 1000:
                continue
            here = leases.elsewhere(Held(workers={sid: 0}, desks={sid: 0}), process=None, now=now)
            if not here.workers[sid] and not here.desks[sid]:
                actor = Actor(type="system", source="desk")
                workers.sign_off_worker(worker=worker, actor=actor, now=now)
        leases.forget_gone_desk(sid, since)


def put_offline(worker_sid: str, *, now: datetime) -> None:
    """Move a worker into their workspace's offline activity; their offers are rejected."""
    worker = (
        models.Worker.objects.select_related("workspace__default_activity")
        .filter(sid=worker_sid)
        .first()
    )
    if worker is None:
        return
    activity = workers.offline_activity(worker.workspace)
    if activity is None or activity.pk == worker.activity_id:
        return
    actor = Actor(type="worker", sid=worker_sid, source="sdk")
    try:
        workers.set_activity(
            worker=worker,
            activity=activity,
            reject_pending_reservations=True,
            actor=actor,
            now=now,
        )
    except errors.StaleState:
        return
