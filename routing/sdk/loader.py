"""Load frames for all sessions of a process: each event once, in batched queries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cachetools import FIFOCache
from channels.db import database_sync_to_async

from routing.sdk import frames
from routing.sdk.frames import Frame

_BATCH: Final = 500
_CACHED_FRAMES: Final = 2_000
"""Frames cached for sessions that need them a moment later; about 3 kB each."""


class FrameLoader:
    """The frame cache of one event loop."""

    def __init__(self) -> None:
        """Create an empty cache."""
        self._frames: FIFOCache[str, Frame] = FIFOCache(maxsize=_CACHED_FRAMES)
        self._requested: dict[str, asyncio.Future[Frame | None]] = {}
        self._task: asyncio.Task[None] | None = None

    def cache_message(self, message: Mapping[str, Any], *, account_sid: str) -> None:
        """Cache the frame of a message that carries all data, so that it need not be loaded."""
        if "event_data" in message and message["sid"] not in self._frames:
            self._frames[message["sid"]] = frames.build_frame(message, account_sid=account_sid)

    async def load(self, sids: Sequence[str]) -> list[Frame]:
        """Return the frames of these events in order, without deleted events."""
        waiting = {sid: self._request(sid) for sid in sids if sid not in self._frames}
        loaded: dict[str, Frame | None] = {
            sid: self._frames[sid] for sid in sids if sid not in waiting
        }
        if waiting:
            # Waiting this way does not cancel the loading for other sessions.
            await asyncio.wait(set(waiting.values()))
            loaded |= {sid: future.result() for sid, future in waiting.items()}
        return [frame for sid in sids if (frame := loaded[sid]) is not None]

    def _request(self, sid: str) -> asyncio.Future[Frame | None]:
        future = self._requested.get(sid)
        if future is None:
            future = self._requested[sid] = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._load_batches())
        return future

    async def _load_batches(self) -> None:
        """Load batch after batch until no more frames are requested."""
        try:
            while batch := list(self._requested)[:_BATCH]:
                try:
                    loaded = await database_sync_to_async(
                        frames.load_frames, thread_sensitive=False
                    )(batch)
                except Exception as error:  # raised in every session that waits for it
                    for sid in batch:
                        future = self._requested.pop(sid)
                        future.set_exception(error)
                        future.exception()
                    continue
                for sid in batch:
                    frame = loaded.get(sid)
                    if frame is not None:
                        self._frames[sid] = frame
                    self._requested.pop(sid).set_result(frame)
        finally:
            self._task = None
