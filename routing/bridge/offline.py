"""Put a worker offline whose last session has gone, where the session asked for that.

The process that had the session sees to it. For one that was killed, or ended before it could, the
housekeeping does, once its lease has run out.
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

    Raises what a Redis that is away raises; what is left is done by the next sweep.
    """
    for process, watched in leases.dead(now=now).items():
        for worker_sid in watched:
            if not leases.of_worker(worker_sid, now=now):
                put_offline(worker_sid, now=now)
        leases.forget(process)


def put_offline(worker_sid: str, *, now: datetime) -> None:
    """Move a worker into their workspace's offline activity; their offers are rejected."""
    worker = (
        models.Worker.objects.select_related("workspace__default_activity")
        .filter(sid=worker_sid)
        .first()
    )
    if worker is None:
        return
    activity = _offline(worker.workspace)
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


def _offline(workspace: models.Workspace) -> models.Activity | None:
    """Return the activity called Offline, else the one of new workers, if it takes no work."""
    away = workspace.activities.filter(available=False)
    named = away.filter(friendly_name__iexact="offline").first()
    default = workspace.default_activity
    return named or (default if default is not None and not default.available else None)
