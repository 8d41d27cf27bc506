"""Put a worker offline whose last session has gone, where the session asked for that."""

from __future__ import annotations

import asyncio
from typing import Final

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from routing import groups, models
from routing.actions import errors, workers
from routing.actors import Actor
from routing.bridge.sessions import Sessions

GRACE_SECONDS: Final = 4.0
"""How long a session may be away: a reconnect takes a second, the loading of a page longer."""
ANSWER_SECONDS: Final = 1.0


async def follow(sessions: Sessions, worker_sid: str) -> None:
    """Wait for the worker to come back, then for any session elsewhere, then put them offline."""
    await asyncio.sleep(GRACE_SECONDS)
    if sessions.of_worker(worker_sid) or await _is_elsewhere(worker_sid):
        return
    await database_sync_to_async(put_offline, thread_sensitive=False)(worker_sid)


async def _is_elsewhere(worker_sid: str) -> bool:
    """Ask all processes whether the worker has a session with them."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    question = {"type": "session.roll_call", "reply_to": channel}
    await layer.group_send(groups.sessions(worker_sid), question)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await layer.receive(channel)
    except TimeoutError:
        return False
    return True


def put_offline(worker_sid: str) -> None:
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
            now=timezone.now(),
        )
    except errors.StaleState:
        return


def _offline(workspace: models.Workspace) -> models.Activity | None:
    """Return the activity called Offline, else the one of new workers, if it takes no work."""
    away = workspace.activities.filter(available=False)
    named = away.filter(friendly_name__iexact="offline").first()
    default = workspace.default_activity
    return named or (default if default is not None and not default.available else None)
