"""Reservations: a task offered to a worker, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from routing.core.lifecycle import HELD_RESERVATION, OPEN_RESERVATION
from routing.core.vocabulary import ReservationStatus
from routing.models.base import Dated, choices, sid_field, unique_sid, words

if TYPE_CHECKING:
    from routing.models.workers import Worker

_OPEN = Q(reservation_status__in=words(OPEN_RESERVATION))
_OWNING = Q(reservation_status__in=words(HELD_RESERVATION))
_TO_THE_END = Q(
    reservation_status=ReservationStatus.COMPLETED.value, date_updated=F("task__date_finished")
)


class Reservations(models.QuerySet["Reservation"]):
    """Reservations, with the question that is asked of them most."""

    def open(self) -> Reservations:
        """Keep those that take a slot of their worker's capacity."""
        return self.filter(reservation_status__spelled=OPEN_RESERVATION)

    def pending(self) -> Reservations:
        """Keep those that wait for an answer."""
        return self.filter(reservation_status__spelled=[ReservationStatus.PENDING])

    def held(self) -> Reservations:
        """Keep those whose worker holds the task now.

        A worker holds what they have accepted or wrap up. A task that is completed is held by the
        worker who had it at that moment: they may still describe it. A worker who handed a task on
        does not hold it, neither before nor after the next worker completes it.
        """
        return self.filter(_OWNING | _TO_THE_END)


class Reservation(Dated):
    """One offer of one task to one worker; while it is open it takes a slot of their capacity."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="reservations"
    )
    task = models.ForeignKey("routing.Task", on_delete=models.CASCADE, related_name="reservations")
    # Null once the worker is deleted, which an open reservation prevents. Who had the task is still
    # asked then: `worker_sid` and `worker_name` answer.
    worker = models.ForeignKey(
        "routing.Worker", on_delete=models.SET_NULL, null=True, related_name="reservations"
    )
    former_worker_sid = models.CharField(max_length=34, null=True, editable=False)
    former_worker_name = models.CharField(max_length=64, null=True, editable=False)
    # The slot it takes: the task's channel when it was offered is what counts. Null once the worker
    # or the channel is deleted.
    worker_channel = models.ForeignKey(
        "routing.WorkerChannel", on_delete=models.SET_NULL, null=True, related_name="reservations"
    )
    reservation_status = models.CharField(
        max_length=10,
        choices=choices(ReservationStatus),
        default=ReservationStatus.PENDING.value,
    )
    reservation_timeout = models.PositiveIntegerField()
    deadline_us = models.BigIntegerField()
    worker_previous_activity = models.ForeignKey(
        "routing.Activity", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=0)
    # The transfer by which it came to its worker, and the one by which the worker hands it on: set
    # while that is under way, and after it as long as a warm one leaves both with the task.
    incoming = models.ForeignKey(
        "routing.Transfer", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    outgoing = models.ForeignKey(
        "routing.Transfer", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    objects = Reservations.as_manager()

    class Meta:
        db_table = "reservations"
        constraints = [
            unique_sid("reservations"),
            models.UniqueConstraint(
                fields=["task", "worker"],
                name="reservations_one_open_offer",
                condition=_OPEN,
            ),
            models.UniqueConstraint(
                fields=["task"],
                name="reservations_one_owner",
                condition=_OWNING & Q(outgoing__isnull=True),
            ),
            models.CheckConstraint(
                name="reservations_open_take_a_slot",
                condition=~_OPEN | Q(worker__isnull=False, worker_channel__isnull=False),
            ),
            # Beside the owner at most the one from whom they have it.
            models.UniqueConstraint(
                fields=["task"],
                name="reservations_one_handing_over",
                condition=_OWNING & Q(outgoing__isnull=False),
            ),
        ]
        indexes = [
            # What a worker has in hand.
            models.Index(fields=["worker"], name="reservations_open", condition=_OPEN),
            # By what a transfer was carried: next to nothing, as few tasks are handed on.
            models.Index(
                fields=["incoming"],
                name="reservations_incoming",
                condition=Q(incoming__isnull=False),
            ),
            models.Index(
                fields=["outgoing"],
                name="reservations_outgoing",
                condition=Q(outgoing__isnull=False),
            ),
            # Offers whose time is up.
            models.Index(
                fields=["workspace", "deadline_us"],
                name="reservations_due",
                condition=Q(reservation_status=ReservationStatus.PENDING.value),
            ),
        ]

    def __str__(self) -> str:
        return self.sid

    @property
    def worker_sid(self) -> str:
        """Return the worker's sid, also after the worker was deleted."""
        return self.former_worker_sid or "" if self.worker is None else self.worker.sid

    @property
    def worker_name(self) -> str:
        """Return the worker's name; after the worker was deleted, the last one they had."""
        return self.former_worker_name or "" if self.worker is None else self.worker.friendly_name

    @property
    def current_worker(self) -> Worker:
        """Return the worker of an open reservation, who cannot be deleted."""
        assert self.worker is not None
        return self.worker
