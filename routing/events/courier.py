"""Publish events after the commit; `routing.events.audiences` chooses who receives which.

Events are passed to one courier thread per process, so that no request waits for Redis. Events that
a dying process leaves unpublished stay in `UnpublishedEvent`, and a job publishes them again.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import Collection, Iterable
from queue import Empty, SimpleQueue
from typing import Any

from asgiref.sync import async_to_sync
from cachetools import TTLCache
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.utils import timezone

from routing import groups, instruments, wakeups
from routing.core.event_catalog import INVALIDATES_SKILL_INDEX, WAKES_ROUTER, EventType
from routing.db.errors import AWAY
from routing.events import audiences, floor_marks, unpublished
from routing.models import Event
from routing.redis import clients
from routing.snapshots import skill_index
from routing.webhooks import queue

logger = logging.getLogger(__name__)

Message = tuple[str, dict[str, Any]]
"""The name of a group, and what its sockets receive."""

_FLUSH_SECONDS = 0.2
_YIELD_SECONDS = 0.002
"""Longest time for which the publishing thread yields to the courier."""
_MERGE_SECONDS = 0.4
"""Shortest time between two messages to a queue's group, whose pages fetch a list for each."""


def publish_events(events: Iterable[Event]) -> None:
    """Publish committed events, in order, without making the caller wait for Redis."""
    committed = list(events)
    if settings.DELIVERY_INLINE:
        for event in committed:
            _publish_here(event)
    elif committed:
        _courier().add_events(committed)


def _publish_here(event: Event) -> None:
    layer = get_channel_layer()
    for group in audiences.groups_for(event):
        async_to_sync(layer.group_send)(group, audiences.message(event, group))
    for group, message in floor_marks.build_messages(event):
        async_to_sync(layer.group_send)(group, message)
    _wake_routers([event])
    _enqueue_callbacks([event])


def _wake_routers(events: Collection[Event]) -> bool:
    """Wake the router in workspaces with events that need it; return whether there were any."""
    for sid in _workspaces_with(events, INVALIDATES_SKILL_INDEX):
        skill_index.announce_change(sid)
    waking = _workspaces_with([each for each in events if not each.is_routed], WAKES_ROUTER)
    for sid in waking:
        wakeups.wake_router(sid)
    return bool(waking)


def _enqueue_callbacks(events: Collection[Event]) -> None:
    for sid in dict.fromkeys(event.workspace_sid for event in events if event.is_owed):
        queue.enqueue(sid)


def _workspaces_with(events: Collection[Event], types: Collection[EventType]) -> Collection[str]:
    """Return the workspaces with events of these types, each once."""
    return dict.fromkeys(e.workspace_sid for e in events if e.event_type in types)


