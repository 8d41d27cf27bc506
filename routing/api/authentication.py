"""Tell who calls: HTTP basic with an account's sid and token, or an API key's sid and secret."""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import logging
import secrets
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from django.conf import settings
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from routing import models, secretbox, sids
from routing.actors import Actor

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
        account, sealed = _known(sid)
        if not _matches(sealed, secret, sid) or account is None:
            raise exceptions.AuthenticationFailed
        kind = "account" if sid.startswith("AC") else "api-key"
        actor = Actor(type=kind, sid=sid, source="api", ip_address=_ip_address(request))
        return Caller(account, actor), None


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


def _known(sid: str) -> tuple[models.Account | None, str]:
    """Return the account behind a sid and the sealed secret to compare with.

    For an unknown sid that is a secret nobody knows, so that it is compared all the same.
    """
    if sids.is_valid(sid, "AC"):
        for account in models.Account.objects.filter(sid=sid):
            return account, account.sealed_auth_token
    elif sids.is_valid(sid, "SK"):
        keys = models.ApiKey.objects.filter(sid=sid, date_revoked=None)
        for key in keys.select_related("account"):
            return key.account, key.sealed_secret
    return None, _nobodys(settings.SECRET_KEY)


@functools.lru_cache(maxsize=1)
def _nobodys(_secret_key: str) -> str:
    return secretbox.seal(secrets.token_hex(16))


def _matches(sealed: str, secret: str, sid: str) -> bool:
    try:
        return secretbox.matches(sealed, secret)
    except InvalidToken:
        logger.error("the secret of %s cannot be read: SECRET_KEY is not what it was", sid)
        return False


def _ip_address(request: Request) -> str | None:
    """Return the client's address if it has one (a unix socket has none)."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
