"""Convert lanes and queues to snapshots, and find the lanes that a worker might serve."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from cachetools import FIFOCache
from django.db import connection

from routing import models
from routing.core import snapshot
from routing.core.lanes import Identity
from routing.core.matching import lane_keys
from routing.core.vocabulary import GrabPolicy, QueueOrder
from routing.db.pipeline import Pending, open_cursor
from routing.db.sql import lanes as lanes_sql
from routing.db.sql.index_hints import fill_slots
from workflows import expressions
from workflows.caches import SizedCache

logger = logging.getLogger(__name__)

_Cached = tuple[tuple[Any, ...], snapshot.Lane | None]
_lock = threading.Lock()
_snapshots: Final[FIFOCache[int, _Cached]] = FIFOCache(maxsize=50_000)
"""Columns and snapshot of lanes by id; None for a lane that cannot be parsed.

Writes take the lock; reads change nothing.
"""

Lanes = dict[int, snapshot.Lane]
"""Lanes by id."""
KeyPath = tuple[int, str]
"""The id of a task channel, and the key path of some of its lanes."""
ChannelKey = tuple[int, str, str]
"""A lane key on a channel: channel id, path and value."""
MatchedKeys = set[tuple[str, str]]
"""Key paths and values of the lanes found."""


def load_key_paths(workspace: models.Workspace) -> list[KeyPath]:
    """Return the distinct key paths of lanes, for channels with waiting tasks.

    The cost is one index step for each path, however many lanes there are.
    """
    return send_key_paths(workspace).result()


def send_key_paths(workspace: models.Workspace) -> Pending[list[KeyPath]]:
    """Send the query of `load_key_paths`; see `pipeline`."""
    cursor = open_cursor()
    cursor.execute(fill_slots(lanes_sql.KEY_PATHS), [workspace.pk])

    def read() -> list[KeyPath]:
        with cursor:
            return [(channel, path) for channel, path in cursor.fetchall()]

    return Pending(read)


def load_lanes_for_workers(
    key_paths: Iterable[KeyPath], *, workers: Sequence[snapshot.Worker]
) -> tuple[Lanes, list[snapshot.Worker]]:
    """Return the lanes with waiting tasks that some of these workers might serve.

    Also return the workers who might serve them; the others cannot match.
    """
    keys, by_path = list_keys(key_paths, workers)
    lanes, matched = load_lanes(keys)
    if any(path in (lane_keys.ANYONE, lane_keys.REGARDLESS) for path, _ in matched):
        return lanes, list(workers)
    some = {worker.id: worker for path, value in matched for worker in by_path[path][value]}
    return lanes, [*some.values()]


def list_keys(
    key_paths: Iterable[KeyPath], workers: Sequence[snapshot.Worker]
) -> tuple[set[ChannelKey], dict[str, dict[str, list[snapshot.Worker]]]]:
    """Return the keys of lanes that match some of these workers, and an index of the workers.

    The index gives by key path, then by value, who has that value.
    """
    keys: set[ChannelKey] = set()
    by_path: dict[str, dict[str, list[snapshot.Worker]]] = {}
    for channel, path in key_paths:
        if path in (lane_keys.ANYONE, lane_keys.REGARDLESS):
            keys.add((channel, path, ""))
        else:
            if path not in by_path:
                by_path[path] = index_workers(workers, path)
            keys.update((channel, path, value) for value in by_path[path])
    return keys, by_path


def load_lanes(keys: Collection[ChannelKey]) -> tuple[Lanes, MatchedKeys]:
    """Return the lanes with these keys that have waiting tasks, and the keys that matched."""
    return send_lanes(keys).result()


def send_lanes(keys: Collection[ChannelKey]) -> Pending[tuple[Lanes, MatchedKeys]]:
    """Send the query of `load_lanes`; see `pipeline`."""
    if not keys:
        return Pending(lambda: ({}, set()))
    sql = fill_slots(lanes_sql.LANES_WITH_TASKS, keys=lanes_sql.KEYS[connection.vendor])
    cursor = open_cursor()
    cursor.execute(sql, [json.dumps(sorted(keys))])

    def read() -> tuple[Lanes, MatchedKeys]:
        with cursor:
            rows = cursor.fetchall()
        return _build_lanes([row[:-2] for row in rows]), {(path, value) for *_, path, value in rows}

    return Pending(read)


def index_workers(
    workers: Iterable[snapshot.Worker], path: str
) -> dict[str, list[snapshot.Worker]]:
    """Index these workers by the key values that lanes of this path can have for them."""
    index: dict[str, list[snapshot.Worker]] = {}
    for worker in workers:
        for value in worker.lane_key_values.get(path) or lane_keys.list_worker_keys(worker, path):
            index.setdefault(value, []).append(worker)
    return index


def _build_lanes(rows: Sequence[tuple[Any, ...]]) -> dict[int, snapshot.Lane]:
    """Return snapshots of lanes; a lane never changes, so it is cached, with its queue."""
    lanes: dict[int, snapshot.Lane | None] = {}
    changed: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        try:
            columns, lanes[row[0]] = _snapshots[row[0]]
        except KeyError:
            columns = ()
        if columns != row:
            changed[row[0]] = row
    ids = list(changed)
    for start in range(0, len(ids), 500):
        some = models.Lane.objects.select_related("task_queue", "task_channel")
        for pk, loaded in some.in_bulk(ids[start : start + 500]).items():
            lanes[pk] = build_lane_or_none(loaded)
            with _lock:
                _snapshots[pk] = changed[pk], lanes[pk]
    return {row[0]: found for row in rows if (found := lanes.get(row[0])) is not None}


def build_lane_or_none(row: models.Lane) -> snapshot.Lane | None:
    """Return a lane's snapshot; None, and a log line, when it cannot be parsed."""
    try:
        return build_lane(row)
    except (expressions.ExpressionError, ValueError, RecursionError) as error:
        logger.error("unreadable lane id=%s, its tasks wait: %s", row.pk, error)
        return None


