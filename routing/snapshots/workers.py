"""Load snapshots of workers, in few queries whatever their number."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

from cachetools import FIFOCache
from django.db import connection
from django.db.models import QuerySet

from routing import models
from routing.core import snapshot
from routing.db.compiled import MANY, CompiledQuery
from routing.db.pipeline import pipeline
from routing.snapshots.attributes import read

_Row = tuple[Any, ...]
_CHUNK: Final = 500
_lock = threading.Lock()
_snapshots: Final[FIFOCache[int, snapshot.Worker]] = FIFOCache(maxsize=50_000)
"""The newest snapshot of each worker by id. Writes take the lock; reads change nothing."""


def load_worker(worker_id: int) -> snapshot.Worker:
    """Return the snapshot of one worker; raises `Worker.DoesNotExist`."""
    if connection.in_atomic_block:
        found = list(_meant(_PEOPLE([worker_id]), _CHANNELS([worker_id])).values())
    else:
        found = load_known(_VERSIONS(worker_id))
    for worker in found:
        return worker
    raise models.Worker.DoesNotExist(f"there is no worker with the id {worker_id}")


def load_workers(rows: QuerySet[models.Worker]) -> list[snapshot.Worker]:
    """Return these workers with all their channels, by id; see `load_known`."""
    if connection.in_atomic_block:
        everyone = list(rows.order_by("pk").values_list(*COLUMNS.values()))
        some = (everyone[start : start + _CHUNK] for start in range(0, len(everyone), _CHUNK))
        whole = ((each, _CHANNELS([row[0] for row in each])) for each in some)
        return [worker for each in whole for worker in _meant(*each).values()]
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
            people = _PEOPLE.ask(changed[start : start + _CHUNK])
            channels = _CHANNELS.ask(changed[start : start + _CHUNK])
        new = _meant(people(), channels())
        found.update(new)
        if keep:
            with _lock:
                _snapshots.update(new)
    return [worker for worker in found.values() if worker is not None]


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
    lambda pk: models.Worker.objects.filter(pk=pk).values_list("pk", "version", "workload_version"),
    0,
)
_PEOPLE: Final = CompiledQuery(
    lambda pks: (
        models.Worker.objects.filter(pk__in=pks).order_by("pk").values_list(*COLUMNS.values())
    ),
    MANY,
)
_CHANNELS: Final = CompiledQuery(
    lambda pks: models.WorkerChannel.objects.filter(worker__in=pks).values_list(
        "worker_id",
        "task_channel_id",
        "task_channel__unique_name",
        "configured_capacity",
        "available",
        "reserved_for_manual",
        "consumed",
        "assigned",
        "last_reserved_us",
    ),
    MANY,
)


def _meant(people: Iterable[_Row], channels: Iterable[_Row]) -> dict[int, snapshot.Worker]:
    """Return snapshots from the columns of workers and of their channels.

    Arguments:
        people: for each worker those of `COLUMNS`.
        channels: for each of their channels those of `_CHANNELS`.
    """
    by_worker = _by_worker(channels)
    found = {}
    for row in people:
        given: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
        pk, reserved = given["id"], given["last_reserved_us"]
        attributes = read(given["attributes"], of=given["sid"])
        given["attributes"] = {} if attributes is None else attributes
        given["last_reserved_us"] = -1 if reserved is None else reserved
        found[pk] = snapshot.Worker(
            readable=attributes is not None, channels=by_worker[pk], **given
        )
        try:
            before = _snapshots[pk]
        except KeyError:
            continue
        if _same_person(before, found[pk]):
            # Cached values of attributes and fields are still right; only the load has changed.
            found[pk].values.update(before.values)
            found[pk].sought.update(before.sought)
    return found


def _same_person(one: snapshot.Worker, other: snapshot.Worker) -> bool:
    """Return whether everything but the load is the same."""
    return one.attributes is other.attributes and _who(one) == _who(other)


_who = attrgetter(*snapshot.READABLE)


def _by_worker(
    columns: Iterable[_Row],
) -> Mapping[int, dict[int, snapshot.WorkerChannel]]:
    found: dict[int, dict[int, snapshot.WorkerChannel]] = defaultdict(dict)
    for worker_id, channel_id, name, capacity, available, kept, consumed, assigned, us in columns:
        found[worker_id][channel_id] = snapshot.WorkerChannel(
            task_channel_id=channel_id,
            unique_name=name,
            configured_capacity=capacity,
            available=available,
            reserved_for_manual=kept,
            consumed=consumed,
            assigned=assigned,
            last_reserved_us=-1 if us is None else us,
        )
    return found
