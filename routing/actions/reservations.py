"""Offer tasks to workers, and carry their answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db.models import F

from routing import models, sids
from routing.actions import activity_moves, settle
from routing.actions.errors import NotNow, Rescinded, StaleState
from routing.actions.tasks import check_version
from routing.actors import SYSTEM, Actor
from routing.core.clock import SECOND, microseconds
from routing.core.decisions import ReserveWorkers
from routing.core.lifecycle import InvalidTransition
from routing.core.vocabulary import AssignmentStatus, ReservationStatus

DEFAULT_TIMEOUT: Final = 120
"""Seconds an offer stands when no workflow says otherwise."""


@settle.retold
def reserve_workers(decision: ReserveWorkers, *, now: datetime) -> list[models.Reservation]:
    """Offer a waiting task to the workers that the router chose.

    Raises `StaleState` when the task or any of the workers is not what the router saw.
    """
    chosen = sorted(decision.workers, key=lambda pair: pair[0].id)
    story = settle.hold(decision.task.id, joining=[seen.id for seen, _ in chosen])
    check_version(story.task, decision.task.version)
    slots = [
        claim(
            worker_id=seen.id,
            task=story.task,
            version=seen.version,
            workload_version=seen.workload_version + steps_ahead,
            within_capacity=not decision.ignore_capacity,
            now=now,
        )
        for seen, steps_ahead in chosen
    ]
    return offer(story, slots, actor=SYSTEM, now=now)


def claim(
    *,
    worker_id: int,
    task: models.Task,
    version: int,
    workload_version: int,
    within_capacity: bool,
    now: datetime,
) -> models.WorkerChannel:
    """Take a slot of a worker on a task's channel, if the worker is still as they were seen.

    Both updates are conditional: of two who want the last slot, the second changes no row.
    """
    reserved = microseconds(now)
    changed = models.Worker.objects.filter(
        pk=worker_id, version=version, workload_version=workload_version
    ).update(workload_version=F("workload_version") + 1, last_reserved_us=reserved)
    if not changed:
        raise StaleState("the worker has changed meanwhile")
    slots = models.WorkerChannel.objects.filter(
        worker_id=worker_id, task_channel_id=task.task_channel_id
    ).select_related("worker__activity", "worker__workspace", "task_channel")
    slot = slots.first()
    if slot is None:
        raise StaleState("the worker does not have the task's channel any more")
    free = models.WorkerChannel.objects.filter(pk=slot.pk)
    if within_capacity and slot.worker.workspace.multi_task_enabled:
        free = free.filter(available=True, consumed__lt=F("configured_capacity"))
    if not free.update(consumed=F("consumed") + 1, last_reserved_us=reserved):
        raise StaleState("the worker has no free slot any more")
    return slot


def offer(
    story: settle.Story, slots: Sequence[models.WorkerChannel], *, actor: Actor, now: datetime
) -> list[models.Reservation]:
    """Write the reservations for slots already claimed; the task goes from pending to reserved."""
    task = story.task
    if task.assignment_status != AssignmentStatus.PENDING:
        raise StaleState(f"task {task.sid} is no longer waiting")
    timeout = DEFAULT_TIMEOUT if task.workflow is None else task.workflow.task_reservation_timeout
    made = []
    for slot in slots:
        reservation = models.Reservation(
            sid=sids.new("WR"),
            workspace=task.workspace,
            task=task,
            worker=slot.worker,
            worker_channel=slot,
            reservation_timeout=timeout,
            deadline_us=microseconds(now) + timeout * SECOND,
            worker_previous_activity=slot.worker.activity,
            date_created=now,
            date_updated=now,
        )
        reservation.save(force_insert=True)
        made.append(reservation)
    story.reservations.extend(made)
    settle.settle(story, actor=actor, now=now)
    for reservation in made:
        settle.record_reservation(reservation, actor=actor, now=now)
        activity_moves.follow_reservation(
            reservation, ReservationStatus.PENDING, actor=actor, now=now
        )
    return made


def accept_reservation(
    *,
    reservation: models.Reservation,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Accept an offer: the task is the worker's, and its other offers are rescinded."""
    return _answer(reservation, ReservationStatus.ACCEPTED, actor, now, if_version)


