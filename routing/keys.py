"""Find signing keys: an account with its auth tokens, or an API key with its secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routing import models, sids
from routing.db.guarded import GuardedQuery


@dataclass(frozen=True, slots=True)
class Key:
    """An account's credential, with its secrets as they are stored.

    Arguments:
        sealed: the secret; for an account its primary auth token, which signs callbacks.
        secondary: the account's secondary auth token, accepted like the primary; empty for none.
        api_key: its row; None where the account's own auth token is the key.
    """

    account: models.Account
    sealed: str
    secondary: str = ""
    api_key: models.ApiKey | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every sealed secret that is accepted, the primary one first."""
        return (self.sealed, self.secondary) if self.secondary else (self.sealed,)


def find_key(sid: str) -> Key | None:
    """Return the key with an account's or an API key's sid; None if unknown or revoked."""
    if sids.is_valid(sid, "AC"):
        for account in _ACCOUNT(sid):
            return Key(account, account.sealed_auth_token, account.sealed_secondary_token)
    elif sids.is_valid(sid, "SK"):
        for api_key in _API_KEY(sid):
            return Key(api_key.account, api_key.sealed_secret, api_key=api_key)
    return None


_ACCOUNT: Final = GuardedQuery(lambda sid: models.Account.objects.filter(sid=sid))
_API_KEY: Final = GuardedQuery(
    lambda sid: models.ApiKey.objects.filter(sid=sid, date_revoked=None).select_related("account"),
    related="account",
)
