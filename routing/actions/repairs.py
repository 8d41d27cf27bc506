"""Repair counters and copies that something other than an action has made wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from routing import models
from routing.actions import workers
from routing.actions.support import locking
from routing.core import lifecycle
from routing.core.vocabulary import ReservationStatus
from routing.models.base import words

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

_OPEN = Q(reservations__reservation_status__in=words(lifecycle.OPEN_RESERVATION))
_ACCEPTED = Q(reservations__reservation_status=ReservationStatus.ACCEPTED.value)


def recount_slots() -> int:
    """Recount the slots in use of every worker channel, and copy its worker's availability.

    Returns how many channels were wrong.
    """
    return sum(_recount_slots_of(worker_id) for worker_id in sorted(_find_wrong_workers()))


def _find_wrong_workers() -> set[int]:
    found = _annotate_counts(models.WorkerChannel.objects.all()).exclude(
        consumed=F("held"),
        assigned=F("accepted"),
        worker_available=F("worker__activity__available"),
    )
    return set(found.values_list("worker_id", flat=True))


@transaction.atomic
def _recount_slots_of(worker_id: int) -> int:
    locking.lock_some_workers([worker_id])
    mine = models.WorkerChannel.objects.filter(worker=worker_id)
    repaired = 0
    for row in _annotate_counts(mine).select_related("worker__activity"):
        there = row.worker.activity.available
        right = (row.held, row.accepted, there)
        if (row.consumed, row.assigned, row.worker_available) != right:
            repaired += mine.filter(pk=row.pk).update(
                consumed=row.held, assigned=row.accepted, worker_available=there
            )
    workers.count_workload(worker_id)
    return repaired


class _Counts(TypedDict):
    held: int
    accepted: int


def _annotate_counts(
    rows: QuerySet[models.WorkerChannel],
) -> QuerySet[WithAnnotations[models.WorkerChannel, _Counts]]:
    """Annotate worker channels with the counts of their reservations."""
    return rows.annotate(
        held=Count("reservations", filter=_OPEN), accepted=Count("reservations", filter=_ACCEPTED)
    )
