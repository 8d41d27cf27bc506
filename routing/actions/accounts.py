"""Create accounts, and renew or rotate their auth tokens.

Renewing ends the old token at once. Rotating has an overlap: a secondary token is accepted beside
the primary one, until it is promoted to the primary or deleted.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from cryptography.fernet import InvalidToken
from django.db import transaction

from routing import models, secretbox, sids
from routing.actions.support import inputs
from routing.actions.support.errors import InvalidInput, NotNow, StaleState


class NoSecondaryToken(StaleState):
    """The account has no secondary auth token."""


class UnreadableToken(NotNow):
    """None of the present keys can read the secondary auth token; delete it and create another."""


@transaction.atomic
def create_account(
    *, friendly_name: str, now: datetime, sid: str | None = None, auth_token: str | None = None
) -> tuple[models.Account, str]:
    """Create an account; return it with its auth token in clear, which is shown only once.

    Arguments:
        sid, auth_token: values to use instead of random ones.

    Raises `InvalidInput` for a sid that is malformed or taken.
    """
    sid = sid or sids.new_sid("AC")
    auth_token = auth_token or secrets.token_hex(16)
    if not sids.is_valid(sid, "AC"):
        raise InvalidInput(
            f"{sid!r} is not an account sid: AC and 32 hexadecimal digits", field="sid"
        )
    with inputs.refuse_duplicates(f"the account {sid} exists already", field="sid"):
        account = models.Account.objects.create(
            sid=sid,
            friendly_name=inputs.check_name(friendly_name),
            sealed_auth_token=secretbox.seal(auth_token),
            date_created=now,
            date_updated=now,
        )
    return account, auth_token


def rename_account(*, account: models.Account, friendly_name: str, now: datetime) -> models.Account:
    """Rename an account; its sid and its token stay."""
    account.friendly_name = inputs.check_name(friendly_name)
    account.date_updated = now
    models.Account.objects.filter(pk=account.pk).update(
        friendly_name=account.friendly_name, date_updated=now
    )
    return account


def renew_auth_token(
    *, account: models.Account, now: datetime, auth_token: str | None = None
) -> str:
    """Replace an account's auth token and return the new one, which is shown only once.

    The old token is rejected from then on, and signs no callback. A secondary token stays.
    """
    auth_token = auth_token or secrets.token_hex(16)
    account.sealed_auth_token = secretbox.seal(auth_token)
    account.date_updated = now
    models.Account.objects.filter(pk=account.pk).update(
        sealed_auth_token=account.sealed_auth_token, date_updated=now
    )
    return auth_token


def create_secondary_token(*, account: models.Account, now: datetime) -> str:
    """Create a second auth token for an account and return it, which is shown only once.

    Both tokens are accepted; callbacks are signed by the primary one.

    Raises `StaleState` when there is a secondary token already: programs may use it.
    """
    token = secrets.token_hex(16)
    created = models.Account.objects.filter(pk=account.pk, sealed_secondary_token="").update(
        sealed_secondary_token=secretbox.seal(token), date_updated=now
    )
    if not created:
        raise StaleState(
            "the account has a secondary auth token already; promote it or delete it first"
        )
    account.date_updated = now
    return token


def promote_secondary_token(*, account: models.Account, now: datetime) -> str:
    """Make an account's secondary auth token its primary one, and return it.

    The old primary token is rejected from then on; callbacks are signed by the promoted one.

    Raises `NoSecondaryToken`, or `UnreadableToken` for a token that no client could use any more.
    """
    account.refresh_from_db(fields=["sealed_secondary_token"])
    sealed = account.sealed_secondary_token
    if not sealed:
        raise NoSecondaryToken
    try:
        token = secretbox.unseal(sealed)
    except InvalidToken:
        raise UnreadableToken from None
    promoted = models.Account.objects.filter(pk=account.pk, sealed_secondary_token=sealed).update(
        sealed_auth_token=sealed, sealed_secondary_token="", date_updated=now
    )
    if not promoted:
        raise StaleState("the secondary auth token was changed at the same time; try again")
    account.sealed_auth_token, account.sealed_secondary_token = sealed, ""
    account.date_updated = now
    return token


def delete_secondary_token(*, account: models.Account, now: datetime) -> None:
    """End an account's secondary auth token at once; raises `NoSecondaryToken`."""
    deleted = (
        models.Account.objects.filter(pk=account.pk)
        .exclude(sealed_secondary_token="")
        .update(sealed_secondary_token="", date_updated=now)
    )
    if not deleted:
        raise NoSecondaryToken
