"""Transfers on the desk: the possible receivers of a task, and the tasks under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from routing import models
from routing.actions import transfers
from routing.core.vocabulary import ReservationStatus, TransferStatus

MOST_CHOICES: Final = 100
"""Maximum number of colleagues, and of queues, that are shown to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferState:
    """The state of a transfer: `accepted` once the receiver has accepted the task."""

    to: str
    accepted: bool


def load_transfers(rows: Iterable[models.Reservation]) -> dict[int, TransferState]:
    """Return the transfers of these reservations, by the reservations' ids."""
    outgoing = {row.pk: row.outgoing for row in rows if row.outgoing is not None}
    names = _names({transfer.transfer_to for transfer in outgoing.values()}) if outgoing else {}
    return {
        pk: TransferState(
            to=names.get(transfer.transfer_to, "a deleted colleague or queue"),
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


def find_held_reservation(worker: models.Worker, task_sid: str) -> models.Reservation | None:
    """Return the agent's accepted reservation of this task."""
    rows = worker.reservations.filter(
        task__sid=task_sid, reservation_status=ReservationStatus.ACCEPTED.value
    )
    return rows.select_related(
        "workspace", "outgoing", "task__task_channel", "task__task_queue"
    ).first()


def may_transfer(reservation: models.Reservation) -> bool:
    """Return whether an agent's task, loaded with its channel, can be transferred."""
    accepted = reservation.reservation_status == ReservationStatus.ACCEPTED
    return accepted and reservation.outgoing_id is None and not transfers.is_call(reservation.task)


def list_colleagues(worker: models.Worker) -> list[models.Worker]:
    """Return the workspace's other available workers, by name."""
    rows = models.Worker.objects.filter(workspace=worker.workspace_id, activity__available=True)
    others = rows.exclude(pk=worker.pk).select_related("activity")
    return list(others.order_by("friendly_name", "pk")[:MOST_CHOICES])


def list_queues(worker: models.Worker) -> list[models.TaskQueue]:
    """Return the queues of the workspace, by name."""
    rows = models.TaskQueue.objects.filter(workspace=worker.workspace_id)
    return list(rows.order_by("friendly_name", "pk")[:MOST_CHOICES])
