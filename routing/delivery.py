"""Tell the world what happened, after the commit: three tables say who hears of what.

Events are handed to one courier thread per process, so that nobody's request waits for Redis. What
a process that dies leaves untold stays marked as undelivered, and a job tells it again.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Final

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection

from routing import groups, wakes
from routing.callbacks import calls
from routing.core.vocabulary import EventType as E
from routing.models import Event
from routing.seen import directory

logger = logging.getLogger(__name__)

_WORKER = "worker"  # the worker the event names, and those who hold the task it names
_QUEUE = "task_queue"  # everybody who serves the queue
_WORKSPACE = "workspace"  # everybody on the floor

AUDIENCE: Final[Mapping[E, frozenset[str]]] = {
    E.WORKSPACE_CREATED: frozenset(),
    E.WORKSPACE_UPDATED: frozenset({_WORKSPACE}),
    E.WORKSPACE_DELETED: frozenset({_WORKSPACE}),
    E.ACTIVITY_CREATED: frozenset({_WORKSPACE}),
    E.ACTIVITY_UPDATED: frozenset({_WORKSPACE}),
    E.ACTIVITY_DELETED: frozenset({_WORKSPACE}),
    E.TASK_CHANNEL_CREATED: frozenset({_WORKSPACE}),
    E.TASK_CHANNEL_UPDATED: frozenset({_WORKSPACE}),
    E.TASK_CHANNEL_DELETED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_CREATED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_UPDATED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_DELETED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_EXPRESSION_UPDATED: frozenset({_WORKSPACE}),
    E.TASK_QUEUE_ENTERED: frozenset({_QUEUE}),
    E.TASK_QUEUE_TIMEOUT: frozenset(),
    E.TASK_QUEUE_MOVED: frozenset({_QUEUE}),
    E.WORKFLOW_CREATED: frozenset(),
    E.WORKFLOW_UPDATED: frozenset({_WORKSPACE}),
    E.WORKFLOW_DELETED: frozenset(),
    E.WORKFLOW_ENTERED: frozenset(),
    E.WORKFLOW_TARGET_MATCHED: frozenset(),
    E.WORKFLOW_TIMEOUT: frozenset(),
    E.WORKFLOW_SKIPPED: frozenset(),
    E.WORKER_CREATED: frozenset(),
    E.WORKER_DELETED: frozenset({_WORKER}),
    E.WORKER_ATTRIBUTES_UPDATE: frozenset({_WORKER}),
    E.WORKER_ACTIVITY_UPDATE: frozenset({_WORKER}),
    E.WORKER_CAPACITY_UPDATE: frozenset({_WORKER}),
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: frozenset({_WORKER}),
    E.TASK_CREATED: frozenset({_QUEUE}),
    E.TASK_UPDATED: frozenset({_QUEUE, _WORKER}),
    E.TASK_WRAPUP: frozenset({_WORKER}),
    E.TASK_COMPLETED: frozenset({_WORKER}),
    E.TASK_CANCELED: frozenset({_QUEUE, _WORKER}),
    E.TASK_DELETED: frozenset({_QUEUE}),
    E.TASK_SYSTEM_DELETED: frozenset(),
    E.TASK_TRANSFER_INITIATED: frozenset({_WORKER}),
    E.TASK_TRANSFER_ATTEMPT_FAILED: frozenset({_WORKER}),
    E.TASK_TRANSFER_FAILED: frozenset({_WORKER}),
    E.TASK_TRANSFER_CANCELED: frozenset({_WORKER}),
    E.TASK_TRANSFER_COMPLETED: frozenset({_WORKER}),
    E.RESERVATION_CREATED: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_ACCEPTED: frozenset({_WORKER}),
    E.RESERVATION_REJECTED: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_TIMEOUT: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_CANCELED: frozenset({_WORKER, _QUEUE}),
    E.RESERVATION_RESCINDED: frozenset({_WORKER}),
    E.RESERVATION_WRAPUP: frozenset({_WORKER}),
    E.RESERVATION_COMPLETED: frozenset({_WORKER}),
    E.RESERVATION_FAILED: frozenset({_WORKER}),
    E.RESERVATION_CALLBACK_FAILED: frozenset(),
}
"""Which groups of sockets hear of an event."""

WAKES: Final[frozenset[E]] = frozenset(
    {
        E.WORKSPACE_UPDATED,
        E.TASK_CHANNEL_UPDATED,
        E.TASK_QUEUE_UPDATED,
        E.TASK_QUEUE_EXPRESSION_UPDATED,
        E.WORKFLOW_UPDATED,
        E.WORKER_CREATED,
        E.WORKER_ATTRIBUTES_UPDATE,
        E.WORKER_ACTIVITY_UPDATE,
        E.WORKER_CAPACITY_UPDATE,
        E.WORKER_CHANNEL_AVAILABILITY_UPDATE,
        E.TASK_CREATED,
        E.TASK_UPDATED,
        E.TASK_TRANSFER_INITIATED,
        E.RESERVATION_ACCEPTED,
        E.RESERVATION_REJECTED,
        E.RESERVATION_TIMEOUT,
        E.RESERVATION_CANCELED,
        E.RESERVATION_RESCINDED,
        E.RESERVATION_WRAPUP,
        E.RESERVATION_COMPLETED,
    }
)
"""What may let some waiting task be offered: the router looks at once."""

FRAME_FIELDS: Final = ("task_sid", "worker_sid", "reservation_sid", "task_queue_sid")
"""What a socket is told of an event's data: enough to know what to fetch again."""

DESCRIBES: Final[frozenset[E]] = frozenset({E.WORKER_CREATED, E.WORKER_ATTRIBUTES_UPDATE})
"""What changes for whom lanes are."""

