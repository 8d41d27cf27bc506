"""Create, change and delete workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from django.db import transaction
from django.db.models import F

from routing import models, sids
from routing.actions import reservations
from routing.actions.support import activity_moves, inputs, locking
from routing.actions.support.errors import InUse, InvalidInput, NotNow, StaleState
from routing.actions.support.versions import check_version
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.vocabulary import ReservationStatus
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.shapes import describe_changes
from routing.fields.workers import WORKER

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class WorkerDetails(TypedDict, total=False):
    """Columns that describe a worker; absent ones get their default, or stay.

    Arguments:
        user: the login that works as this worker at the agent's desk.
    """

    attributes: str
    user: User | None


class NewWorker(WorkerDetails):
    """The columns that `create_worker` sets."""

    friendly_name: str


class WorkerChanges(WorkerDetails, total=False):
    """The columns that `update_worker` can change."""

    friendly_name: str
    activity: models.Activity


_DETAILS: Final = ("friendly_name", *WorkerDetails.__annotations__)
_CHECKS: Final = {"friendly_name": inputs.check_name, "attributes": inputs.check_attributes}


@transaction.atomic
def create_worker(
    *,
    workspace: models.Workspace,
    activity: models.Activity | None = None,
    actor: Actor,
    now: datetime,
    **details: Unpack[NewWorker],
) -> models.Worker:
    """Create a worker with a capacity of 1 on every channel.

    Arguments:
        activity: the workspace's default activity when left out.
    """
    locking.lock_workspace(workspace)
    activity = activity or workspace.default_activity
    assert activity is not None
    worker = models.Worker(
        sid=sids.new_sid("WK"),
        workspace=workspace,
        activity=_check_activity(workspace, activity),
        date_status_changed=now,
        date_created=now,
        date_updated=now,
        **_check_details(details),
    )
    with _refuse_duplicates(worker.friendly_name):
        worker.save(force_insert=True)
    models.WorkerChannel.objects.bulk_create(
        models.WorkerChannel(
            sid=sids.new_sid("WC"),
            worker=worker,
            task_channel=channel,
            worker_available=activity.available,
            date_created=now,
            date_updated=now,
        )
        for channel in workspace.task_channels.order_by("pk")
    )
    _record(EventType.WORKER_CREATED, worker, actor, now)
    return worker


@transaction.atomic
def update_worker(
    *,
    worker: models.Worker,
    reject_pending_reservations: bool = False,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
    **changes: Unpack[WorkerChanges],
) -> models.Worker:
    """Change a worker's name, attributes, activity or login.

    Arguments:
        reject_pending_reservations: when moving to an unavailable activity, reject open offers
            instead of refusing the move; all in one transaction.
        if_version: refuse with `StaleState` unless the worker still has this version.
    """
    worker = _lock(worker)
    check_version(worker, if_version)
    if reject_pending_reservations and changes.get("activity", worker.activity).available:
        raise InvalidInput(
            "reject_pending_reservations is only possible together with an unavailable activity",
            field="reject_pending_reservations",
        )
    described = _check_details(changes)
    moves = "activity" in changes and changes["activity"].pk != worker.activity_id
    before = WORKER.values(worker) | {"login": _login_name(worker)}
    if described:
        # One request advances the version once; a move advances it itself.
        _write_description(worker, described, now, versions=0 if moves else 1)
    after = WORKER.values(worker) | {"login": _login_name(worker)}
    if "activity" in changes:
        ending = ReservationStatus.REJECTED if reject_pending_reservations else None
        _set_activity(worker, changes["activity"], ending, actor, now)
    if described:
        more = describe_changes(before, after)
        _record(EventType.WORKER_ATTRIBUTES_UPDATE, worker, actor, now, more)
    return worker


def set_activity(
    *,
    worker: models.Worker,
    activity: models.Activity,
    reject_pending_reservations: bool = False,
    actor: Actor,
    now: datetime,
) -> models.Worker:
    """Move a worker to another activity (behaviour.md §1.11); see `update_worker`."""
    return update_worker(
        worker=worker,
        activity=activity,
        reject_pending_reservations=reject_pending_reservations,
        actor=actor,
        now=now,
    )


@transaction.atomic
def sign_off_worker(*, worker: models.Worker, actor: Actor, now: datetime) -> bool:
    """Move a worker who left their desk out of an activity that takes work.

    They go into the workspace's timeout activity. Their open offers are rescinded, so that the
    tasks are offered to other workers and keep their age. Returns whether anything changed.
    """
    worker = _lock(worker)
    activity = find_absence_activity(worker.workspace)
    if activity is None or not worker.activity.available:
        return False
    _set_activity(worker, activity, ReservationStatus.RESCINDED, actor, now)
    return True


def find_offline_activity(workspace: models.Workspace) -> models.Activity | None:
    """Return the activity named Offline, else the default activity, if it takes no work."""
    away = workspace.activities.filter(available=False)
    named = away.filter(friendly_name__iexact="offline").first()
    default = workspace.default_activity
    return named or (default if default is not None and not default.available else None)


def find_absence_activity(workspace: models.Workspace) -> models.Activity | None:
    """Return the timeout activity, or, if that takes work, `find_offline_activity`."""
    timeout = workspace.timeout_activity
    if timeout is not None and not timeout.available:
        return timeout
    return find_offline_activity(workspace)


@transaction.atomic
def delete_worker(
    *, worker: models.Worker, actor: Actor, now: datetime, if_version: int | None = None
) -> None:
    """Delete a worker; raises `InUse` while they hold an offer or a task.

    Reservations of finished tasks stay, and keep the worker's sid and name.
    """
    worker = _lock(worker)
    check_version(worker, if_version)
    if worker.reservations.open().exists():
        raise InUse(
            f"worker {worker.friendly_name!r} still holds reservations; complete or reject them"
            " first"
        )
    recorder.record(
        EventType.WORKER_DELETED,
        workspace=worker.workspace,
        resource_sid=worker.sid,
        data=payloads.describe_worker(worker)
        # Statistics of activities use this to end the last stay.
        | payloads.describe_activity_left(
            worker.activity, since=worker.date_status_changed, now=now
        )
        | payloads.describe_capacities(
            {
                row.task_channel.sid: row
                for row in worker.channels.select_related("task_channel").order_by("pk")
            }
        ),
        actor=actor,
        now=now,
    )
    models.Reservation.objects.filter(worker=worker).update(
        worker=None,
        worker_channel=None,
        former_worker_sid=worker.sid,
        former_worker_name=worker.friendly_name,
    )
    worker.delete()


def _lock(worker: models.Worker) -> models.Worker:
    rows = models.Worker.objects.filter(pk=worker.pk)
    locking.lock_workers(rows)
    locked = rows.select_related("activity", "workspace").first()
    if locked is None:
        raise StaleState("the worker no longer exists; it was deleted")
    return locked


def _check_details(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given details in the form that is stored; raises `InvalidInput`."""
    found = {name: given[name] for name in _DETAILS if name in given}
    return found | {name: check(found[name]) for name, check in _CHECKS.items() if name in found}


