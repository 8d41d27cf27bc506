"""Versions of a session's lists (activities and task channels), to see whether they are current.

An event about a change may arrive late or twice, after newer lists were read. Comparing the
contents is reliable.
"""

from __future__ import annotations

import asyncio
import hashlib
import json

from channels.db import database_sync_to_async

from routing import models


def digest_lists(workspace_sid: str) -> str:
    """Return a digest of a workspace's current lists."""
    activities = models.Activity.objects.filter(workspace__sid=workspace_sid).order_by("sid")
    channels = models.TaskChannel.objects.filter(workspace__sid=workspace_sid).order_by("sid")
    shown = [
        list(activities.values_list("sid", "friendly_name", "available")),
        list(channels.values_list("sid", "friendly_name", "unique_name")),
    ]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


class ListVersions:
    """Batch simultaneous queries of many sessions into one."""

    def __init__(self) -> None:
        """Create it without any query under way."""
        self._next: dict[str, asyncio.Task[str]] = {}

    async def now(self, workspace_sid: str) -> str:
        """Return the digest as it is after this call, or raise the query's exception."""
        task = self._next.get(workspace_sid)
        if task is None:
            task = self._next[workspace_sid] = asyncio.create_task(
                self._load_version(workspace_sid)
            )
        return await asyncio.shield(task)

    async def _load_version(self, workspace_sid: str) -> str:
        # All sessions that get the same event query at the same moment.
        await asyncio.sleep(0)
        # Later callers may know of a change that this query does not see.
        del self._next[workspace_sid]
        look = database_sync_to_async(digest_lists, thread_sensitive=False)
        seen: str = await look(workspace_sid)
        return seen
