"""Ends of a task's stay in a queue, and how a cancellation is told apart."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from routing.core.decisions import Reason


class StayEnd(StrEnum):
    """What ended the stay of a task in a queue.

    A stay begins when the task enters the queue, and ends in exactly one of these ways.
    """

    ANSWERED = "answered"  # a worker accepted it, the first to do so
    ANSWERED_AGAIN = "answered_again"  # accepted after it had been taken back from a worker
    ABANDONED = "abandoned"  # the customer gave up, as a program reports
    WITHDRAWN = "withdrawn"  # a program canceled it for a reason such as a duplicate
    CANCELED_LATER = "canceled_later"  # a program canceled it after it had been taken back
    CANCELED_BY_STAFF = "canceled_by_staff"  # a person canceled it
    EXPIRED = "expired"  # its lifetime, or the number of its offers, was used up
    FELL_OUT = "fell_out"  # its workflow had no step for it any more
    MOVED = "moved"  # it went to another queue
    CHANNEL_LEFT = "channel_left"  # its channel changed, so that it goes on under another
    DELETED = "deleted"  # it was deleted while it waited


STAFF: Final = frozenset({"user", "worker"})
"""Types of actors that are persons."""
_FELL_OUT: Final = frozenset({Reason.WORKFLOW_TIMEOUT, Reason.WORKFLOW_SKIPPED, Reason.NO_FILTER})


def classify_cancellation(
    *,
    actor_type: str,
    reason: str | None,
    answered_before: bool = False,
    withdrawn_reasons: Collection[str] = (),
) -> StayEnd:
    """Return as what a canceled task's stay ends.

    Arguments:
        actor_type: the type of the actor who canceled it.
        answered_before: whether a worker had accepted it before it waited again.
        withdrawn_reasons: the workspace's reasons that are no abandonment.
    """
    if reason == Reason.EXPIRED:
        return StayEnd.EXPIRED
    if reason in _FELL_OUT:
        return StayEnd.FELL_OUT
    if actor_type in STAFF or actor_type == "system":
        return StayEnd.CANCELED_BY_STAFF
    if (reason or "").strip() in withdrawn_reasons:
        return StayEnd.WITHDRAWN
    return StayEnd.CANCELED_LATER if answered_before else StayEnd.ABANDONED
