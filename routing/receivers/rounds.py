"""Post to a receiver round by round: one runner at a time, a few posts at once.

So no receiver, however slow, takes more than its share of a runner, and what is owed to it in an
order keeps that order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, TypeVar

from cryptography.fernet import InvalidToken
from django.db import connection

from routing import models, secretbox
from routing.actions import callbacks
from routing.callbacks import calls

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
Clock = Callable[[], datetime]
Round = Callable[[models.CallbackReceiver], bool]
"""Posts some of what is owed; tells whether there was anything."""

SLOTS: Final = 8
"""How much is posted to one receiver at once."""
_TURN: Final = 5.0
"""Seconds after which a receiver that is owed more queues behind the others."""


def run(sid: str, do_round: Round, *, clock: Clock) -> None:
    """Post what a receiver is owed, unless somebody does already or it rests."""
    receiver = callbacks.lease(sid=sid, now=clock())
    if receiver is None:
        return
    unfinished = False
    give_up_at = time.monotonic() + _TURN
    try:
        calls.clear(sid)
        while do_round(receiver) and receiver.rests_until is None:
            if time.monotonic() >= give_up_at:
                unfinished = True
                break
            if not callbacks.renew(receiver, now=clock()):
                return
    finally:
        callbacks.release(receiver)
    calls.call_again(sid, unfinished=unfinished)


def at_once(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the same to several, none of which touches the database, and return what came of each."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()  # given back to the pool: others have a use for it meanwhile
    if len(items) == 1:
        return [work(items[0])]
    with ThreadPoolExecutor(len(items), thread_name_prefix="callback") as pool:
        return list(pool.map(work, items))


def auth_token(account: models.Account) -> str | None:
    """Return what callbacks are signed with; None when it was sealed under another SECRET_KEY."""
    try:
        return secretbox.unseal(account.sealed_auth_token)
    except InvalidToken:
        logger.error("callbacks of %s cannot be signed: SECRET_KEY is not what it was", account.sid)
        return None
