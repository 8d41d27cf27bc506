"""Put workers offline whose last SDK session or last desk has closed.

An SDK session requests this itself, and its process does it. If the process was killed or ended
first, the sweep does it after the lease has expired.

A desk does not request it. The workspace sets the seconds without a desk after which a worker is
moved, and only the sweep moves them. A worker with an open SDK session stays; that session's own
request decides what happens when it closes.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from channels.db import database_sync_to_async
from django.utils import timezone

from routing import models
from routing.actions import workers
from routing.actions.support import errors
from routing.actors import Actor
from routing.core.clock import microseconds
from routing.redis import clients
from routing.sdk import leases
from routing.sdk.leases import SessionCounts

if TYPE_CHECKING:
    from routing.sdk.registry import Registry

logger = logging.getLogger(__name__)

GRACE_SECONDS: Final = 4.0
"""Seconds a session may be gone: a reconnect takes one, loading a page longer."""


async def wait_for_reconnect(registry: Registry, worker_sid: str) -> None:
    """Wait for a watched worker to reconnect here or elsewhere; otherwise put them offline.

    While Redis is unreachable, retry until it answers.
    """
    while True:
        await asyncio.sleep(GRACE_SECONDS)
        if registry.workers[worker_sid]:
            break
        try:
            is_elsewhere = await registry.count_elsewhere(worker_sid)
        except clients.BROKEN as error:
            logger.warning("offline.postponed worker=%s error=%s", worker_sid, error)
            continue
        if not is_elsewhere:
            now = timezone.now()
            await database_sync_to_async(put_offline, thread_sensitive=False)(worker_sid, now=now)
        break
    registry.unwatch(worker_sid)


def sweep(*, now: datetime) -> None:
    """Put watched workers of dead processes offline if they have no session elsewhere.

    Then sign off workers whose last desk has been closed for too long. Raises Redis errors; the
    next sweep does what is left.
    """
    for process, watched in leases.list_dead_processes(now=now).items():
        for worker_sid in watched:
            if not leases.count_worker_sessions(worker_sid, now=now):
                put_offline(worker_sid, now=now)
        leases.remove_process(process, now=now)
    if not leases.is_interrupted(now=now):
        for batch in list(leases.load_closed_desks()):
            _sign_off(dict(batch), now=now)


def _sign_off(closed_at: dict[str, int], *, now: datetime) -> None:
    """Sign off the workers who have had no desk for longer than their workspace allows.

    Arguments:
        closed_at: milliseconds since the epoch when each worker's last desk closed, by sid.
    """
    rows = models.Worker.objects.filter(sid__in=closed_at).select_related("workspace")
    workers_by_sid = {worker.sid: worker for worker in rows}
    for sid, since in closed_at.items():
        worker = workers_by_sid.get(sid)
        if worker is not None and worker.workspace.desk_grace:
            if microseconds(now) // 1000 < since + worker.workspace.desk_grace * 1000:
                continue
            here = leases.count_elsewhere(
                SessionCounts(workers={sid: 0}, desks={sid: 0}), process=None, now=now
            )
            if not here.workers[sid] and not here.desks[sid]:
                actor = Actor(type="system", source="desk")
                workers.sign_off_worker(worker=worker, actor=actor, now=now)
        leases.remove_closed_desk(sid, since)


def put_offline(worker_sid: str, *, now: datetime) -> None:
    """Move a worker to the workspace's offline activity; their offers are rejected."""
    worker = (
        models.Worker.objects.select_related("workspace__default_activity")
        .filter(sid=worker_sid)
        .first()
    )
    if worker is None:
        return
    activity = workers.find_offline_activity(worker.workspace)
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
