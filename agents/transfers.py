"""Say to whom a task may be handed on, and which tasks are on their way to somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from routing import models
from routing.actions import transfers
from routing.core.vocabulary import ReservationStatus, TransferStatus

MOST: Final = 100
"""How many colleagues, and how many queues, are shown to choose from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """Where the handing on of a task is: `taken` once the other has accepted it."""

    to: str
    taken: bool


def handings(rows: Iterable[models.Reservation]) -> dict[int, Handing]:
    """Return, by their ids, to whom these reservations are handed on."""
    moving = {row.pk: row.outgoing for row in rows if row.outgoing is not None}
    names = _names({transfer.transfer_to for transfer in moving.values()}) if moving else {}
    return {
        pk: Handing(
            to=names.get(transfer.transfer_to, "somebody"),
            taken=transfer.transfer_status == TransferStatus.COMPLETE,
        )
        for pk, transfer in moving.items()
    }


def _names(sids: Iterable[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for model in (models.Worker, models.TaskQueue):
        rows = model._default_manager.filter(sid__in=sids)
        found |= dict(rows.values_list("sid", "friendly_name"))
    return found


def in_hand(worker: models.Worker, task_sid: str) -> models.Reservation | None:
    """Return what an agent has accepted of this task."""
    rows = worker.reservations.filter(
        task__sid=task_sid, reservation_status=ReservationStatus.ACCEPTED.value
    )
    return rows.select_related(
        "workspace", "outgoing", "task__task_channel", "task__task_queue"
    ).first()


def may_begin(reservation: models.Reservation) -> bool:
    """Tell whether a task in hand, read with its channel, can be handed on."""
    accepted = reservation.reservation_status == ReservationStatus.ACCEPTED
    return accepted and reservation.outgoing_id is None and not transfers.is_call(reservation.task)


def colleagues(worker: models.Worker) -> list[models.Worker]:
    """Return who else of the workspace takes work now, by name."""
    rows = models.Worker.objects.filter(workspace=worker.workspace_id, activity__available=True)
    others = rows.exclude(pk=worker.pk).select_related("activity")
    return list(others.order_by("friendly_name", "pk")[:MOST])


def queues(worker: models.Worker) -> list[models.TaskQueue]:
    """Return the queues of the workspace, by name."""
    rows = models.TaskQueue.objects.filter(workspace=worker.workspace_id)
    return list(rows.order_by("friendly_name", "pk")[:MOST])
