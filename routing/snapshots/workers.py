"""Load snapshots of workers, in few queries whatever their number."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final, NamedTuple

from cachetools import FIFOCache
from django.db import connection
from django.db.models import QuerySet

from routing import models
from routing.core import snapshot
from routing.db.compiled import SEQUENCE, CompiledQuery
from routing.db.pipeline import pipeline
from routing.snapshots.attributes import parse_attributes

_Row = tuple[Any, ...]
_CHUNK: Final = 500
_lock = threading.Lock()
_snapshots: Final[FIFOCache[int, snapshot.Worker]] = FIFOCache(maxsize=50_000)
"""The newest snapshot of each worker by id. Writes take the lock; reads change nothing."""


def load_worker(worker_id: int) -> snapshot.Worker:
    """Return the snapshot of one worker; raises `Worker.DoesNotExist`."""
    if connection.in_atomic_block:
        found = list(_build_workers(_WORKERS([worker_id]), _CHANNELS([worker_id])).values())
    else:
        found = load_known(_VERSIONS(worker_id))
    for worker in found:
        return worker
    raise models.Worker.DoesNotExist(f"there is no worker with the id {worker_id}")


def load_workers(rows: QuerySet[models.Worker]) -> list[snapshot.Worker]:
    """Return these workers with all their channels, by id; see `load_known`."""
    if connection.in_atomic_block:
        found = list(rows.order_by("pk").values_list(*COLUMNS.values()))
        chunks = (found[start : start + _CHUNK] for start in range(0, len(found), _CHUNK))
        built = (_build_workers(chunk, _CHANNELS([row[0] for row in chunk])) for chunk in chunks)
        return [worker for some in built for worker in some.values()]
    return load_known(rows.order_by("pk").values_list("pk", "version", "workload_version"))


def load_known(versions: Iterable[tuple[int, int, int]]) -> list[snapshot.Worker]:
    """Return workers with all their channels, in the order given.

    A worker is loaded in full only if this process has no current snapshot in its cache: every
    change advances one of their two versions. Within a transaction everything is loaded and nothing
    cached, because the transaction may be rolled back.

    Arguments:
        versions: the id, the version and the workload version of each worker.
    """
    keep = not connection.in_atomic_block
    cached: Mapping[int, snapshot.Worker] = _snapshots if keep else {}
    found: dict[int, snapshot.Worker | None] = {}
    for pk, version, workload in versions:
        try:
            worker = cached[pk]
        except KeyError:
            found[pk] = None
            continue
        is_current = worker.version == version and worker.workload_version == workload
        found[pk] = worker if is_current else None
    changed = [pk for pk, worker in found.items() if worker is None]
    for start in range(0, len(changed), _CHUNK):
        with pipeline():
            workers = _WORKERS.send(changed[start : start + _CHUNK])
            channels = _CHANNELS.send(changed[start : start + _CHUNK])
        new = _build_workers(workers.result(), channels.result())
        found.update(new)
        if keep:
            with _lock:
                _snapshots.update(new)
    return [worker for worker in found.values() if worker is not None]


def record_offers(
    offered: Iterable[tuple[snapshot.Worker, Mapping[int, int]]], *, reserved_us: int
) -> None:
    """Advance cached snapshots by committed offers, so that the next pass need not load them.

    Arguments:
        offered: workers as they were before, under lock, each with the number of slots that the
            offers claimed by task channel id.
        reserved_us: the moment of the offers.
    """
    advanced = {
        worker.id: advance_worker(worker, slots, reserved_us=reserved_us)
        for worker, slots in offered
    }
    with _lock:
        _snapshots.update(advanced)


def advance_worker(
    worker: snapshot.Worker, slots: Mapping[int, int], *, reserved_us: int
) -> snapshot.Worker:
    """Return a worker after the claim of some slots, see `record_offers`."""
    count = sum(slots.values())
    channels = dict(worker.channels)
    for channel_id, claimed in slots.items():
        channel = channels[channel_id]
        channels[channel_id] = replace(
            channel,
            consumed=channel.consumed + claimed,
            last_reserved_us=max(channel.last_reserved_us, reserved_us),
        )
    advanced = replace(
        worker,
        channels=channels,
        last_reserved_us=max(worker.last_reserved_us, reserved_us),
        version=worker.version + count,
        workload_version=worker.workload_version + count,
    )
    advanced.values.update(worker.values)
    advanced.lane_key_values.update(worker.lane_key_values)
    return advanced


COLUMNS: Final = {
    "id": "pk",
    "sid": "sid",
    "friendly_name": "friendly_name",
    "activity_sid": "activity__sid",
    "activity_name": "activity__friendly_name",
    "available": "activity__available",
    "attributes": "attributes",
    "last_reserved_us": "last_reserved_us",
    "version": "version",
    "workload_version": "workload_version",
}
"""For each field of `snapshot.Worker` the column that it is loaded from."""
_VERSIONS: Final = CompiledQuery(
    lambda pk: models.Worker.objects.filter(pk=pk).values_list("pk", "version", "workload_version")
)
_WORKERS: Final = CompiledQuery(
    lambda pks=SEQUENCE: (
        models.Worker.objects.filter(pk__in=pks).order_by("pk").values_list(*COLUMNS.values())
    )
)


class _ChannelRow(NamedTuple):
    """The columns of one worker channel."""

    worker_id: int
    task_channel_id: int
    task_channel__unique_name: str
    configured_capacity: int
    available: bool
    reserved_for_manual: int
    consumed: int
    assigned: int
    last_reserved_us: int | None


_CHANNELS: Final = CompiledQuery(
    lambda pks=SEQUENCE: models.WorkerChannel.objects.filter(worker__in=pks).values_list(
        *_ChannelRow._fields
    )
)


def _build_workers(rows: Iterable[_Row], channels: Iterable[_Row]) -> dict[int, snapshot.Worker]:
    """Return snapshots by worker id.

    Arguments:
        rows: for each worker the columns of `COLUMNS`.
        channels: for each of their channels the columns of `_ChannelRow`.
    """
    by_worker = _build_channels(channels)
    built = {}
    for row in rows:
        values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
        pk, reserved = values["id"], values["last_reserved_us"]
        attributes = parse_attributes(values["attributes"], sid=values["sid"])
        values["attributes"] = {} if attributes is None else attributes
        values["last_reserved_us"] = -1 if reserved is None else reserved
        worker = built[pk] = snapshot.Worker(
            readable=attributes is not None, channels=by_worker[pk], **values
        )
        try:
            before = _snapshots[pk]
        except KeyError:
            continue
        if _differs_in_load_only(before, worker):
            # Cached values of attributes and fields are still right.
            worker.values.update(before.values)
            worker.lane_key_values.update(before.lane_key_values)
    return built


def _differs_in_load_only(before: snapshot.Worker, after: snapshot.Worker) -> bool:
    return before.attributes is after.attributes and _fields(before) == _fields(after)


_fields = attrgetter(*snapshot.READABLE)


def _build_channels(rows: Iterable[_Row]) -> Mapping[int, dict[int, snapshot.WorkerChannel]]:
    built: dict[int, dict[int, snapshot.WorkerChannel]] = defaultdict(dict)
    for row in map(_ChannelRow._make, rows):
        built[row.worker_id][row.task_channel_id] = snapshot.WorkerChannel(
            task_channel_id=row.task_channel_id,
            unique_name=row.task_channel__unique_name,
            configured_capacity=row.configured_capacity,
            available=row.available,
            reserved_for_manual=row.reserved_for_manual,
            consumed=row.consumed,
            assigned=row.assigned,
            last_reserved_us=-1 if row.last_reserved_us is None else row.last_reserved_us,
        )
    return built
