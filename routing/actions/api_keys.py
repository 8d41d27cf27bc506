"""Create and revoke API keys, and record their last use."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from routing import models, secretbox, sids
from routing.actions.support import inputs
from routing.actions.support.errors import InvalidInput, StaleState

NOTED_EVERY: Final = timedelta(minutes=1)
"""Precision of a key's last use: recording it more often would cost every request a write."""


@transaction.atomic
def create_api_key(
    *,
    account: models.Account,
    friendly_name: str,
    now: datetime,
    sid: str | None = None,
    secret: str | None = None,
) -> tuple[models.ApiKey, str]:
    """Create a key; return it with its secret in clear, which is shown only once.

    Raises `InvalidInput` for a sid that is malformed or taken.
    """
    sid = sid or sids.new_sid("SK")
    secret = secret or secrets.token_hex(16)
    if not sids.is_valid(sid, "SK"):
        raise InvalidInput(f"{sid!r} is not a key sid: SK and 32 hexadecimal digits", field="sid")
    with inputs.refuse_duplicates(f"the API key {sid} exists already", field="sid"):
        key = models.ApiKey.objects.create(
            sid=sid,
            account=account,
            friendly_name=inputs.check_name(friendly_name),
            sealed_secret=secretbox.seal(secret),
            date_created=now,
            date_updated=now,
        )
    return key, secret


def revoke_api_key(*, key: models.ApiKey, now: datetime) -> None:
    """Revoke a key at once; raises `StaleState` when it is revoked already."""
    revoked = models.ApiKey.objects.filter(pk=key.pk, date_revoked=None).update(
        date_revoked=now, date_updated=now
    )
    if not revoked:
        raise StaleState(f"the API key {key.sid} is revoked already")


def record_use(*, key: models.ApiKey, now: datetime) -> None:
    """Record that a loaded key was used; at most once a minute."""
    if key.date_last_used is None or now - key.date_last_used >= NOTED_EVERY:
        record_use_by_sid(key_sid=key.sid, now=now)


def record_use_by_sid(*, key_sid: str, now: datetime) -> None:
    """Record that a key was used to sign something; at most once a minute."""
    long_ago = Q(date_last_used=None) | Q(date_last_used__lte=now - NOTED_EVERY)
    models.ApiKey.objects.filter(long_ago, sid=key_sid).update(date_last_used=now)
