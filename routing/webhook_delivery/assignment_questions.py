"""Send assignment callbacks to the receivers of workflows, and apply their answers."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from django.utils import timezone

from routing import instruments, models
from routing.actions import assignment_callbacks, callbacks
from routing.actions.assignment_callbacks import Reply
from routing.core.vocabulary import ReservationStatus
from routing.webhook_delivery import answers, loop
from routing.webhooks import http_client

logger = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 5.0
"""Seconds that a receiver has for its answer; the fallback gets as many again."""
LONGEST_REST_SECONDS: Final = 5
"""Seconds between two rounds of callbacks to receivers that do not answer.

An offer whose receiver does not answer is withdrawn and made to the next worker. Without a pause, a
task would reach the limit of offers before a receiver is back from a restart.
"""


def send_due_questions(workflow_sid: str, *, clock: loop.Clock = timezone.now) -> None:
    """Send the due assignment callbacks of a workflow."""
    models.CallbackReceiver.objects.get_or_create(sid=workflow_sid)
    loop.run_rounds(workflow_sid, lambda receiver: _send_round(receiver, clock), clock=clock)


def list_due_workflows(now: datetime) -> list[str]:
    """Return some of the workflows with assignment callbacks that may be sent now."""
    pending = models.AssignmentCallback.objects.pending()
    waiting = set(pending.order_by().values_list("workflow_sid", flat=True).distinct())
    known = models.CallbackReceiver.objects.filter(sid__in=waiting)
    new = sorted(waiting.difference(known.values_list("sid", flat=True)))
    return [
        *new[: loop.MOST_FRESH],
        *loop.choose_receivers(known.filter(callbacks.free_condition(now))),
    ]


def _send_round(receiver: models.CallbackReceiver, clock: loop.Clock) -> bool:
    pending = models.AssignmentCallback.objects.pending().filter(workflow_sid=receiver.sid)
    questions = list(
        pending.select_related("reservation", "workspace__account").order_by("pk")[: loop.SLOTS]
    )
    if not questions:
        return False
    open_questions = [each for each in questions if _is_pending(each)]
    for question in questions:
        if question not in open_questions:
            words = f"not sent: the offer was already {question.reservation.reservation_status}"
            reply = Reply(do="nothing", outcome=words)
            assignment_callbacks.apply_reply(question=question, reply=reply, now=clock())
    if not open_questions:
        return True
    tokens = {
        account.pk: loop.decrypt_auth_token(account)
        for account in {question.workspace.account for question in open_questions}
    }
    replies = loop.map_in_parallel(
        lambda each: _call_receiver(each, tokens[each.workspace.account_id]), open_questions
    )
    for question, reply in zip(open_questions, replies, strict=True):
        outcome, code = assignment_callbacks.apply_reply(
            question=question, reply=reply, now=clock()
        )
        # Logged once for a receiver that is down, as there may be hundreds of offers.
        if code and (code != answers.NO_ANSWER or not receiver.failures):
            logger.warning(
                "assignment callback of %s: %s (error %d)",
                question.reservation.sid,
                outcome,
                code,
            )
    for reply in replies:
        instruments.count_callback("assignment", is_taken=reply.answered)
    is_answered = any(reply.answered for reply in replies)
    callbacks.record_round(
        is_answered, receiver=receiver, longest=LONGEST_REST_SECONDS, now=clock()
    )
    return True


def _is_pending(question: models.AssignmentCallback) -> bool:
    return question.reservation.reservation_status == ReservationStatus.PENDING


def _call_receiver(question: models.AssignmentCallback, auth_token: str | None) -> Reply:
    """Call the receiver, and if that fails its fallback."""
    if auth_token is None:
        return _withdrawal("the callback cannot be signed: SECRET_KEY has changed", None)
    form = {"AccountSid": question.workspace.account.sid} | question.parameters
    form = {name: value for name, value in form.items() if value}
    failed: list[str] = []
    answer = None
    for url in filter(None, (question.url, question.fallback_url)):
        answer = http_client.post_form(
            url,
            form,
            auth_token=auth_token,
            token=question.parameters["ReservationSid"],
            seconds=ANSWER_SECONDS,
        )
        if answers.is_usable(answer):
            return answers.parse_reply(answer)
        failed.append(answers.describe_failure(answer))
    return _withdrawal("; the fallback: ".join(failed), None if answer is None else answer.status)


def _withdrawal(words: str, status: int | None) -> Reply:
    return Reply(
        do="cancel",
        outcome=f"the offer was withdrawn, as no valid answer came: {words}",
        error_code=answers.NO_ANSWER,
        answered=False,
        status=status,
        answer=words,
    )
