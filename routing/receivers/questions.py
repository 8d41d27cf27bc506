"""Ask the receivers of workflows about offers, and do what they answer."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from django.utils import timezone

from routing import models
from routing.actions import assignment_callbacks, callbacks
from routing.actions.assignment_callbacks import Reply
from routing.callbacks import posting
from routing.core.vocabulary import ReservationStatus
from routing.receivers import answers, rounds

logger = logging.getLogger(__name__)

LONGEST: Final = 5.0
"""Seconds that a receiver has for its answer, and its fallback for another."""
LONGEST_REST: Final = 5
"""Seconds between two rounds of questions to receivers that answer nothing.

An offer nobody can be asked about is withdrawn, and made again to the next worker: without a rest
a task would be given up, having been on offer too often, before a receiver is back from a restart.
"""


def run(workflow_sid: str, *, clock: rounds.Clock = timezone.now) -> None:
    """Ask a workflow's receiver what it is to be asked."""
    models.CallbackReceiver.objects.get_or_create(sid=workflow_sid)
    rounds.run(workflow_sid, lambda receiver: _round(receiver, clock), clock=clock)


def due(now: datetime) -> list[str]:
    """Return some of the workflows whose receivers are to be asked something now."""
    pending = models.AssignmentCallback.objects.pending()
    asked = set(pending.order_by().values_list("workflow_sid", flat=True).distinct())
    known = models.CallbackReceiver.objects.filter(sid__in=asked)
    new = sorted(asked.difference(known.values_list("sid", flat=True)))
    return [*new[: rounds.MOST_FRESH], *rounds.some(known.filter(callbacks.is_free(now)))]


def _round(receiver: models.CallbackReceiver, clock: rounds.Clock) -> bool:
    pending = models.AssignmentCallback.objects.pending().filter(workflow_sid=receiver.sid)
    questions = list(
        pending.select_related("reservation", "workspace__account").order_by("pk")[: rounds.SLOTS]
    )
    if not questions:
        return False
    stand = [each for each in questions if _stands(each)]
    for question in questions:
        if question not in stand:
            words = f"not asked: the offer was {question.reservation.reservation_status} before"
            reply = Reply(do="nothing", outcome=words)
            assignment_callbacks.conclude(question=question, reply=reply, now=clock())
    if not stand:
        return True
    tokens = {
        account.pk: rounds.auth_token(account)
        for account in {question.workspace.account for question in stand}
    }
    replies = rounds.at_once(lambda each: _ask(each, tokens[each.workspace.account_id]), stand)
    for question, reply in zip(stand, replies, strict=True):
        outcome, code = assignment_callbacks.conclude(question=question, reply=reply, now=clock())
        # Of a receiver that is away, once: there may be hundreds of offers.
        if code and (code != answers.NO_ANSWER or not receiver.failures):
            logger.warning(
                "assignment callback of %s: %s (error %d)",
                question.reservation.sid,
                outcome,
                code,
            )
    worked = any(reply.answered for reply in replies)
    callbacks.note_round(worked, receiver=receiver, longest=LONGEST_REST, now=clock())
    return True


def _stands(question: models.AssignmentCallback) -> bool:
    return question.reservation.reservation_status == ReservationStatus.PENDING


def _ask(question: models.AssignmentCallback, auth_token: str | None) -> Reply:
    """Ask the receiver, and where that comes to nothing its fallback."""
    if auth_token is None:
        return _nobody("the question cannot be signed: SECRET_KEY has changed", None)
    form = {"AccountSid": question.workspace.account.sid} | question.parameters
    form = {name: value for name, value in form.items() if value}
    failed: list[str] = []
    answer = None
    for url in filter(None, (question.url, question.fallback_url)):
        answer = posting.post(
            url,
            form,
            auth_token=auth_token,
            token=question.parameters["ReservationSid"],
            seconds=LONGEST,
        )
        if answers.is_usable(answer):
            return answers.read(answer)
        failed.append(answers.failure(answer))
    return _nobody("; the fallback: ".join(failed), None if answer is None else answer.status)


def _nobody(words: str, status: int | None) -> Reply:
    return Reply(
        do="cancel",
        outcome=f"the offer was withdrawn, as nobody answered: {words}",
        error_code=answers.NO_ANSWER,
        answered=False,
        status=status,
        answer=words,
    )
