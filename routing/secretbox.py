"""Encrypt secrets that the server must read again, with a key derived from `SECRET_KEY`.

Text sealed with an older key can be read as long as that key is in `SECRET_KEY_FALLBACKS`.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
from collections.abc import Collection
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PREFIX: Final = "gAAAAA"
"""The beginning of every sealed text: the version and the first bytes of the time, in Base64."""


@functools.lru_cache(maxsize=16)
def _box(secret_key: str) -> Fernet:
    key = hashlib.sha256(b"cordboard.secretbox:" + secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _boxes() -> MultiFernet:
    """Return a box that seals with the present key and unseals with any key."""
    return MultiFernet(map(_box, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)))


def seal(secret: str) -> str:
    """Return the secret encrypted, as it may be stored."""
    return _box(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the secret in clear; raises `cryptography.fernet.InvalidToken` under another key."""
    return _boxes().decrypt(sealed.encode()).decode()


def reseal(sealed: str) -> str:
    """Return the secret sealed with the present key; unchanged if it is already.

    Raises `cryptography.fernet.InvalidToken` when none of the keys can read it.
    """
    try:
        _box(settings.SECRET_KEY).decrypt(sealed.encode())
    except InvalidToken:
        return _boxes().rotate(sealed.encode()).decode()
    return sealed


def matches_secret(sealed: str, presented: str) -> bool:
    """Compare a presented secret with a sealed one in constant time."""
    return hmac.compare_digest(unseal(sealed).encode(), presented.encode())


def matches_any_secret(sealed: Collection[str], other: str) -> bool:
    """Return whether a sealed secret is one of several, also when it was sealed again."""
    return other in sealed or any(_is_same(each, other) for each in sealed)


def _is_same(sealed: str, other: str) -> bool:
    try:
        return matches_secret(sealed, unseal(other))
    except InvalidToken:
        return False
