"""Recompute from the rows what the rows say of each other, and name every difference."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q

from routing import models
from routing.core import lifecycle
from routing.core.vocabulary import AssignmentStatus, ReservationStatus, TransferStatus
from routing.models.base import words
from routing.statistics import counting

_OPEN = Q(reservations__reservation_status__in=words(lifecycle.OPEN_RESERVATION))
_ACCEPTED = Q(reservations__reservation_status=ReservationStatus.ACCEPTED.value)
_UNDER_WAY = models.Transfer.objects.filter(transfer_status=TransferStatus.INITIATED.value)


def problems() -> Iterator[str]:
    """Yield a sentence for everything that cannot be; nothing when all is well."""
    yield from _wrong_counters()
    yield from _wrong_statuses()
    yield from _wrong_transfers()
    yield from _wrong_lanes()
    yield from _wrong_counts()


def _wrong_counters() -> Iterator[str]:
    channels = models.WorkerChannel.objects.annotate(
        held=Count("reservations", filter=_OPEN), accepted=Count("reservations", filter=_ACCEPTED)
    ).exclude(consumed=F("held"), assigned=F("accepted"))
    for channel in channels.order_by("pk").iterator():
        yield (
            f"worker channel {channel.sid} counts {channel.consumed} slots in use and"
            f" {channel.assigned} assigned; its reservations say {channel.held} and"
            f" {channel.accepted}"
        )


def _wrong_statuses() -> Iterator[str]:
    live = models.Task.objects.exclude(assignment_status__in=words(lifecycle.FINAL_TASK))
    moving = set(_UNDER_WAY.values_list("task", flat=True))
    for task in live.order_by("pk").prefetch_related("reservations").iterator(chunk_size=500):
        statuses = [ReservationStatus(r.reservation_status) for r in task.reservations.all()]
        derived = lifecycle.task_status_of(statuses, in_transfer=task.pk in moving)
        if derived != task.assignment_status:
            yield f"task {task.sid} is {task.assignment_status}; its reservations say {derived}"
    over = models.Reservation.objects.open().filter(
        task__assignment_status__in=words(lifecycle.FINAL_TASK)
    )
    for reservation in over.select_related("task").order_by("pk").iterator():
        yield (
            f"reservation {reservation.sid} is {reservation.reservation_status} though its task is"
            f" {reservation.task.assignment_status}"
        )


def _wrong_transfers() -> Iterator[str]:
    here = OuterRef("pk")
    giver = models.Reservation.objects.filter(
        outgoing=here, reservation_status=ReservationStatus.ACCEPTED.value
    )
    offer = models.Reservation.objects.pending().filter(incoming=here)
    asked = _UNDER_WAY.annotate(given=Exists(giver), asked=Exists(offer)).order_by("pk")
    for transfer in asked.iterator():
        if not transfer.given:
            yield f"transfer {transfer.sid} is under way and nobody hands the task on"
        if transfer.asked == transfer.seeking:
            somebody = "somebody is asked" if transfer.asked else "nobody is asked"
            seeks = "seeks" if transfer.seeking else "does not seek"
            yield f"transfer {transfer.sid} {seeks} whom to ask, and {somebody}"
    over = [TransferStatus.FAILED.value, TransferStatus.CANCELED.value]
    left = models.Reservation.objects.filter(outgoing__transfer_status__in=over)
    for reservation in left.select_related("outgoing").order_by("pk").iterator():
        yield f"reservation {reservation.sid} is handed on by a transfer that came to nothing"


def _wrong_lanes() -> Iterator[str]:
    pending = models.Task.objects.filter(assignment_status=AssignmentStatus.PENDING.value)
    astray = pending.filter(~Q(lane__task_channel=F("task_channel"))).order_by("pk")
    for task in astray.iterator():
        yield f"task {task.sid} waits on a lane of another channel"


def _wrong_counts() -> Iterator[str]:
    for found in counting.differences():
        yield (
            f"the tasks of workspace {found.workspace_id} that are {found.assignment_status} with"
            f" priority {found.priority} in queue {found.task_queue_id}, workflow"
            f" {found.workflow_id}, channel {found.task_channel_id} are counted as"
            f" {found.counted}; there are {found.there}"
        )
