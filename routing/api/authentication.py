"""Authenticate REST requests by HTTP basic: account sid and token, or API key sid and secret."""

from __future__ import annotations

import base64
import binascii
import functools
import logging
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication

from routing import keys, models, secretbox
from routing.actions import api_keys
from routing.actors import Actor
from routing.api import failures
from routing.db import guarded
from routing.operations.context import canonical_address, client_address

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated account of a request, and the actor that its changes are recorded under."""

    account: models.Account
    actor: Actor
    sealed: str
    """The secret that was presented, in its stored form."""


class BasicAuthentication(BaseAuthentication):
    """Authentication by the Authorization header of every request."""

    def authenticate(self, request: HttpRequest) -> tuple[Caller, None] | None:
        """Return the caller. Every refusal has the same text and takes the same time.

        OPTIONS needs no caller, as browsers send it without credentials.
        """
        if request.method == "OPTIONS":
            return None
        sid, secret = _parse_header(request.META.get("HTTP_AUTHORIZATION", ""))
        address = client_address(request.META)
        now = timezone.now()
        key = keys.find_key(sid)
        sealed = _find_proven_secret(key, secret)
        if sealed is None:
            # What a cached key does not prove at once is compared with the key as it is now.
            if (reads := guarded.current_reads()) and reads.forget():
                key = keys.find_key(sid)
            sealed = _find_presented_secret(() if key is None else key.secrets, secret, sid)
        if sealed is None or valid_credentials.find_account(sid, secret, address) is None:
            failures.check_not_blocked(sid, address, now=now.timestamp())
        if sealed is None or key is None:
            failures.record_failure(sid, address, now=now.timestamp())
            raise exceptions.AuthenticationFailed
        valid_credentials.add(sid, secret, address, account_sid=key.account.sid)
        if key.api_key is not None:
            _record_use(key.api_key, now)
        kind = "account" if key.api_key is None else "api-key"
        actor = Actor(type=kind, sid=sid, source="api", ip_address=address)
        return Caller(key.account, actor, sealed), None


valid_credentials = failures.ValidCredentials()
_proven_secrets = failures.ProvenSecrets()
_use_lock = threading.Lock()


def find_cached_account(header: str, address: str | None) -> str | None:
    """Return the account of credentials that were right before, from this address."""
    try:
        sid, secret = _parse_header(header)
    except exceptions.NotAuthenticated:
        return None
    return valid_credentials.find_account(sid, secret, canonical_address(address))


def _record_use(key: models.ApiKey, now: datetime) -> None:
    """Record that a key is used, unless the database is busy: a read must not wait for it."""
    if not _use_lock.acquire(blocking=False):
        return
    try:
        api_keys.record_use(key=key, now=now)
    except OperationalError as error:
        logger.warning("api key use not recorded: key=%s error=%s", key.sid, error)
    finally:
        _use_lock.release()


def _parse_header(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise exceptions.NotAuthenticated
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise exceptions.NotAuthenticated from None
    sid, _, secret = pair.partition(":")
    return sid, secret


@functools.lru_cache(maxsize=1)
def _unknown_secret(_secret_key: str) -> str:
    return secretbox.seal(secrets.token_hex(16))


def _find_presented_secret(secrets: tuple[str, ...], secret: str, sid: str) -> str | None:
    """Return which of a key's sealed secrets was presented, or None.

    An account may have two tokens. Two secrets are always compared before a refusal, so that an
    unknown sid takes just as long.
    """
    unknown = _unknown_secret(settings.SECRET_KEY)
    compared = (*secrets, unknown, unknown)[:2]
    found = next((sealed for sealed in compared if _matches(sealed, secret, sid)), None)
    return found if found in secrets else None


def _find_proven_secret(key: keys.Key | None, secret: str) -> str | None:
    """Return which of a key's sealed secrets was presented before, or None."""
    found = () if key is None else key.secrets
    return next((each for each in found if _proven_secrets.matches(each, secret)), None)


def _matches(sealed: str, secret: str, sid: str) -> bool:
    try:
        matches = secretbox.matches_secret(sealed, secret)
    except InvalidToken:
        logger.error("stored secret unreadable, SECRET_KEY has changed: sid=%s", sid)
        return False
    if matches:
        _proven_secrets.add(sealed, secret)
    return matches
