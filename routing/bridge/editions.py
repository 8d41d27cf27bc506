"""Know whether the lists that a session has read are those of now: activities and task channels.

An event that says they have changed may be told late or twice, when lists that are newer have been
read already. What stands in them tells for certain.
"""

from __future__ import annotations

import asyncio
import hashlib
import json

from channels.db import database_sync_to_async

from routing import models


def edition(workspace_sid: str) -> str:
    """Return what stands for the contents of a workspace's lists, as they are now."""
    activities = models.Activity.objects.filter(workspace__sid=workspace_sid).order_by("sid")
    channels = models.TaskChannel.objects.filter(workspace__sid=workspace_sid).order_by("sid")
    shown = [
        list(activities.values_list("sid", "friendly_name", "available")),
        list(channels.values_list("sid", "friendly_name", "unique_name")),
    ]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


class Editions:
    """Answers to many sessions that ask at once, by one look."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self._next: dict[str, asyncio.Task[str]] = {}

    async def now(self, workspace_sid: str) -> str:
        """Return the edition as it is after this call, or raise what looking raised."""
        task = self._next.get(workspace_sid)
        if task is None:
            task = self._next[workspace_sid] = asyncio.create_task(self._look(workspace_sid))
        return await asyncio.shield(task)

    async def _look(self, workspace_sid: str) -> str:
        # All sessions that hear of the same change ask within the same moment.
        await asyncio.sleep(0)
        # Whoever asks from here on may know of more than this look sees.
        del self._next[workspace_sid]
        look = database_sync_to_async(edition, thread_sensitive=False)
        seen: str = await look(workspace_sid)
        return seen
