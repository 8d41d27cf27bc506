"""Post to a receiver in rounds: one runner at a time, a few posts in parallel.

So a slow receiver takes no more than its share of a runner, and deliveries keep their order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery

from routing import models, secretbox
from routing.actions import callbacks
from routing.webhook_delivery import host_slots
from routing.webhooks import queue

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
Clock = Callable[[], datetime]
Round = Callable[[models.CallbackReceiver], bool]
"""Post some of the due callbacks; return whether there were any."""

SLOTS: Final = 8
"""Number of parallel posts to one receiver."""
MOST_FRESH: Final = 40
"""Working receivers that one sweep starts jobs for."""
MOST_FAILING: Final = 10
"""Failing receivers that one sweep starts jobs for."""
TURN_SECONDS: Final = 5.0
"""Seconds after which a receiver with more due callbacks queues behind the others."""


def run_rounds(sid: str, do_round: Round, *, clock: Clock) -> None:
    """Post a receiver's due callbacks, unless it is leased or paused, or no slot is free."""
    request = _slot_request(sid)
    if request is None:
        return
    with host_slots.process_slots.hold_slot(request) as is_free:
        if is_free:
            _run_leased(sid, request.host, do_round, clock)
        elif request.has_failed or host_slots.process_slots.is_suspect(request.host):
            # It is not urgent, so the sweep need not retry every second.
            callbacks.postpone_receiver(sid=sid, now=clock())


def choose_receivers(receivers: QuerySet[models.CallbackReceiver]) -> list[str]:
    """Return a random choice of these receivers, as many as one sweep should start jobs for.

    With more jobs than slots, all of them together would only delay new ones.
    """
    sids = receivers.order_by("?").values_list("sid", flat=True)
    return [*sids.filter(failures=0)[:MOST_FRESH], *sids.filter(failures__gt=0)[:MOST_FAILING]]


def _slot_request(sid: str) -> host_slots.SlotRequest | None:
    """Return the slot that a receiver needs; None if there is no such receiver."""
    kind = host_slots.EVENTS if sid.startswith("WS") else host_slots.QUESTIONS
    workspaces = models.Workspace.objects.filter(sid=OuterRef("sid"))
    workflows = models.Workflow.objects.filter(sid=OuterRef("sid"))
    account: Any = workspaces.values("account_id")
    url: Any = F("url")
    if kind == host_slots.QUESTIONS:
        account = workflows.values("workspace__account_id")
        url = Subquery(workflows.values("assignment_callback_url")[:1])
    receivers = models.CallbackReceiver.objects.filter(sid=sid)
    row = receivers.values_list("failures", url, Subquery(account[:1])).first()
    if row is None:
        return None
    failures, url, account = row
    host = urlsplit(url or "").netloc.rpartition("@")[2].lower()
    return host_slots.SlotRequest(
        kind, account=str(account or sid), host=host, has_failed=failures > 0
    )


def _run_leased(sid: str, host: str, do_round: Round, clock: Clock) -> None:
    receiver = callbacks.lease_receiver(sid=sid, now=clock())
    if receiver is None:
        return
    is_unfinished = False
    began_at = time.monotonic()
    try:
        queue.begin_job(sid)
        while do_round(receiver) and receiver.rests_until is None:
            if time.monotonic() >= began_at + TURN_SECONDS:
                is_unfinished = True
                break
            if not callbacks.renew_lease(receiver, now=clock()):
                return
    finally:
        callbacks.release_lease(receiver)
        seconds = time.monotonic() - began_at
        host_slots.process_slots.record_round(
            host, has_failed=receiver.failures > 0, seconds=seconds
        )
    queue.finish_job(sid, is_unfinished=is_unfinished)


def map_in_parallel(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Run the same function on several items in parallel, and return the results.

    The function must not use the database.
    """
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()  # returned to the pool for other threads
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(len(items), thread_name_prefix="callback") as pool:
        return list(pool.map(work, items))


def decrypt_auth_token(account: models.Account) -> str | None:
    """Return the token that signs callbacks; None if no current SECRET_KEY can decrypt it."""
    try:
        return secretbox.unseal(account.sealed_auth_token)
    except InvalidToken:
        logger.error("callbacks of %s cannot be signed: SECRET_KEY has changed", account.sid)
        return None