class _Courier(threading.Thread):
    """The thread that publishes events, in batches as they come."""

    def __init__(self) -> None:
        super().__init__(name="courier", daemon=True)
        self.pid = os.getpid()
        self.queue: SimpleQueue[list[Event] | None] = SimpleQueue()
        self._has_published = threading.Event()
        self._published_ids: list[int] = []
        self._flush_at = 0.0
        # Queue groups can be large, and their members only fetch a list: merge their messages.
        self._recently_sent: TTLCache[str, None] = TTLCache(maxsize=10_000, ttl=_MERGE_SECONDS)
        self._held_back: dict[str, dict[str, Any]] = {}
        self._marks = floor_marks.FloorMarks()

    def add_events(self, events: list[Event]) -> None:
        """Add events to publish.

        Yield the GIL for up to 2 ms, so that the courier publishes before the caller goes on. The
        courier is more urgent, because workers wait for its offers.
        """
        self._has_published.clear()
        self.queue.put(events)
        self._has_published.wait(_YIELD_SECONDS)

    def run(self) -> None:
        """Publish batch after batch until the thread is stopped; then the rest at once."""
        last = False
        with asyncio.Runner() as runner:
            while not last:
                batch, last = self._next_batch()
                try:
                    self._publish_batch(runner, batch, last=last)
                except AWAY as error:
                    logger.warning("delivery failed (%s); a job publishes the events again", error)
                except Exception:  # the thread must survive any error of a batch
                    logger.exception("delivery failed; a job publishes the events again")

    def _next_batch(self) -> tuple[list[Event], bool]:
        batch: list[Event] = []
        is_pending = self._published_ids or self._held_back or self._marks.is_pending
        timeout = _FLUSH_SECONDS if is_pending else None
        try:
            events = self.queue.get(timeout=timeout)
            while True:
                if events is None:
                    return batch, True
                batch.extend(events)
                events = self.queue.get_nowait()
        except Empty:
            return batch, False

    def _publish_batch(self, runner: asyncio.Runner, batch: list[Event], *, last: bool) -> None:
        if _wake_routers(batch):
            self._has_published.set()
        _enqueue_callbacks(batch)
        messages = self._merge_messages(batch, last=last)
        self._marks.add_events(batch)
        messages += self._marks.take_messages(last=last)
        if not messages or runner.run(_send_messages(messages)):
            _measure_age(batch)
            # The others stay unpublished, and the sweep publishes them again.
            self._published_ids.extend(event.pk for event in batch)
        self._has_published.set()
        now = time.monotonic()
        is_long = len(self._published_ids) > 500
        if self._published_ids and (last or now >= self._flush_at or is_long):
            self._flush_at = now + _FLUSH_SECONDS
            published, self._published_ids = self._published_ids, []
            try:
                unpublished.mark_published(published)
            finally:
                connection.close()

    def _merge_messages(self, batch: list[Event], *, last: bool) -> list[Message]:
        """Return the messages to send now; those to queue groups are merged for a while."""
        messages: list[Message] = []
        for event in batch:
            for group in audiences.groups_for(event):
                message = audiences.message(event, group)
                if not groups.is_task_queue_group(group):
                    messages.append((group, message))
                elif group not in self._recently_sent:
                    self._recently_sent[group] = None
                    messages.append((group, message))
                else:
                    self._held_back[group] = message
        for group in [g for g in self._held_back if last or g not in self._recently_sent]:
            self._recently_sent[group] = None
            messages.append((group, self._held_back.pop(group)))
        return messages


def _measure_age(batch: Iterable[Event]) -> None:
    """Measure how old the published events are."""
    if instruments.is_measuring():
        now = timezone.now()
        for event in batch:
            instruments.observe_delivery((now - event.event_date).total_seconds())


async def _send_messages(messages: list[Message]) -> bool:
    if clients.is_away():
        # The wakes just before have found this out: do not wait for another timeout.
        return False
    layer = get_channel_layer()
    try:
        for group, message in messages:
            await layer.group_send(group, message)
    except clients.BROKEN as error:
        logger.debug("messages not delivered count=%d (%s)", len(messages), error)
        return False
    except Exception as error:  # errors of the channel layer itself
        logger.warning("messages not delivered count=%d (%s)", len(messages), error)
        return False
    return True


_lock = threading.Lock()
_current: _Courier | None = None


def _courier() -> _Courier:
    """Return this process's courier, started at first use (a forked child needs its own)."""
    global _current
    with _lock:
        if _current is None or _current.pid != os.getpid() or not _current.is_alive():
            _current = _Courier()
            _current.start()
        return _current


def stop_courier(*, timeout: float) -> bool:
    """Publish all events and stop this process's courier; return whether it has ended in time.

    The next event starts another one.

    Arguments:
        timeout: how long to wait, in seconds.
    """
    global _current
    with _lock:
        courier, _current = _current, None
    if courier is None or courier.pid != os.getpid():
        return True
    courier.queue.put(None)
    courier.join(timeout)
    return not courier.is_alive()


atexit.register(stop_courier, timeout=1)
