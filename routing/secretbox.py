"""Keep secrets that the server must read again: encrypted with a key derived from `SECRET_KEY`."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac

from cryptography.fernet import Fernet
from django.conf import settings


@functools.lru_cache(maxsize=4)
def _box(secret_key: str) -> Fernet:
    key = hashlib.sha256(b"cordboard.secretbox:" + secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: str) -> str:
    """Return the secret encrypted, as it may be stored."""
    return _box(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Return the secret in clear; raises `cryptography.fernet.InvalidToken` under another key."""
    return _box(settings.SECRET_KEY).decrypt(sealed.encode()).decode()


def matches(sealed: str, presented: str) -> bool:
    """Compare a presented secret with a sealed one in constant time."""
    return hmac.compare_digest(unseal(sealed).encode(), presented.encode())
