"""Read a floor from the database: whole, or only what may have changed since a picture."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from cachetools import TTLCache
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum

from routing import models
from routing.core.clock import microseconds
from routing.core.vocabulary import AssignmentStatus, ReservationStatus, TransferStatus
from routing.db.compiled import SEQUENCE, CompiledQuery
from routing.redis import clients
from routing.sdk import leases
from routing.snapshots.workers import load_known
from supervisors import building, picture
from supervisors.picture import NO_QUEUE, Picture, Place
from supervisors.recent import find_counted_until, read_recent, read_targets
from supervisors.serving import Serving

CONNECTED_SECONDS: Final = 5.0
"""Seconds for which the list of connected workers is used."""

MOST_ALERTS: Final = 500
"""Open alerts that a picture has."""

_lock: Final = threading.Lock()
_connected: Final[TTLCache[None, frozenset[str] | None]] = TTLCache(1, ttl=CONNECTED_SECONDS)
_COLUMNS: Final[Mapping[str, str]] = {
    AssignmentStatus.PENDING: "waiting",
    AssignmentStatus.RESERVED: "offered",
    AssignmentStatus.ASSIGNED: "in_work",
    AssignmentStatus.WRAPPING: "wrapping",
}


def read_whole(
    workspace: models.Workspace, *, number: int, now: datetime, before: Picture | None = None
) -> Picture:
    """Return the picture of a workspace.

    Arguments:
        before: an older picture, from which it takes over what a worker serves.
    """
    queues = _QUEUES(workspace.pk)
    setup = read_setup(workspace, queues)
    is_same = before is not None and _list_expressions(before.setup) == _list_expressions(setup)
    known = before.workers if before is not None and is_same else {}
    tasks, longest = read_tasks(workspace.pk)
    offers = _OFFERS(workspace.pk)
    workers = list(_build_workers(_WORKERS(workspace.pk), offers, Serving(queues), known))
    return building.build_picture(
        number=number,
        at_us=microseconds(now),
        setup=setup,
        tasks=tasks,
        longest=longest,
        workers=workers,
        recent=read_recent(workspace, setup, tasks, longest, workers, now=now),
        connected=find_connected(now=now),
        alerts=read_alerts(workspace.pk),
        counted_until_us=find_counted_until(workspace, now=now),
    )


def _list_expressions(setup: picture.Setup) -> dict[int, str]:
    """Return what decides who serves which queue."""
    return {queue.id: queue.target_workers for queue in setup.queues.values()}


def read_changes(
    workspace: models.Workspace,
    before: Picture,
    worker_sids: Collection[str],
    *,
    number: int,
    now: datetime,
    with_figures: bool = True,
) -> Picture:
    """Return a newer picture, for which all counts and these workers were read.

    Arguments:
        with_figures: whether the figures of the last minutes are read, too.
    """
    tasks, longest = read_tasks(workspace.pk)
    changed: list[picture.Worker] = []
    gone: set[int] = set()
    if worker_sids:
        rows = _WORKERS_NAMED(workspace.pk, list(worker_sids))
        offers = _OFFERS_TO([row[0] for row in rows])
        serving = Serving(_QUEUES(workspace.pk))
        changed = list(_build_workers(rows, offers, serving, before.workers))
        found = {worker.sid for worker in changed}
        gone = {
            worker.id
            for worker in before.workers.values()
            if worker.sid in worker_sids and worker.sid not in found
        }
    workers = before.workers.values()
    return building.renew_picture(
        before,
        number=number,
        at_us=microseconds(now),
        tasks=tasks,
        longest=longest,
        changed=changed,
        gone=gone,
        recent=read_recent(workspace, before.setup, tasks, longest, workers, now=now)
        if with_figures
        else before.recent,
        connected=find_connected(now=now),
        alerts=read_alerts(workspace.pk),
        counted_until_us=find_counted_until(workspace, now=now)
        if with_figures
        else before.counted_until_us,
    )


def read_alerts(workspace_id: int) -> tuple[picture.OpenAlert, ...]:
    """Return the open alerts, the worst and oldest first."""
    return tuple(
        picture.OpenAlert(
            sid=row.sid,
            threshold_sid="" if row.threshold is None else row.threshold.sid,
            queue=row.place,
            queue_sid=row.queue_sid,
            queue_name=row.queue_name,
            channel_name=row.channel_name,
            figure=row.figure,
            level=row.level,
            limit=row.limit,
            value=row.value,
            raised_us=microseconds(row.date_raised),
            acknowledged_by=row.acknowledged_by,
            note=row.note,
            muted_until_us=_find_end_of_mute(row.threshold),
        )
        for row in _ALERTS(workspace_id)
    )


def _find_end_of_mute(threshold: models.Threshold | None) -> int:
    until = None if threshold is None else threshold.muted_until
    return 0 if until is None else microseconds(until)


def find_connected(*, now: datetime) -> Collection[str] | None:
    """Return the sids of workers with an open desk or SDK session; None if it is not known."""
    with _lock:
        if _connected:
            return _connected[None]
    try:
        found = leases.list_connected_workers(now=now)
    except clients.BROKEN:
        return None
    with _lock:
        _connected[None] = found
    return found


def forget_connected() -> None:
    """Forget who is connected."""
    with _lock:
        _connected.clear()


def read_tasks(
    workspace_id: int,
) -> tuple[dict[Place, picture.Tasks], dict[Place, picture.Longest]]:
    """Return the numbers of tasks and the longest waits by queue and channel.

    It reads counts that triggers keep and one index step for each queue and channel with waiting
    tasks, so the cost does not depend on how many tasks wait.
    """
    counts: dict[Place, Counter[str]] = defaultdict(Counter)
    for queue, channel, status, number in _COUNTS(workspace_id):
        if number and status in _COLUMNS:
            counts[queue, channel][_COLUMNS[status]] += number
    for queue, channel in _TRANSFERS(workspace_id):
        counts[queue or NO_QUEUE, channel]["offered"] -= 1
    tasks = {place: picture.Tasks(**numbers) for place, numbers in counts.items()}
    return {place: each for place, each in tasks.items() if any(each)}, _read_longest(tasks)


def _read_longest(tasks: Mapping[Place, picture.Tasks]) -> dict[Place, picture.Longest]:
    waiting = [place for place, each in tasks.items() if each.waiting > 0]
    found: dict[Place, picture.Longest] = {}
    queues = list({queue for queue, _ in waiting if queue != NO_QUEUE})
    for queue, channel, sid, created, entered in _LONGEST(queues):
        if created is not None:
            found[queue, channel] = _longest(sid, created, entered or created)
    for queue, channel in waiting:
        if queue == NO_QUEUE:
            for sid, created in _LONGEST_WITHOUT_QUEUE(channel):
                found[queue, channel] = _longest(sid, created, created)
    return found


def _longest(sid: str, created: datetime, entered: datetime) -> picture.Longest:
    return picture.Longest(microseconds(created), sid, microseconds(entered))


def read_setup(
    workspace: models.Workspace, queues: Iterable[models.TaskQueue] | None = None
) -> picture.Setup:
    """Return the configuration of a workspace.

    Arguments:
        queues: its queues in the order of their names, if the caller has read them.
    """
    queues = _QUEUES(workspace.pk) if queues is None else queues
    return picture.Setup(
        multi_task=workspace.multi_task_enabled,
        queues={
            row.pk: picture.Queue(
                id=row.pk,
                sid=row.sid,
                name=row.friendly_name,
                order=row.task_order,
                grab_policy=row.grab_policy,
                target_workers=row.target_workers,
                changed_us=microseconds(row.date_updated),
            )
            for row in queues
        },
        channels={
            row.pk: picture.Channel(
                id=row.pk, sid=row.sid, name=row.friendly_name, unique_name=row.unique_name
            )
            for row in _CHANNELS(workspace.pk)
        },
        activities={
            row.pk: picture.Activity(
                id=row.pk, sid=row.sid, name=row.friendly_name, available=row.available
            )
            for row in _ACTIVITIES(workspace.pk)
        },
        targets=read_targets(workspace),
    )


def _build_workers(
    rows: Iterable[tuple[Any, ...]],
    offers: Iterable[tuple[int, int]],
    serving: Serving,
    known: Mapping[int, picture.Worker],
) -> Iterable[picture.Worker]:
    """Yield workers.

    Arguments:
        rows: their ids, versions, activities and since when they are in it.
        offers: for each open offer the ids of its worker and of its channel.
        known: older values, from which it is taken what a worker of the same version serves.
    """
    more = {pk: (activity, since) for pk, _, _, activity, since in rows}
    offered = Counter(offers)
    loaded = load_known([row[:3] for row in rows])
    serves = {
        found.id: old.serves
        for found in loaded
        if not serving.by_load
        and (old := known.get(found.id)) is not None
        and old.version == found.version
    }
    serves |= serving.find_queues([found for found in loaded if found.id not in serves])
    for found in loaded:
        activity, since = more[found.id]
        yield picture.Worker(
            id=found.id,
            sid=found.sid,
            name=found.friendly_name,
            activity=activity,
            available=found.available,
            since_us=microseconds(since),
            loads=tuple(
                picture.Load(
                    channel=each.task_channel_id,
                    capacity=each.configured_capacity,
                    on=each.available,
                    kept=each.reserved_for_manual,
                    busy=max(each.consumed - offered[found.id, each.task_channel_id], 0),
                    offered=min(offered[found.id, each.task_channel_id], each.consumed),
                )
                for _, each in sorted(found.channels.items())
            ),
            serves=serves[found.id],
            readable=found.readable,
            version=found.version,
        )


_PENDING: Final = models.Task.objects.pending()
_OPEN_OFFERS: Final = models.Reservation.objects.pending()
_WORKER_COLUMNS: Final = (
    *("pk", "version", "workload_version", "activity_id", "date_status_changed"),
)


def list_versions(workspace: models.Workspace) -> dict[str, tuple[int, int]]:
    """Return the versions of all workers by sid: they change with whatever a picture shows."""
    return {sid: (own, load) for sid, own, load in _VERSIONS(workspace.pk)}


def _longest_of(queues: Any) -> QuerySet[models.TaskQueue, tuple[Any, ...]]:
    here = _PENDING.filter(task_queue=OuterRef("pk"), task_channel=OuterRef("channel"))
    oldest = here.order_by("date_created", "id")
    entered = here.order_by("task_queue_entered_date", "id")
    rows = models.TaskQueue.objects.filter(pk__in=queues)
    return (
        rows.annotate(channel=F("workspace__task_channels__pk"))
        .annotate(
            oldest_sid=Subquery(oldest.values("sid")[:1]),
            oldest_date=Subquery(oldest.values("date_created")[:1]),
            entered_date=Subquery(entered.values("task_queue_entered_date")[:1]),
        )
        .order_by()
        .values_list("pk", "channel", "oldest_sid", "oldest_date", "entered_date")
    )


_QUEUES: Final = CompiledQuery(
    lambda workspace: models.TaskQueue.objects.filter(workspace_id=workspace).order_by(
        "friendly_name", "pk"
    )
)
_ALERTS: Final = CompiledQuery(
    lambda workspace: (
        models.Alert.objects.filter(workspace_id=workspace, date_cleared__isnull=True)
        .select_related("threshold")
        .order_by("level", "date_raised", "pk")[:MOST_ALERTS]
    )
)
_CHANNELS: Final = CompiledQuery(
    lambda workspace: models.TaskChannel.objects.filter(workspace_id=workspace).order_by("pk")
)
_ACTIVITIES: Final = CompiledQuery(
    lambda workspace: models.Activity.objects.filter(workspace_id=workspace).order_by(
        "-available", "friendly_name", "pk"
    )
)
_COUNTS: Final = CompiledQuery(
    lambda workspace: (
        models.TaskCount.objects.filter(workspace_id=workspace)
        .order_by()
        .values_list("task_queue_id", "task_channel_id", "assignment_status")
        .annotate(Sum("tasks"))
    )
)
_TRANSFERS: Final = CompiledQuery(
    lambda workspace: models.Reservation.objects.filter(
        workspace_id=workspace,
        outgoing__isnull=False,
        outgoing__transfer_status=TransferStatus.INITIATED.value,
        reservation_status=ReservationStatus.ACCEPTED.value,
    ).values_list("task__task_queue_id", "task__task_channel_id")
)
_LONGEST: Final = CompiledQuery(lambda queues=SEQUENCE: _longest_of(queues))
_LONGEST_WITHOUT_QUEUE: Final = CompiledQuery(
    lambda channel: (
        _PENDING.filter(task_channel_id=channel, task_queue__isnull=True)
        .order_by("date_created", "id")
        .values_list("sid", "date_created")[:1]
    )
)
_WORKERS: Final = CompiledQuery(
    lambda workspace: (
        models.Worker.objects.filter(workspace_id=workspace)
        .order_by("pk")
        .values_list(*_WORKER_COLUMNS)
    )
)
_VERSIONS: Final = CompiledQuery(
    lambda workspace: (
        models.Worker.objects.filter(workspace_id=workspace)
        .order_by()
        .values_list("sid", "version", "workload_version")
    )
)
_WORKERS_NAMED: Final = CompiledQuery(
    lambda workspace, sids=SEQUENCE: models.Worker.objects.filter(
        workspace_id=workspace, sid__in=sids
    ).values_list(*_WORKER_COLUMNS)
)
_OFFERS: Final = CompiledQuery(
    lambda workspace: _OPEN_OFFERS.filter(workspace_id=workspace).values_list(
        "worker_id", "worker_channel__task_channel_id"
    )
)
_OFFERS_TO: Final = CompiledQuery(
    lambda workers=SEQUENCE: _OPEN_OFFERS.filter(worker_id__in=workers).values_list(
        "worker_id", "worker_channel__task_channel_id"
    )
)