def _write_description(
    worker: models.Worker, details: Mapping[str, Any], now: datetime, *, versions: int
) -> None:
    for name, value in details.items():
        setattr(worker, name, value)
    worker.version += versions
    worker.date_updated = now
    with _refuse_duplicates(worker.friendly_name):
        worker.save(update_fields=[*_DETAILS, "version", "date_updated"])


def _set_activity(
    worker: models.Worker,
    activity: models.Activity,
    ending: ReservationStatus | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Move a locked worker; open offers get the status `ending`, or forbid the move if None."""
    activity = _check_activity(worker.workspace, activity)
    if activity.pk == worker.activity_id:
        return
    pending = worker.reservations.filter(
        reservation_status=ReservationStatus.PENDING.value
    ).order_by("task_id")
    offers = [] if activity.available else list(pending.values_list("task_id", "sid"))
    if offers and ending is None:
        raise NotNow(
            f"Worker {worker.sid} cannot have its activity updated since it has {len(offers)}"
            " pending reservations; answer them first, or send RejectPendingReservations."
        )
    for task_id, sid in offers:
        # Only this worker's reservation changes, and the worker is locked.
        locked = locking.lock_task_alone(task_id)
        if reservation := locked.open_reservation(sid):
            assert ending is not None
            reservations.move_reservation_and_task(
                locked, reservation, ending, actor=actor, now=now
            )
    # Ending an offer may itself have moved the worker, where multitasking is off.
    worker.refresh_from_db()
    activity_moves.move_worker(worker, activity, actor=actor, now=now)


def _check_activity(workspace: models.Workspace, activity: models.Activity) -> models.Activity:
    if activity.workspace_id != workspace.pk:
        raise InvalidInput(
            f"activity {activity.sid} belongs to another workspace", field="activity_sid"
        )
    return activity


def _refuse_duplicates(friendly_name: str) -> inputs.DuplicateGuard:
    return inputs.refuse_duplicates(
        f"a worker with the friendly name {friendly_name!r} exists already in this workspace,"
        " or the login works as another one"
    )


def _login_name(worker: models.Worker) -> str | None:
    return None if worker.user is None else worker.user.get_username()


def _record(
    event_type: EventType,
    worker: models.Worker,
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    recorder.record(
        event_type,
        workspace=worker.workspace,
        resource_sid=worker.sid,
        data=payloads.describe_worker(worker) | (more or {}),
        actor=actor,
        now=now,
    )


def count_workload(worker_id: int) -> None:
    """Advance a worker's workload version, so that decisions on older snapshots fail."""
    models.Worker.objects.filter(pk=worker_id).update(workload_version=F("workload_version") + 1)
