"""Reservations: offers of a task to a worker, and the work that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from routing.core.lifecycle import HELD_RESERVATION, OPEN_RESERVATION
from routing.core.vocabulary import ReservationOrigin, ReservationStatus
from routing.models.base import Dated, choices, sid_field, unique_sid, words

if TYPE_CHECKING:
    from routing.models.workers import Worker

_OPEN = Q(reservation_status__in=words(OPEN_RESERVATION))
_OWNING = Q(reservation_status__in=words(HELD_RESERVATION))
_TO_THE_END = Q(
    reservation_status=ReservationStatus.COMPLETED.value, date_updated=F("task__date_finished")
)


class Reservations(models.QuerySet["Reservation"]):
    """Reservations, with their most frequent filters."""

    def open(self) -> Reservations:
        """Filter those that use a slot of their worker's capacity."""
        return self.filter(reservation_status__spelled=OPEN_RESERVATION)

    def pending(self) -> Reservations:
        """Filter those that wait for an answer."""
        return self.filter(reservation_status__spelled=[ReservationStatus.PENDING])

    def wrapping_up(self) -> Reservations:
        """Filter those in wrap-up whose tasks are completed when the time is over."""
        return self.filter(
            reservation_status__spelled=[ReservationStatus.WRAPPING], wrap_up_completes=True
        )

    def held(self) -> Reservations:
        """Filter those whose worker holds the task now.

        A worker holds a task that they have accepted or wrap up. A completed task is held by the
        worker who had it at that moment, who may still describe it. A worker who has transferred a
        task does not hold it, neither before nor after the next worker completes it.
        """
        return self.filter(_OWNING | _TO_THE_END)


class Reservation(Dated):
    """One offer of one task to one worker; while open it uses a slot of their capacity."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="reservations"
    )
    task = models.ForeignKey("routing.Task", on_delete=models.CASCADE, related_name="reservations")
    # Null once the worker is deleted, which an open reservation prevents. `worker_sid` and
    # `worker_name` are available even then.
    worker = models.ForeignKey(
        "routing.Worker", on_delete=models.SET_NULL, null=True, related_name="reservations"
    )
    former_worker_sid = models.CharField(max_length=34, null=True, editable=False)
    former_worker_name = models.CharField(max_length=64, null=True, editable=False)
    # The slot it uses, on the channel that the task had when it was offered. Null once the worker
    # or the channel is deleted.
    worker_channel = models.ForeignKey(
        "routing.WorkerChannel", on_delete=models.SET_NULL, null=True, related_name="reservations"
    )
    reservation_status = models.CharField(
        max_length=10,
        choices=choices(ReservationStatus),
        default=ReservationStatus.PENDING.value,
    )
    # How the task came to the worker; null for rows of a release that did not store it.
    origin = models.CharField(
        max_length=8, choices=choices(ReservationOrigin), null=True, editable=False
    )
    reservation_timeout = models.PositiveIntegerField()
    deadline_us = models.BigIntegerField()
    worker_previous_activity = models.ForeignKey(
        "routing.Activity", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # When the worker accepted it, and when they began to wrap up; null before that.
    date_accepted = models.DateTimeField(null=True, editable=False)
    date_wrapping = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=0)
    # When the time for wrapping up is over, whether the task is then completed, and whether the
    # worker has extended the time.
    wrap_up_deadline_us = models.BigIntegerField(null=True, editable=False)
    wrap_up_completes = models.BooleanField(default=False, db_default=False, editable=False)
    wrap_up_extended = models.BooleanField(default=False, db_default=False, editable=False)
    # Why the worker has rejected it, and until when the task is not offered to them again.
    rejection_reason = models.CharField(max_length=64, null=True, editable=False)
    paused_until_us = models.BigIntegerField(null=True, editable=False)
    # How the task ended: the unique name of an outcome code, perhaps deleted since, and a note.
    outcome_code = models.CharField(max_length=64, null=True, editable=False)
    outcome_note = models.TextField(null=True, editable=False)
    # The transfer that brought the task to this worker, and the one by which the worker gives it
    # away. Set during the transfer, and after a warm one while both workers are with the task.
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
            # Beside the owner there is at most the worker who transferred the task to them.
            models.UniqueConstraint(
                fields=["task"],
                name="reservations_one_handing_over",
                condition=_OWNING & Q(outgoing__isnull=False),
            ),
        ]
        indexes = [
            # Open reservations of a worker.
            models.Index(fields=["worker"], name="reservations_open", condition=_OPEN),
            # Reservations of a transfer; small, because few tasks are transferred.
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
            # Rejections after which a task is not offered again for some time.
            models.Index(
                fields=["workspace", "paused_until_us"],
                name="reservations_paused",
                condition=Q(paused_until_us__isnull=False),
            ),
            # Wrap-ups whose time is over.
            models.Index(
                fields=["workspace", "wrap_up_deadline_us"],
                name="reservations_wrap_up_due",
                condition=Q(
                    reservation_status=ReservationStatus.WRAPPING.value, wrap_up_completes=True
                ),
            ),
            # Offers past their deadline.
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
        """Return the worker's name; after the worker was deleted, the last one."""
        return self.former_worker_name or "" if self.worker is None else self.worker.friendly_name

    @property
    def current_worker(self) -> Worker:
        """Return the worker of an open reservation, which always has one."""
        assert self.worker is not None
        return self.worker
