"""Keep the state of callbacks: receivers, leases, attempts and deliveries to repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet

from routing import models
from routing.core.vocabulary import CallbackStatus

LEASE: Final = timedelta(seconds=25)
"""How long a dead runner blocks a receiver; longer than one round of requests takes."""
LONGEST_PAUSE: Final = 300
"""Longest pause between two attempts at one delivery, in seconds."""
LONGEST_REST: Final = 300
"""Longest rest of a receiver that accepts nothing, in seconds."""
POSTPONED: Final = timedelta(seconds=5)
"""Rest of a failing receiver for which the round had no capacity."""
PATIENT: Final = 2
"""Failed rounds after which a receiver rests for longer than a second."""

_PENDING: Final = CallbackStatus.PENDING.value
_DELIVERED: Final = CallbackStatus.DELIVERED.value
_FAILED: Final = CallbackStatus.FAILED.value


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt at a delivery.

    Arguments:
        status: the HTTP status, if an answer came.
        words: the answer, or why there is none.
    """

    delivery: models.CallbackDelivery
    succeeded: bool
    status: int | None
    words: str


def point_receiver(*, workspace: models.Workspace) -> None:
    """Direct events of a workspace, waiting ones too, to its present callback URL.

    Without a URL, waiting deliveries are given up.
    """
    url = workspace.event_callback_url
    receivers = models.CallbackReceiver.objects.filter(sid=workspace.sid)
    if url:
        fresh = {"url": url, "failures": 0, "rests_until": None}
        models.CallbackReceiver.objects.update_or_create(sid=workspace.sid, defaults=fresh)
    elif receivers.update(url=""):
        fail_deliveries(
            models.CallbackDelivery.objects.pending().filter(workspace_sid=workspace.sid),
            "the callback URL was removed",
        )


def fail_deliveries(deliveries: QuerySet[models.CallbackDelivery], words: str) -> int:
    """Mark deliveries as failed that will not be attempted again; return how many."""
    return deliveries.update(status=_FAILED, answer=words)


def fail_late_deliveries(
    deliveries: QuerySet[models.CallbackDelivery], patience: timedelta
) -> None:
    """Mark deliveries as failed that have waited too long; keep their last answer."""
    if not deliveries.exists():
        return
    hours = patience // timedelta(hours=1)
    fail_deliveries(
        deliveries.filter(answer=""), f"given up after {hours} hours without an attempt"
    )
    deliveries.update(status=_FAILED)


def lease_receiver(*, sid: str, now: datetime) -> models.CallbackReceiver | None:
    """Lease a receiver for the caller; return None while it is leased or rests."""
    rows = models.CallbackReceiver.objects.filter(sid=sid)
    if not rows.filter(free_condition(now)).update(leased_until=now + LEASE):
        return None
    return rows.first()


def free_condition(now: datetime) -> Q:
    """Return the condition for receivers that are neither leased nor resting."""
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    return free & (Q(rests_until=None) | Q(rests_until__lte=now))


def renew_lease(receiver: models.CallbackReceiver, *, now: datetime) -> bool:
    """Extend the lease of a receiver; return whether the caller still held it."""
    until = now + LEASE
    kept = _leased_rows(receiver).update(leased_until=until)
    receiver.leased_until = until
    return bool(kept)


def postpone_receiver(*, sid: str, now: datetime) -> None:
    """Pause a receiver for a moment, unless it is leased or rests already."""
    receivers = models.CallbackReceiver.objects.filter(free_condition(now), sid=sid)
    receivers.update(rests_until=now + POSTPONED)


def release_lease(receiver: models.CallbackReceiver) -> None:
    """Release the lease of a receiver, if the caller still holds it."""
    _leased_rows(receiver).update(leased_until=None)


def _leased_rows(receiver: models.CallbackReceiver) -> QuerySet[models.CallbackReceiver]:
    return models.CallbackReceiver.objects.filter(
        pk=receiver.pk, leased_until=receiver.leased_until
    )


@transaction.atomic
def record_attempts(
    attempts: Sequence[Attempt], *, receiver: models.CallbackReceiver, now: datetime
) -> None:
    """Store the results of a round of deliveries, and update their receiver.

    A receiver that accepts nothing, round after round, rests longer and longer. When it accepts
    something again, all deliveries that wait for it become due at once.
    """
    worked = any(attempt.succeeded for attempt in attempts)
    waited_for = receiver.failures > PATIENT
    # The receiver first, then its deliveries: this is the lock order of all who change both.
    record_round(worked, receiver=receiver, longest=LONGEST_REST, now=now)
    for attempt in attempts:
        _record_attempt(attempt, now)
    if worked and waited_for:
        models.CallbackDelivery.objects.pending().filter(
            workspace_sid=receiver.sid, date_due__gt=now
        ).update(date_due=now)


def record_round(
    worked: bool, *, receiver: models.CallbackReceiver, longest: int, now: datetime
) -> None:
    """Store whether a receiver answered in a round, and let it rest if not.

    Arguments:
        longest: the longest rest, in seconds.
    """
    receiver.failures = 0 if worked else receiver.failures + 1
    rest = 0 if worked else min(2 ** max(min(receiver.failures, 20) - PATIENT, 0), longest)
    receiver.rests_until = now + timedelta(seconds=rest) if rest else None
    models.CallbackReceiver.objects.filter(pk=receiver.pk).update(
        failures=receiver.failures, rests_until=receiver.rests_until
    )


def _record_attempt(attempt: Attempt, now: datetime) -> None:
    made = attempt.delivery.attempts + 1
    pause = timedelta(seconds=min(2 ** min(made - 1, 20), LONGEST_PAUSE))
    models.CallbackDelivery.objects.filter(pk=attempt.delivery.pk, status=_PENDING).update(
        status=_DELIVERED if attempt.succeeded else _PENDING,
        attempts=F("attempts") + 1,
        date_due=now if attempt.succeeded else now + pause,
        date_answered=now,
        answer_status=attempt.status,
        answer=attempt.words[:500],
    )


@transaction.atomic
def resend_deliveries(*, deliveries: QuerySet[models.CallbackDelivery], now: datetime) -> set[str]:
    """Make deliveries due again at once, whatever their status.

    Returns the sids of the workspaces whose receivers are to be called after the commit.
    """
    keys = list(deliveries.values_list("pk", flat=True))
    chosen = models.CallbackDelivery.objects.filter(pk__in=keys)
    found = set(chosen.values_list("workspace_sid", flat=True))
    models.CallbackReceiver.objects.filter(sid__in=found).update(rests_until=None)
    # They get the same time as new deliveries.
    chosen.update(status=_PENDING, date_created=now, date_due=now)
    return found
