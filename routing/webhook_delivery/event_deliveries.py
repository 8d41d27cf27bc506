"""Post events to the receivers of workspaces, in order per task, until accepted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from routing import instruments, models
from routing.actions import callbacks
from routing.actions.callbacks import Attempt
from routing.webhook_delivery import loop
from routing.webhooks import destinations, forms, http_client

logger = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 15.0
"""Seconds that a receiver has to answer."""


def post_due_events(workspace_sid: str, *, clock: loop.Clock = timezone.now) -> None:
    """Post the due events of a workspace to its receiver."""
    loop.run_rounds(workspace_sid, lambda receiver: _post_round(receiver, clock), clock=clock)


def list_due_workspaces(now: datetime) -> list[str]:
    """Return some of the workspaces with deliveries that may be posted now."""
    owed = models.CallbackDelivery.objects.pending().filter(
        workspace_sid=OuterRef("sid"), date_due__lte=now
    )
    free = models.CallbackReceiver.objects.filter(callbacks.free_condition(now))
    return loop.choose_receivers(free.filter(Exists(owed)))


def _post_round(receiver: models.CallbackReceiver, clock: loop.Clock) -> bool:
    now = clock()
    patience = timedelta(hours=settings.CALLBACK_RETRY_HOURS)
    owed = models.CallbackDelivery.objects.pending().filter(workspace_sid=receiver.sid)
    callbacks.fail_late_deliveries(owed.filter(date_created__lt=now - patience), patience)
    # A receiver that failed last time first gets a single event as a probe.
    chosen = load_next_deliveries(receiver.sid, now)[: 1 if receiver.failures else loop.SLOTS]
    if not chosen:
        return False
    events = models.Event.objects.select_related("account").in_bulk(
        [each.event_id for each in chosen]
    )
    tokens = {
        account.pk: loop.decrypt_auth_token(account)
        for account in {event.account for event in events.values()}
    }
    attempts = loop.map_in_parallel(
        lambda each: _post_event(receiver.url, each, events, tokens), chosen
    )
    for attempt in attempts:
        instruments.count_callback("event", is_taken=attempt.succeeded)
    failures = receiver.failures
    callbacks.record_attempts(attempts, receiver=receiver, now=clock())
    _log_change(receiver, failures, attempts)
    return True


def _log_change(
    receiver: models.CallbackReceiver, failures: int, attempts: Sequence[Attempt]
) -> None:
    """Log once that a receiver fails, and once that it works again."""
    url = destinations.redact_url(receiver.url)
    if receiver.failures == 1:
        logger.warning(
            "event callbacks of %s: %s failed (%s)", receiver.sid, url, attempts[0].words
        )
    elif failures and not receiver.failures:
        logger.info("event callbacks of %s: %s works again", receiver.sid, url)


def load_next_deliveries(workspace_sid: str, now: datetime) -> list[models.CallbackDelivery]:
    """Return the deliveries to post now, longest due first, and only the first per order key."""
    owed = models.CallbackDelivery.objects.pending().filter(workspace_sid=workspace_sid)
    before = models.CallbackDelivery.objects.pending().filter(
        workspace_sid=workspace_sid, order_key=OuterRef("order_key"), pk__lt=OuterRef("pk")
    )
    due = owed.filter(~Exists(before), date_due__lte=now)
    return list(due.order_by("date_due", "pk")[: loop.SLOTS])


def _post_event(
    url: str,
    delivery: models.CallbackDelivery,
    events: Mapping[int, models.Event],
    tokens: Mapping[int, str | None],
) -> Attempt:
    event = events.get(delivery.event_id)
    if event is None:
        return Attempt(delivery, False, None, "its event was deleted")
    token = tokens[event.account_id]
    if token is None:
        return Attempt(delivery, False, None, "it cannot be signed: SECRET_KEY has changed")
    answer = http_client.post_form(
        url,
        forms.build_event_form(event, account_sid=event.account.sid),
        auth_token=token,
        token=event.sid,
        seconds=ANSWER_SECONDS,
    )
    return Attempt(delivery, answer.succeeded, answer.status, answer.words)
