"""Create accounts, and renew what they are known by."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from routing import models, secretbox, sids
from routing.actions import inputs
from routing.actions.errors import InvalidInput


@transaction.atomic
def create_account(
    *, friendly_name: str, now: datetime, sid: str | None = None, auth_token: str | None = None
) -> tuple[models.Account, str]:
    """Create an account; return it with its auth token in clear, which is shown this once.

    Arguments:
        sid, auth_token: use these instead of fresh random ones.

    Raises `InvalidInput` for a sid that is malformed or taken.
    """
    sid = sid or sids.new("AC")
    auth_token = auth_token or secrets.token_hex(16)
    if not sids.is_valid(sid, "AC"):
        raise InvalidInput(
            f"{sid!r} is not an account sid: AC and 32 hexadecimal digits", field="sid"
        )
    with inputs.refusing_duplicates(f"the account {sid} exists already", field="sid"):
        account = models.Account.objects.create(
            sid=sid,
            friendly_name=inputs.name(friendly_name),
            sealed_auth_token=secretbox.seal(auth_token),
            date_created=now,
            date_updated=now,
        )
    return account, auth_token


def rename_account(*, account: models.Account, friendly_name: str, now: datetime) -> models.Account:
    """Call an account otherwise; its sid and its token stay."""
    account.friendly_name = inputs.name(friendly_name)
    account.date_updated = now
    models.Account.objects.filter(pk=account.pk).update(
        friendly_name=account.friendly_name, date_updated=now
    )
    return account


def renew_auth_token(
    *, account: models.Account, now: datetime, auth_token: str | None = None
) -> str:
    """Give an account another auth token and return it, which is shown this once.

    The old one opens nothing from then on, and signs no callback.
    """
    auth_token = auth_token or secrets.token_hex(16)
    account.sealed_auth_token = secretbox.seal(auth_token)
    account.date_updated = now
    models.Account.objects.filter(pk=account.pk).update(
        sealed_auth_token=account.sealed_auth_token, date_updated=now
    )
    return auth_token