def build_lane(row: models.Lane) -> snapshot.Lane:
    """Return a lane's snapshot."""
    expression = row.expression
    return snapshot.Lane(
        id=row.pk,
        task_queue=None if row.task_queue is None else build_queue(row.task_queue),
        task_channel_id=row.task_channel_id,
        optimized=row.task_channel.channel_optimized_routing,
        expression=expressions.compile_expression(expression, subject="residual")
        if expression
        else None,
        order_by=expressions.compile_ordering(row.order_by) if row.order_by else None,
        known_worker_sid=row.known_worker_sid,
        known_worker_name=row.known_worker_name,
        ignore_capacity=row.ignore_capacity,
    )


def load_lane_of_identity(
    identity: Identity, *, queue: models.TaskQueue | None, task_channel: models.TaskChannel
) -> snapshot.Lane:
    """Return the lane with an identity, whether a task has ever waited in it or not.

    Its id is 0 if it is not in the database.
    """
    digest = identity.digest
    known = models.Lane.objects.filter(workspace_id=task_channel.workspace_id, digest=digest)
    row = models.Lane(
        pk=known.values_list("pk", flat=True).first() or 0,
        digest=digest,
        task_queue=queue,
        task_channel=task_channel,
        expression=identity.expression,
        order_by=identity.order_by,
        known_worker_sid=identity.known_worker_sid,
        known_worker_name=identity.known_worker_name,
        ignore_capacity=identity.ignore_capacity,
    )
    return build_lane_or_none(row) or build_unreadable_lane(row)


def build_unreadable_lane(row: models.Lane) -> snapshot.Lane:
    """Return the snapshot of a lane that cannot be parsed: it matches no worker."""
    return snapshot.Lane(
        id=row.pk,
        task_queue=None,
        task_channel_id=row.task_channel_id,
        known_worker_sid="",
        readable=False,
    )


def build_queue(queue: models.TaskQueue) -> snapshot.TaskQueue:
    """Return a queue's snapshot; cached."""
    columns = (
        queue.pk,
        queue.sid,
        queue.target_workers.strip(),
        queue.task_order,
        queue.max_reserved_workers,
        queue.grab_policy,
        queue.grab_limit,
        queue.grab_after,
    )
    return _task_queues.get(columns, lambda: (_parse_queue(*columns), len(columns[2])))


_task_queues: Final[SizedCache[snapshot.TaskQueue]] = SizedCache(3_000_000)


def _parse_queue(
    pk: int,
    sid: str,
    source: str,
    task_order: str,
    max_reserved_workers: int,
    grab_policy: str,
    grab_limit: int,
    grab_after: int,
) -> snapshot.TaskQueue:
    target_workers = None
    try:
        target_workers = (
            expressions.compile_expression(source, subject="worker") if source else None
        )
    except (expressions.ExpressionError, RecursionError) as error:
        logger.error("invalid target_workers queue=%s, no worker matches: %s", sid, error)
    return snapshot.TaskQueue(
        id=pk,
        sid=sid,
        target_workers=target_workers,
        task_order=QueueOrder(task_order),
        max_reserved_workers=max_reserved_workers,
        grab_policy=GrabPolicy(grab_policy),
        grab_limit=grab_limit,
        grab_after=grab_after,
    )
