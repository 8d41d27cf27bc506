"""Transfers on the desk: the possible receivers of a task, and the tasks under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, OuterRef, Subquery
from django.utils.translation import gettext, ngettext

from routing import models
from routing.actions import transfers
from routing.core.lifecycle import HELD_RESERVATION
from routing.core.vocabulary import ReservationStatus, TransferMode, TransferStatus
from routing.languages import join_list
from routing.statistics import staffing

MOST_CHOICES: Final = 50
"""Maximum number of colleagues, and of queues, that are shown to choose from."""
LONGEST_SEARCH: Final = 64
NAMES_SHOWN: Final = 3
"""Names of workers that are shown for a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferState:
    """The state of a transfer: `accepted` once the receiver has accepted the task."""

    to: str
    accepted: bool


def load_transfers(rows: Iterable[models.Reservation]) -> dict[int, TransferState]:
    """Return the transfers of these reservations, by the reservations' ids.

    Without any transfer nothing is queried.
    """
    begun = {row.outgoing_id: row.pk for row in rows if row.outgoing_id is not None}
    outgoing = models.Transfer.objects.in_bulk(begun) if begun else {}
    names = _names({transfer.transfer_to for transfer in outgoing.values()}) if outgoing else {}
    return {
        begun[pk]: TransferState(
            to=names.get(transfer.transfer_to, gettext("a deleted colleague or queue")),
            accepted=transfer.transfer_status == TransferStatus.COMPLETE,
        )
        for pk, transfer in outgoing.items()
    }


def _names(sids: Iterable[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for model in (models.Worker, models.TaskQueue):
        rows = model._default_manager.filter(sid__in=sids)
        found |= dict(rows.values_list("sid", "friendly_name"))
    return found


def may_transfer(reservation: models.Reservation) -> bool:
    """Return whether an agent's task, loaded with its channel, can be transferred."""
    accepted = reservation.reservation_status == ReservationStatus.ACCEPTED
    return accepted and reservation.outgoing_id is None and not transfers.is_call(reservation.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """How a task came to its agent by a transfer.

    Arguments:
        sender: the name of the worker who transferred it.
        note: what the sender wrote.
        stays: whether the sender keeps the task too, until they complete their part.
    """

    sender: str
    note: str
    stays: bool


def load_incoming(rows: Iterable[models.Reservation]) -> dict[int, Incoming]:
    """Return how these reservations came by a transfer, by their ids, for those that did.

    Without any transfer nothing is queried.
    """
    received = {row.incoming_id: row.pk for row in rows if row.incoming_id is not None}
    if not received:
        return {}
    senders = models.Worker.objects.filter(sid=OuterRef("initiating_worker_sid"))
    first = models.Reservation.objects.filter(
        sid=OuterRef("initiating_reservation_sid"),
        reservation_status__spelled=HELD_RESERVATION,
    )
    found = models.Transfer.objects.filter(pk__in=received).annotate(
        sender=Subquery(senders.values("friendly_name")[:1]), sender_stays=Exists(first)
    )
    return {
        received[transfer.pk]: Incoming(
            sender=transfer.sender or gettext("A deleted colleague"),
            note=transfer.note or "",
            stays=transfer.transfer_mode == TransferMode.WARM and transfer.sender_stays,
        )
        for transfer in found
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """A possible receiver; `used` of `capacity` slots of the task's channel are in use."""

    sid: str
    name: str
    activity: str
    available: bool
    used: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A possible receiver, and the names of the other available workers who serve it."""

    sid: str
    name: str
    serving: list[str]

    @property
    def words(self) -> str:
        """Return who serves it: "Bob, Carol, Dan and 2 more serve it now"."""
        if not self.serving:
            return gettext("No available colleague serves it now.")
        names = join_list(self.serving[:NAMES_SHOWN])
        more = len(self.serving) - NAMES_SHOWN
        if more > 0:
            text = ngettext(
                "%(names)s and %(more)s more serve it now.",
                "%(names)s and %(more)s more serve it now.",
                more,
            )
            return text % {"names": names, "more": more}
        text = ngettext("%(names)s serves it now.", "%(names)s serve it now.", len(self.serving))
        return text % {"names": names}


def list_colleagues(
    worker: models.Worker, task: models.Task, *, search: str
) -> tuple[list[Colleague], bool]:
    """Return the workspace's other workers, available ones first, and whether there are more.

    Arguments:
        task: its channel decides whose slots are shown.
        search: a part of the names; an empty one finds all.
    """
    rows = models.Worker.objects.filter(workspace=worker.workspace_id).exclude(pk=worker.pk)
    if search:
        rows = rows.filter(friendly_name__icontains=search)
    found = list(
        rows.select_related("activity").order_by("-activity__available", "friendly_name", "pk")[
            : MOST_CHOICES + 1
        ]
    )
    shown = found[:MOST_CHOICES]
    channels = models.WorkerChannel.objects.filter(
        worker__in=shown, task_channel=task.task_channel_id
    )
    loads = {row.worker_id: row for row in channels}
    return [
        Colleague(
            sid=row.sid,
            name=row.friendly_name,
            activity=row.activity.friendly_name,
            available=row.activity.available,
            used=loads[row.pk].consumed if row.pk in loads else 0,
            capacity=loads[row.pk].configured_capacity if row.pk in loads else 0,
        )
        for row in shown
    ], len(found) > MOST_CHOICES


def list_queues(worker: models.Worker, *, search: str) -> tuple[list[Queue], bool]:
    """Return the queues of the workspace by name, and whether there are more."""
    rows = models.TaskQueue.objects.filter(workspace=worker.workspace_id)
    if search:
        rows = rows.filter(friendly_name__icontains=search)
    found = list(rows.order_by("friendly_name", "pk")[: MOST_CHOICES + 1])
    shown = found[:MOST_CHOICES]
    serving = staffing.find_available_by_queue(worker.workspace, shown)
    return [
        Queue(
            sid=row.sid,
            name=row.friendly_name,
            serving=sorted(each.friendly_name for each in serving[row.pk] if each.id != worker.pk),
        )
        for row in shown
    ], len(found) > MOST_CHOICES
