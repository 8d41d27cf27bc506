"""Do what was answered to a question about an offer: once, and only while the offer stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.db import transaction

from routing import event_data, events, models, sids
from routing.actions import reservations, stories
from routing.actions.errors import NotNow, StaleState
from routing.actors import Actor
from routing.callbacks import destinations
from routing.core.vocabulary import CallbackStatus, EventType, ReservationStatus

INVALID_ACTIVITY: Final = 40100
_READ_WITH: Final = (
    "workspace",
    "worker__activity",
    "task__task_channel",
    "task__task_queue",
    "task__workflow",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a question came to.

    Arguments:
        do: what becomes of the offer.
        outcome: the same in words, for people.
        error_code: the number by which what was wrong is known; 0: nothing was.
        activity_sid: where a worker goes for whom the offer is rejected, if anywhere.
        answered: whether anybody answered at all.
        status: the HTTP status of what they answered.
        answer: its beginning, or why there is none.
    """

    do: Literal["nothing", "accept", "reject", "cancel"]
    outcome: str
    error_code: int = 0
    activity_sid: str | None = None
    answered: bool = True
    status: int | None = None
    answer: str = ""


def conclude(
    *, question: models.AssignmentCallback, reply: Reply, now: datetime
) -> tuple[str, int]:
    """Carry out a reply and write it down in one transaction; return its outcome and error code.

    A question that somebody else has concluded stays as it is. An offer that was answered or has
    ended meanwhile stays so too, and the reply is noted as too late.
    """
    try:
        return _conclude(question, reply, now)
    except (NotNow, StaleState) as error:
        late = error.message
    _write(question, reply, outcome=f"too late: {late}", error_code=0, now=now)
    return f"too late: {late}", 0


@transaction.atomic
def _conclude(question: models.AssignmentCallback, reply: Reply, now: datetime) -> tuple[str, int]:
    rows = models.Reservation.objects.select_related(*_READ_WITH)
    reservation = rows.filter(pk=question.reservation_id).first()
    if reservation is None:
        raise StaleState("the offer was deleted meanwhile")
    outcome, error_code = _carry_out(question, reservation, reply, now)
    # After the offer's rows, in the order in which everybody locks: of two who conclude the same
    # question, the second undoes what it did.
    if not _write(question, reply, outcome=outcome, error_code=error_code, now=now):
        raise StaleState("somebody else has concluded it")
    if error_code:
        _record(question, reservation, outcome, error_code, now)
    return outcome, error_code


def _carry_out(
    question: models.AssignmentCallback,
    reservation: models.Reservation,
    reply: Reply,
    now: datetime,
) -> tuple[str, int]:
    actor = _actor(question)
    if reply.do == "accept":
        reservations.accept_reservation(reservation=reservation, actor=actor, now=now)
    elif reply.do == "cancel":
        cancel_offer(reservation=reservation, actor=actor, now=now)
    elif reply.do == "reject":
        activity = None
        if reply.activity_sid is not None:
            here = models.Activity.objects.filter(workspace=reservation.workspace)
            if sids.is_valid(reply.activity_sid, "WA"):
                activity = here.filter(sid=reply.activity_sid).first()
            if activity is None:
                words = f"nothing: {reply.activity_sid[:40]!r} is no activity of this workspace"
                return words, INVALID_ACTIVITY
        reservations.reject_reservation(
            reservation=reservation, activity=activity, actor=actor, now=now
        )
    return reply.outcome, reply.error_code


@stories.retold
def cancel_offer(*, reservation: models.Reservation, actor: Actor, now: datetime) -> None:
    """Withdraw an offer about which nobody could be asked; the worker stays where they are.

    Raises `StaleState` when it was answered meanwhile.
    """
    story = stories.hold(reservation.task_id)
    current = story.open_reservation(reservation.sid)
    if current is None or current.reservation_status != ReservationStatus.PENDING:
        raise StaleState(f"reservation {reservation.sid} was answered meanwhile")
    reservations.move(story, current, ReservationStatus.CANCELED, actor=actor, now=now)


def _write(
    question: models.AssignmentCallback,
    reply: Reply,
    *,
    outcome: str,
    error_code: int,
    now: datetime,
) -> bool:
    status = CallbackStatus.DELIVERED if reply.answered else CallbackStatus.FAILED
    rows = models.AssignmentCallback.objects.pending().filter(pk=question.pk)
    written = rows.update(
        status=status.value,
        date_answered=now,
        answer_status=reply.status,
        answer=reply.answer[:500],
        outcome=outcome[:500],
        error_code=error_code,
    )
    return bool(written)


def _record(
    question: models.AssignmentCallback,
    reservation: models.Reservation,
    outcome: str,
    error_code: int,
    now: datetime,
) -> None:
    """Record what was wrong, so that whoever wrote the receiver finds it among the events."""
    more: event_data.EventData = {
        "callback_url": destinations.shown(question.url),
        "error_code": str(error_code),
        "error_message": outcome,
    }
    # As it is now: what was done above has changed its status and its version.
    reservation.refresh_from_db(fields=["reservation_status", "version"])
    events.record(
        EventType.RESERVATION_CALLBACK_FAILED,
        workspace=reservation.workspace,
        resource_sid=reservation.sid,
        data=event_data.of_reservation(reservation) | more,
        actor=_actor(question),
        now=now,
    )


def _actor(question: models.AssignmentCallback) -> Actor:
    return Actor(type="callback", sid=question.workflow_sid, source="callback")
