"""Tell who calls: HTTP basic with an account's sid and token, or an API key's sid and secret."""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import logging
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from routing import models, secretbox, sids
from routing.actions import api_keys
from routing.actors import Actor
from routing.api import failures
from routing.models.prepared import Prepared

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose workspaces a request may reach, and in whose name it changes them."""

    account: models.Account
    actor: Actor


class BasicAuthentication(BaseAuthentication):
    """Asks for credentials in the Authorization header, on every request."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        """Return the caller; whatever is wrong, the refusal is the same and takes as long."""
        sid, secret = _presented(request.META.get("HTTP_AUTHORIZATION", ""))
        address = ip_address(request)
        now = timezone.now()
        known = _known(sid)
        right = _matches(known.sealed, secret, sid)
        if not right or not _regulars.has(sid, secret, address):
            failures.insist_open(sid, address, now=now.timestamp())
        if not right or known.account is None:
            failures.note(sid, address, now=now.timestamp())
            raise exceptions.AuthenticationFailed
        _regulars.add(sid, secret, address)
        if known.key is not None:
            api_keys.note_use(key=known.key, now=now)
        kind = "account" if known.key is None else "api-key"
        actor = Actor(type=kind, sid=sid, source="api", ip_address=address)
        return Caller(known.account, actor), None


_regulars = failures.Regulars()


def _presented(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise exceptions.NotAuthenticated
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise exceptions.NotAuthenticated from None
    sid, _, secret = pair.partition(":")
    return sid, secret


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is behind a sid: the sealed secret to compare with, and whose it is.

    For an unknown sid that is a secret nobody knows, so that it is compared all the same.
    """

    sealed: str
    account: models.Account | None = None
    key: models.ApiKey | None = None


def _known(sid: str) -> _Known:
    if sids.is_valid(sid, "AC"):
        for account in _ACCOUNT(sid):
            return _Known(account.sealed_auth_token, account)
    elif sids.is_valid(sid, "SK"):
        keys = models.ApiKey.objects.filter(sid=sid, date_revoked=None)
        for key in keys.select_related("account"):
            return _Known(key.sealed_secret, key.account, key)
    return _Known(_nobodys(settings.SECRET_KEY))


_ACCOUNT: Final = Prepared(lambda sid: models.Account.objects.filter(sid=sid), "AC")


@functools.lru_cache(maxsize=1)
def _nobodys(_secret_key: str) -> str:
    return secretbox.seal(secrets.token_hex(16))


def _matches(sealed: str, secret: str, sid: str) -> bool:
    try:
        return secretbox.matches(sealed, secret)
    except InvalidToken:
        logger.error("the secret of %s cannot be read: SECRET_KEY is not what it was", sid)
        return False


def ip_address(request: Request | HttpRequest) -> str | None:
    """Return the client's address if it has one (a unix socket has none)."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