_FLUSH_SECONDS = 0.2
_BETWEEN_LOOKS = 0.4
"""Seconds between two words to those who look on: their pages fetch a list no more often."""


def is_heard(event_type: E) -> bool:
    """Tell whether anybody is told of events of this type, or the router woken by them."""
    return bool(AUDIENCE[event_type]) or event_type in WAKES


def audience(event: Event) -> list[str]:
    """Return the names of the groups that hear of this event."""
    data = event.event_data
    found: list[str] = []
    listeners = AUDIENCE[E(event.event_type)]
    if _WORKER in listeners:
        # Whom it concerns hears of it before those who only look on, who may be many.
        named = [data.get("worker_sid"), *(data.get("holder_sids") or "").split(",")]
        found.extend(groups.worker(sid) for sid in named if sid)
    if _QUEUE in listeners and data.get("task_queue_sid"):
        found.append(groups.task_queue(data["task_queue_sid"]))
    if _WORKSPACE in listeners:
        found.append(groups.workspace(event.workspace_sid))
    return found


def frame(event: Event) -> dict[str, Any]:
    """Return the message that sockets get: what happened and to whom, not the state itself."""
    return {
        "type": "routing.event",
        "event_type": event.event_type,
        "sid": event.sid,
        **{key: event.event_data[key] for key in FRAME_FIELDS if event.event_data.get(key)},
    }


def deliver(event: Event) -> None:
    """Tell everybody about a committed event, in order, without making the caller wait."""
    if settings.DELIVERY_INLINE:
        layer = get_channel_layer()
        for group in audience(event):
            async_to_sync(layer.group_send)(group, frame(event))
        if E(event.event_type) in DESCRIBES:
            directory.note(event.workspace_sid)
        if E(event.event_type) in WAKES:
            wakes.wake(event.workspace_sid)
        if event.is_owed:
            calls.call(event.workspace_sid)
        return
    _courier().queue.put(event)


def deliver_all(events: Iterable[Event]) -> None:
    """Tell everybody about several committed events, in order."""
    for event in events:
        deliver(event)


class _Courier(threading.Thread):
    """The thread that carries events out, in batches as they come."""

    def __init__(self) -> None:
        super().__init__(name="courier", daemon=True)
        self.pid = os.getpid()
        self.queue: SimpleQueue[Event | None] = SimpleQueue()
        self._told: list[int] = []
        self._flush_at = 0.0
        # A queue's watchers are many and only re-read a list: they hear at most once in a while.
        self._quiet_until: dict[str, float] = {}
        self._held_back: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        """Carry batch after batch until told to end; then what is left, at once."""
        last = False
        with asyncio.Runner() as runner:
            while not last:
                batch, last = self._next_batch()
                try:
                    self._carry(runner, batch, last=last)
                except Exception:  # the thread must outlive whatever one batch does to it
                    logger.exception("events could not be delivered; they will be told again")

    def _next_batch(self) -> tuple[list[Event], bool]:
        batch: list[Event] = []
        timeout = _FLUSH_SECONDS if self._told or self._held_back else None
        try:
            event = self.queue.get(timeout=timeout)
            while True:
                if event is None:
                    return batch, True
                batch.append(event)
                event = self.queue.get_nowait()
        except Empty:
            return batch, False

    def _carry(self, runner: asyncio.Runner, batch: list[Event], *, last: bool) -> None:
        for sid in dict.fromkeys(e.workspace_sid for e in batch if E(e.event_type) in DESCRIBES):
            directory.note(sid)
        for sid in dict.fromkeys(e.workspace_sid for e in batch if E(e.event_type) in WAKES):
            wakes.wake(sid)
        for sid in dict.fromkeys(e.workspace_sid for e in batch if e.is_owed):
            calls.call(sid)
        messages = self._messages(batch, last=last)
        if not messages or runner.run(_publish(messages)):
            # What was not told stays undelivered, and the sweep tells it again.
            self._told.extend(event.pk for event in batch)
        now = time.monotonic()
        if self._told and (last or now >= self._flush_at or len(self._told) > 500):
            self._flush_at = now + _FLUSH_SECONDS
            told, self._told = self._told, []
            try:
                Event.objects.filter(pk__in=told).update(delivered=True)
            finally:
                connection.close()

    def _messages(self, batch: list[Event], *, last: bool) -> list[tuple[str, dict[str, Any]]]:
        """Return what to send now; what a queue's watchers hear is held back for a while."""
        now = time.monotonic()
        messages: list[tuple[str, dict[str, Any]]] = []
        for event in batch:
            for group in audience(event):
                if not group.startswith("task_queue."):
                    messages.append((group, frame(event)))
                elif self._quiet_until.get(group, 0.0) <= now:
                    self._quiet_until[group] = now + _BETWEEN_LOOKS
                    messages.append((group, frame(event)))
                else:
                    self._held_back[group] = frame(event)
        for group in [g for g in self._held_back if last or self._quiet_until[g] <= now]:
            self._quiet_until[group] = now + _BETWEEN_LOOKS
            messages.append((group, self._held_back.pop(group)))
        if len(self._quiet_until) > 10_000:
            self._quiet_until = {g: t for g, t in self._quiet_until.items() if t > now}
        return messages


async def _publish(messages: list[tuple[str, dict[str, Any]]]) -> bool:
    layer = get_channel_layer()
    try:
        for group, message in messages:
            await layer.group_send(group, message)
    except Exception as error:  # whatever the layer's client raises when Redis is away
        logger.warning("%d messages not delivered (%s)", len(messages), error)
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
            atexit.register(_finish, _current)
        return _current


def _finish(courier: _Courier) -> None:
    """Let a process that ends tell what it still has to tell, within a second."""
    if courier.pid == os.getpid():
        courier.queue.put(None)
        courier.join(timeout=1)
