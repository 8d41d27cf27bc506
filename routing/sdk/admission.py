"""Admit or refuse websockets cheaply, as a client with a bad token reconnects every second."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from cachetools import TTLCache
from channels.db import database_sync_to_async
from django.utils import timezone

from routing import token_policies, tokens
from routing.actions import api_keys
from routing.sdk import envelope
from routing.sdk.list_versions import digest_lists
from routing.sdk.registry import Admission, Holder, Registry

logger = logging.getLogger(__name__)

_REFUSED_SECONDS: Final = 10.0
_refused: Final[TTLCache[str, None]] = TTLCache(maxsize=10_000, ttl=_REFUSED_SECONDS)
"""Digests of recently refused tokens; used in the event loop only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRequest:
    """The parameters of a connection request."""

    token: str
    close_others: bool
    offline_when_gone: bool
    account_sid: str | None
    channel: str | None


def parse_request(scope: Mapping[str, Any]) -> ConnectionRequest:
    """Parse the handshake."""
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=50)
    except ValueError:
        query = {}

    def parameter(name: str) -> str:
        value: str = query.get(name, [""])[0]
        return value

    parts = scope["url_route"]["kwargs"]
    return ConnectionRequest(
        token=parameter("token"),
        close_others=parameter("closeExistingSessions") == "true",
        offline_when_gone=parameter("setWorkerOfflineIfDisconnected") == "true",
        account_sid=parts.get("account_sid"),
        channel=parts.get("channel"),
    )


async def admit_session(request: ConnectionRequest, registry: Registry) -> Admission | None:
    """Return the admission of a client, with a place reserved; None means refused."""
    digest = envelope.digest(request.token)
    if digest in _refused:
        return None
    try:
        holder = await database_sync_to_async(_verify_request, thread_sensitive=False)(request)
    except tokens.TokenRefused as error:
        logger.info("SDK session refused: %s", error)
        _refused[digest] = None
        return None
    return await registry.admit(holder)


def _verify_request(request: ConnectionRequest) -> Holder:
    now = timezone.now()
    grant = tokens.verify_token(request.token, now=now)
    worker = grant.worker
    if worker is None:
        raise tokens.TokenRefused("The token names no worker")
    if request.account_sid is not None and not grant.serves(request.account_sid, request.channel):
        raise tokens.TokenRefused("The token is for another account or channel")
    path = f"wschannels/{grant.account.sid}/{worker.sid}"
    policies = grant.policies
    if policies is not None and not token_policies.is_permitted(policies, "GET", path, {}):
        raise tokens.TokenRefused("The token allows no websocket")
    # Otherwise a key used only to sign tokens would look unused.
    api_keys.record_use_by_sid(key_sid=grant.key_sid, now=now)
    return Holder(
        account_sid=grant.account.sid,
        workspace_sid=grant.workspace.sid,
        worker_sid=worker.sid,
        worker_id=worker.pk,
        key_sid=grant.key_sid,
        sealed=grant.sealed,
        expires=grant.expires,
        digest=envelope.digest(request.token),
        edition=digest_lists(grant.workspace.sid),
    )
