"""Apply the reply to an assignment callback: once, and only while its offer is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.db import transaction

from routing import models, sids
from routing.actions import reservations
from routing.actions.support.errors import NotNow, StaleState
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.vocabulary import CallbackStatus
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.webhooks import destinations

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
    """The result of an assignment callback.

    Arguments:
        do: what to do with the offer.
        outcome: the same as text for people.
        error_code: the number of the error in the reply; 0 for none.
        activity_sid: the activity for a worker whose offer is rejected, if the reply gives one.
        answered: whether any receiver answered.
        status: the HTTP status of the answer.
        answer: the beginning of the answer, or why there is none.
    """

    do: Literal["nothing", "accept", "reject", "cancel"]
    outcome: str
    error_code: int = 0
    activity_sid: str | None = None
    answered: bool = True
    status: int | None = None
    answer: str = ""


def apply_reply(
    *, question: models.AssignmentCallback, reply: Reply, now: datetime
) -> tuple[str, int]:
    """Apply a reply and store it in one transaction; return its outcome and error code.

    A callback that is concluded already stays as it is. An offer that has been answered or has
    ended stays too, and the reply is stored as too late.
    """
    try:
        return _apply_and_store(question, reply, now)
    except (NotNow, StaleState) as error:
        late = error.message
    _store_reply(question, reply, outcome=f"too late: {late}", error_code=0, now=now)
    return f"too late: {late}", 0


@transaction.atomic
def _apply_and_store(
    question: models.AssignmentCallback, reply: Reply, now: datetime
) -> tuple[str, int]:
    rows = models.Reservation.objects.select_related(*_READ_WITH)
    reservation = rows.filter(pk=question.reservation_id).first()
    if reservation is None:
        raise StaleState("the offer was deleted")
    outcome, error_code = _act_on_offer(question, reservation, reply, now)
    # Written after the offer's rows, to keep the lock order. Of two processes that conclude the
    # same callback, the second rolls back.
    if not _store_reply(question, reply, outcome=outcome, error_code=error_code, now=now):
        raise StaleState("the callback was already concluded by another process")
    if error_code:
        _record(question, reservation, outcome, error_code, now)
    return outcome, error_code


def _act_on_offer(
    question: models.AssignmentCallback,
    reservation: models.Reservation,
    reply: Reply,
    now: datetime,
) -> tuple[str, int]:
    actor = _actor(question)
    if reply.do == "accept":
        reservations.accept_reservation(reservation=reservation, actor=actor, now=now)
    elif reply.do == "cancel":
        reservations.cancel_offer(reservation=reservation, actor=actor, now=now)
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


def _store_reply(
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
    """Record an error in the reply, so that the receiver's authors find it among the events."""
    more: EventData = {
        "callback_url": destinations.redact_url(question.url),
        "error_code": str(error_code),
        "error_message": outcome,
    }
    # Read again, because applying the reply has changed its status and its version.
    reservation.refresh_from_db(fields=["reservation_status", "version"])
    recorder.record(
        EventType.RESERVATION_CALLBACK_FAILED,
        workspace=reservation.workspace,
        resource_sid=reservation.sid,
        data=payloads.describe_reservation(reservation) | more,
        actor=_actor(question),
        now=now,
    )


def _actor(question: models.AssignmentCallback) -> Actor:
    return Actor(type="callback", sid=question.workflow_sid, source="callback")
