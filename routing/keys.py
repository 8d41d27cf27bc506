"""Find what signs: an account by its auth tokens, or an API key by its secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routing import models, sids
from routing.models.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Key:
    """Whose a key is, and its secrets as they are stored.

    Arguments:
        sealed: the secret; of an account its primary auth token, which signs callbacks.
        secondary: the account's secondary auth token, which opens the same; empty: none.
        api_key: its row; None where the account's own auth token is the key.
    """

    account: models.Account
    sealed: str
    secondary: str = ""
    api_key: models.ApiKey | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every sealed secret that is good, the primary one first."""
        return (self.sealed, self.secondary) if self.secondary else (self.sealed,)


def find(sid: str) -> Key | None:
    """Return the key of an account's or an API key's sid; None where there is none, or no more."""
    if sids.is_valid(sid, "AC"):
        for account in _ACCOUNT(sid):
            return Key(account, account.sealed_auth_token, account.sealed_secondary_token)
    elif sids.is_valid(sid, "SK"):
        for api_key in _API_KEY(sid):
            return Key(api_key.account, api_key.sealed_secret, api_key=api_key)
    return None


_ACCOUNT: Final = Prepared(lambda sid: models.Account.objects.filter(sid=sid), "AC")
_API_KEY: Final = Prepared(
    lambda sid: models.ApiKey.objects.filter(sid=sid, date_revoked=None).select_related("account"),
    "SK",
)
