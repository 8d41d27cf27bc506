"""Offer a task in the transaction that creates it, where a worker is plainly free (ADR 0014).

This is done on PostgreSQL only, for requests that rely on cached rows. A creation and an offer
then take three round trips, and no wake, job and cycle. It is the worker that the next cycle
would choose. Where that is not certain, the task waits for the router.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cachetools import LRUCache
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from routing import instruments, models
from routing.actions.support import claiming
from routing.actors import Actor
from routing.core import snapshot
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType
from routing.core.matching import new_task
from routing.core.vocabulary import AssignmentStatus
from routing.db import guarded
from routing.db.errors import AWAY
from routing.db.joint_insert import Claim
from routing.events import payloads, recorder
from routing.snapshots import lanes as lane_snapshots
from routing.snapshots import new_tasks
from routing.snapshots import workers as worker_snapshots

logger = logging.getLogger(__name__)

BUSY_SECONDS: Final = (0.05, 0.4)
"""Shortest and longest time for which a lane is left to the router.

It doubles each time that no worker is plainly free for the lane. It is the same for all lanes of a
channel on which no worker has a free slot.
"""
FAILED_SECONDS: Final = (60.0, 600.0)
"""The same for a workspace, after the database has refused an offer."""
TURN_SECONDS: Final = 0.05
"""Longest wait for other creations of this process in the workspace; then the router offers."""


class _Pauses:
    """Ids of rows for which no offer is tried for some time, longer after each failure."""

    def __init__(self, seconds: tuple[float, float]) -> None:
        self._first, self._longest = seconds
        self._lock = threading.Lock()
        self._ends: LRUCache[int, tuple[float, float]] = LRUCache(maxsize=10_000)

    def begin(self, pk: int) -> None:
        with self._lock:
            _, before = self._ends.get(pk, (0.0, 0.0))
            seconds = min(before * 2, self._longest) or self._first
            self._ends[pk] = time.monotonic() + seconds, seconds

    def __contains__(self, pk: int) -> bool:
        with self._lock:
            end, _ = self._ends.get(pk, (0.0, 0.0))
            return end > time.monotonic()

    def forget(self, pk: int) -> None:
        with self._lock:
            self._ends.pop(pk, None)

    def clear(self) -> None:
        with self._lock:
            self._ends.clear()


_busy_lanes: Final = _Pauses(BUSY_SECONDS)
_full_channels: Final = _Pauses(BUSY_SECONDS)
_failed_workspaces: Final = _Pauses(FAILED_SECONDS)
_turns: Final = [threading.Lock() for _ in range(64)]
"""Locks of workspaces: two creations at once would choose the same worker, and one of them lose."""


def forget_pauses() -> None:
    """Let every lane be tried again, for tests."""
    _busy_lanes.clear()
    _full_channels.clear()
    _failed_workspaces.clear()


def create_with_offer(
    task: models.Task, drafts: Sequence[recorder.Draft], *, actor: Actor, now: datetime
) -> bool:
    """Write a new task together with its first offer and all events; return whether this was done.

    The task given is as it was created, before the offer, as if the router had offered it just
    after. If it was not done, nothing is written.

    Arguments:
        drafts: the events of the creation.
    """
    if not _is_enabled(task):
        return False
    turn = _turns[task.workspace_id % len(_turns)]
    if not turn.acquire(timeout=TURN_SECONDS):
        return False
    try:
        return _try_to_create(task, drafts, actor=actor, now=now)
    finally:
        turn.release()


def _try_to_create(
    task: models.Task, drafts: Sequence[recorder.Draft], *, actor: Actor, now: datetime
) -> bool:
    found = find_slot(task, now=now)
    if found is None:
        return False
    seen, slot = found
    try:
        is_done = _write(task, drafts, seen, slot, actor=actor, now=now)
    except AWAY:
        raise
    except DatabaseError as error:
        if connection.in_atomic_block:
            raise
        logger.warning(
            "offer at creation failed worker=%s, the router offers (%s)", seen.sid, error
        )
        _failed_workspaces.begin(task.workspace_id)
        is_done = False
    # TaskRouter answers a creation with a pending task, and clients may rely on that.
    task.assignment_status = AssignmentStatus.PENDING.value
    task.assignments = task.version = 0
    return is_done


def _is_enabled(task: models.Task) -> bool:
    """Return whether an offer may be tried now.

    The lane of a task that is the first of its kind has just been created, and is not guarded.
    """
    reads = guarded.current_reads()
    return (
        settings.OFFER_AT_CREATION
        and connection.vendor == "postgresql"
        and reads is not None
        and task.lane is not None
        and reads.is_guarded(task.lane)
        and task.workspace_id not in _failed_workspaces
        and task.lane.pk not in _busy_lanes
        and task.task_channel_id not in _full_channels
    )


def find_slot(
    task: models.Task, *, now: datetime
) -> tuple[snapshot.Worker, models.WorkerChannel] | None:
    """Return the worker that the next cycle would choose for a new task, with their slots, or None.

    None is returned also where this is not certain.
    """
    workspace, lane = task.workspace, task.lane
    if lane is None or not _is_plain(task, now):
        return None
    us = microseconds(now)
    lane.task_channel = task.task_channel
    seen = lane_snapshots.build_lane_or_none(lane)
    if seen is None or not new_task.can_choose(seen):
        return None
    floor = new_tasks.load_floor(lane, workspace, now=now)
    if floor is None:
        return None
    if floor.is_full:
        _full_channels.begin(task.task_channel_id)
        return None
    new = snapshot.Task(
        id=0,
        sid=task.sid,
        lane_id=lane.pk,
        version=0,
        priority=task.priority,
        virtual_start_us=task.virtual_start_us,
        created_us=us,
    )
    worker = new_task.choose_worker(new, seen, floor.workers, now=us)
    if worker is not None:
        slot, waiting = new_tasks.load_slot(worker, task.task_channel_id, floor.key_paths)
        if slot is None:
            return None
        if not new_task.may_take_another(worker, waiting.values(), now=us):
            return worker, slot
    _busy_lanes.begin(lane.pk)
    return None


def _is_plain(task: models.Task, now: datetime) -> bool:
    """Return whether only the lane decides who gets a new task."""
    workflow = task.workflow
    return (
        task.workspace.multi_task_enabled
        and not task.skip_unasked
        and (task.step_deadline_us is None or task.step_deadline_us > microseconds(now))
        and (workflow is None or not workflow.assignment_callback_url)
    )


def _write(
    task: models.Task,
    drafts: Sequence[recorder.Draft],
    seen: snapshot.Worker,
    slot: models.WorkerChannel,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    us = microseconds(now)
    offer = claiming.Offer(task=task, slots=[slot])
    reservation = claiming.build_reservation(offer, slot, now)
    task.assignment_status = AssignmentStatus.RESERVED.value
    task.assignments = task.version = 1
    slot.worker.version = seen.version + 1
    is_done = recorder.record_offered_creation(
        task,
        drafts,
        reservation,
        recorder.Draft(
            EventType.RESERVATION_CREATED,
            reservation.sid,
            payloads.describe_reservation(reservation),
        ),
        Claim(seen.id, seen.version, seen.workload_version, slot.pk, us),
        actor=actor,
        now=now,
    )
    if is_done:
        _busy_lanes.forget(task.lane_id or 0)
        _full_channels.forget(task.task_channel_id)
        if not connection.in_atomic_block:
            offered = [(seen, {task.task_channel_id: 1})]
            worker_snapshots.record_offers(offered, reserved_us=us)
        if instruments.is_measuring():
            instruments.observe_offer((timezone.now() - now).total_seconds())
    return is_done
