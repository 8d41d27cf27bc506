"""Do a creation once, however often a client repeats the request.

The key and the answer are stored in the transaction that creates. Of two simultaneous requests with
one key the unique constraint lets one through; the other waits for it and gets its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, OperationalError, connection, transaction

from routing import models
from routing.actions.support.errors import ActionError

LIFETIME: Final = timedelta(days=1)
WAIT_MS: Final = 3_000
"""How long a request waits for another one with the same key, in milliseconds."""
ATTEMPTS: Final = 3
_LOCK_NOT_AVAILABLE: Final = "55P03"


class KeyReused(ActionError):
    """The idempotency key was used for another request; use a new key for every creation."""


class KeyInUse(ActionError):
    """A request with this idempotency key is in progress; repeat it in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A request that creates and may be repeated by its client.

    Arguments:
        scope: the sid of the worker whose token is used; empty for all other callers.
        digest: a hash of the whole request.
    """

    account: models.Account
    key: str
    digest: str
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a request.

    Arguments:
        repeated: whether an earlier request got this answer.
    """

    status: int
    body: str
    etag: str = ""
    repeated: bool = False


class _Taken(Exception):
    """Another request has stored its answer under the same key."""


def answer_once(creation: Creation, create: Callable[[], Answer], *, now: datetime) -> Answer:
    """Return the answer to a creation, which `create` does unless it was done before.

    Errors of `create` are raised and nothing is stored, so the request may be repeated.
    Raises `KeyReused` for a key of another request, `KeyInUse` when that one takes too long.
    """
    for _ in range(ATTEMPTS):
        found = find_key(creation)
        if found is not None and found.date_created > now - LIFETIME:
            if found.digest != creation.digest:
                raise KeyReused
            return Answer(status=found.status, body=found.body, etag=found.etag, repeated=True)
        try:
            with transaction.atomic():
                row = _claim(creation, instead_of=found, now=now)
                answer = create()
                row.status, row.body, row.etag = answer.status, answer.body, answer.etag
                row.save(update_fields=["status", "body", "etag"])
        except _Taken:
            continue
        return answer
    raise KeyInUse


def find_key(creation: Creation) -> models.IdempotencyKey | None:
    """Return the stored key of a creation, if any."""
    rows = models.IdempotencyKey.objects.filter(
        account=creation.account, scope=creation.scope, key=creation.key
    )
    return rows.first()


def _claim(
    creation: Creation, *, instead_of: models.IdempotencyKey | None, now: datetime
) -> models.IdempotencyKey:
    """Store a key before its creation is done; raises `_Taken` if another request did."""
    if instead_of is not None:
        instead_of.delete()
    row = models.IdempotencyKey(
        account=creation.account,
        scope=creation.scope,
        key=creation.key,
        digest=creation.digest,
        status=0,
        date_created=now,
    )
    try:
        with _limited_wait():
            row.save(force_insert=True)
    except IntegrityError:
        raise _Taken from None
    return row


@contextmanager
def _limited_wait() -> Iterator[None]:
    """Limit how long PostgreSQL waits for the transaction that holds the key.

    On SQLite every transaction has such a limit already.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
        try:
            yield
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise KeyInUse from None
            raise
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