def reject_reservation(
    *,
    reservation: models.Reservation,
    activity: models.Activity | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Decline an offer; the worker moves to `activity` if one is given, else stays as they are."""
    return _answer(reservation, ReservationStatus.REJECTED, actor, now, if_version, activity)


def _answer(
    reservation: models.Reservation,
    status: ReservationStatus,
    actor: Actor,
    now: datetime,
    if_version: int | None,
    activity: models.Activity | None = None,
) -> models.Reservation:
    """Take an answer if it is in time.

    An answer after the deadline comes too late even when no cycle has noticed yet: the offer ends
    as timed out, and that stands, while the answer is refused.
    """
    current, late = _answer_now(reservation, status, actor, now, if_version, activity)
    if late:
        raise _already(current, status)
    return current


@settle.retold
def _answer_now(
    reservation: models.Reservation,
    status: ReservationStatus,
    actor: Actor,
    now: datetime,
    if_version: int | None,
    activity: models.Activity | None,
) -> tuple[models.Reservation, bool]:
    """Carry an answer, or time the offer out; tell whether it came too late."""
    story, current = _open(reservation, status, if_version)
    late = (
        current.reservation_status == ReservationStatus.PENDING
        and current.deadline_us <= microseconds(now)
    )
    if late:
        _time_out(story, current, now=now)
        return current, True
    move(story, current, status, actor=actor, now=now)
    if activity is not None:
        activity_moves.move_worker(current.worker, activity, actor=actor, now=now)
    return current, False


def move(
    story: settle.Story,
    reservation: models.Reservation,
    status: ReservationStatus,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Bring one reservation of a held story to a status, and let the rest follow."""
    try:
        settle.move_reservation(reservation, status, actor=actor, now=now)
    except InvalidTransition:
        raise _already(reservation, status) from None
    if status == ReservationStatus.ACCEPTED:
        for sibling in story.reservations:
            if sibling is not reservation:
                settle.move_reservation(sibling, ReservationStatus.RESCINDED, actor=actor, now=now)
    settle.settle(story, actor=actor, now=now)


@settle.retold
def time_out_reservation(*, sid: str, now: datetime) -> None:
    """End an offer whose time is up; raises `StaleState` when it was answered meanwhile."""
    task_id = models.Reservation.objects.filter(sid=sid).values_list("task_id", flat=True).first()
    if task_id is None:
        raise StaleState("the reservation was deleted meanwhile")
    story = settle.hold(task_id)
    current = story.open_reservation(sid)
    if (
        current is None
        or current.reservation_status != ReservationStatus.PENDING
        or current.deadline_us > microseconds(now)
    ):
        raise StaleState(f"reservation {sid} was answered meanwhile")
    _time_out(story, current, now=now)


def _time_out(story: settle.Story, reservation: models.Reservation, *, now: datetime) -> None:
    settle.move_reservation(reservation, ReservationStatus.TIMEOUT, actor=SYSTEM, now=now)
    settle.settle(story, actor=SYSTEM, now=now)


@settle.retold
def wrap_up_reservation(
    *,
    reservation: models.Reservation,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Begin wrapping up accepted work, and its task with it."""
    story, current = _open(reservation, ReservationStatus.WRAPPING, if_version)
    if current.reservation_status != ReservationStatus.ACCEPTED:
        raise _already(current, ReservationStatus.WRAPPING)
    settle.wrap_up(story, actor=actor, now=now)
    return current


@settle.retold
def complete_reservation(
    *,
    reservation: models.Reservation,
    reason: str | None = None,
    actor: Actor,
    now: datetime,
    if_version: int | None = None,
) -> models.Reservation:
    """Finish work in hand, and its task with it."""
    story, current = _open(reservation, ReservationStatus.COMPLETED, if_version)
    if current.reservation_status == ReservationStatus.PENDING:
        raise _already(current, ReservationStatus.COMPLETED)
    settle.finish(story, AssignmentStatus.COMPLETED, reason=reason, actor=actor, now=now)
    return current


def _open(
    reservation: models.Reservation, wanted: ReservationStatus, if_version: int | None
) -> tuple[settle.Story, models.Reservation]:
    """Hold a reservation's story; raises what the asker must hear when it is over already."""
    story = settle.hold(reservation.task_id)
    current = story.open_reservation(reservation.sid)
    if current is None:
        reservation.refresh_from_db()
        check_version(reservation, if_version)
        raise _already(reservation, wanted)
    check_version(current, if_version)
    return story, current


def _already(reservation: models.Reservation, wanted: ReservationStatus) -> NotNow:
    if (
        reservation.reservation_status == ReservationStatus.RESCINDED
        and wanted == ReservationStatus.ACCEPTED
    ):
        return Rescinded(
            f"Reservation {reservation.sid} was rescinded: another worker accepted the task first."
        )
    return NotNow(
        f"Reservation {reservation.sid} is already in state"
        f" [{reservation.reservation_status}] and cannot go to [{wanted}]."
    )
