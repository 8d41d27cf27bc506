"""Create and verify the tokens with which a worker's or a supervisor's desk authenticates.

There are two kinds, as in the official libraries. Access tokens are signed with an API key's secret
and carry a grant. The older capability tokens are signed with the account's auth token and list
policies. No claim is used before the signature has been checked, except the key's sid.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import jwt
from cryptography.fernet import InvalidToken as Unreadable

from routing import keys, models, secretbox, token_policies
from routing.db.compiled import CompiledQuery
from routing.token_policies import Policy

ALGORITHM: Final = "HS256"
CONTENT_TYPE: Final = "twilio-fpa;v=1"
LONGEST: Final = 16_384
"""Most characters of a token; one with a dozen policies has some 4,000."""
LEEWAY: Final = 10
"""Seconds by which the clock of a token's issuer may be ahead of ours."""
DEFAULT_TTL: Final = 3_600
MAX_TTL: Final = 86_400
"""Longest lifetime of a token in seconds, whether we or a client made it."""


class Role(StrEnum):
    """The kind of user that a token is for."""

    WORKER = "worker"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class TokenRefused(Exception):
    """A token is not accepted; the message gives the reason without quoting the token."""


class TokenExpired(TokenRefused):
    """A token has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The content of a verified token.

    Arguments:
        worker: the worker it acts for, with workspace and activity; None for no particular one.
        policies: what a capability token allows; None for everything that its role may do.
        key_sid: the signing key: an API key, or the account for its auth token.
        sealed: the key's secret as stored, to detect later whether it was replaced.
        expires: the Unix second at which it expires.
    """

    account: models.Account
    workspace: models.Workspace
    worker: models.Worker | None
    role: Role
    policies: tuple[Policy, ...] | None
    key_sid: str
    sealed: str
    expires: int

    def serves(self, account_sid: str, channel: str | None) -> bool:
        """Return whether it is for an account and a channel, as in the long form of the URL."""
        worker = self.worker
        channels = {None, self.workspace.sid, None if worker is None else worker.sid}
        return account_sid == self.account.sid and channel in channels


def verify_token(token: object, *, now: datetime) -> Grant:
    """Return what a token grants; raises `TokenRefused`, or `TokenExpired`."""
    claims, account, key_sid, sealed = _check_signature(token)
    expires = claims.get("exp")
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise TokenRefused("The token has no expiry time: it must have a numeric exp")
    if not expires > now.timestamp():
        raise TokenExpired("The token has expired")
    issued = now.timestamp()
    for name in ("nbf", "iat"):
        moment = claims.get(name, issued)
        if not isinstance(moment, int | float) or not moment <= now.timestamp() + LEEWAY:
            raise TokenRefused("The token is not valid yet")
        issued = min(issued, moment)
    if expires > issued + MAX_TTL + LEEWAY:
        raise TokenRefused(f"The token's lifetime must not be more than {MAX_TTL} seconds")
    said = (
        _read_access_token(claims, account)
        if "grants" in claims
        else _read_capability_token(claims, account, key_sid)
    )
    workspace, worker = _find_rows(account, said)
    return Grant(
        account=account,
        workspace=workspace,
        worker=worker,
        role=said.role,
        policies=said.policies,
        key_sid=key_sid,
        sealed=sealed,
        expires=int(expires),
    )


def mint_token(
    *,
    account: models.Account,
    key_sid: str,
    secret: str,
    workspace_sid: str,
    worker_sid: str | None = None,
    role: Role = Role.WORKER,
    identity: str | None = None,
    ttl: int = DEFAULT_TTL,
    now: datetime,
) -> str:
    """Return an access token in the format of the official libraries.

    Arguments:
        key_sid, secret: the signing key: an API key, or the account with its auth token.
        ttl: lifetime in seconds.
    """
    second = int(now.timestamp())
    named = {"workspace_sid": workspace_sid, "worker_sid": worker_sid, "role": role.value}
    grants: dict[str, Any] = {"task_router": {k: v for k, v in named.items() if v is not None}}
    if identity:
        grants["identity"] = identity
    claims = {
        "jti": f"{key_sid}-{second}",
        "iss": key_sid,
        "sub": account.sid,
        "iat": second,
        "nbf": second,
        "exp": second + ttl,
        "grants": grants,
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"cty": CONTENT_TYPE})


def list_valid_secrets(key_sids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the sealed secrets of those keys that are accepted, in two queries for any number."""
    accounts = models.Account.objects.filter(sid__in=key_sids)
    api_keys = models.ApiKey.objects.filter(sid__in=key_sids, date_revoked=None)
    rows = accounts.values_list("sid", "sealed_auth_token", "sealed_secondary_token")
    found = {sid: tuple(filter(None, sealed)) for sid, *sealed in rows}
    return found | {sid: (secret,) for sid, secret in api_keys.values_list("sid", "sealed_secret")}


def _check_signature(token: object) -> tuple[Mapping[str, Any], models.Account, str, str]:
    """Return the claims of a token with a valid signature, its account, key sid and secret."""
    if not isinstance(token, str) or not token or len(token) > LONGEST:
        raise TokenRefused("The token is missing or too long")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != ALGORITHM:
            raise TokenRefused(f"The token is not signed by {ALGORITHM}")
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        key = keys.find_key(issuer) if isinstance(issuer, str) else None
        if key is None:
            raise TokenRefused("The token's key is unknown or revoked")
        # `verify` checks these claims itself, by the clock of the request.
        judged = ("exp", "nbf", "iat", "aud", "sub", "jti")
        options: Any = {"verify_signature": True} | {f"verify_{name}": False for name in judged}
        claims, sealed = _decode(token, key, options)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError, Unreadable):
        raise TokenRefused("The token is not valid") from None
    return claims, key.account, str(issuer), sealed


def _decode(token: str, key: keys.Key, options: Any) -> tuple[dict[str, Any], str]:
    """Return the claims of a token, and which of its key's secrets has signed it."""
    failure: Exception = Unreadable()
    for sealed in key.secrets:
        try:
            secret = secretbox.unseal(sealed)
            return jwt.decode(token, secret, algorithms=[ALGORITHM], options=options), sealed
        except (jwt.InvalidSignatureError, Unreadable) as error:
            failure = error
    raise failure


@dataclass(frozen=True, slots=True)
class _Claims:
    workspace_sid: object
    worker_sid: object
    role: Role
    policies: tuple[Policy, ...] | None = None


def _read_access_token(claims: Mapping[str, Any], account: models.Account) -> _Claims:
    if claims.get("sub") != account.sid:
        raise TokenRefused("The token's subject is not the account of its key")
    grants = claims["grants"]
    grant = grants.get("task_router") if isinstance(grants, dict) else None
    if not isinstance(grant, dict):
        raise TokenRefused("The token has no TaskRouter grant")
    try:
        role = Role(grant.get("role") or Role.WORKER)
    except ValueError:
        raise TokenRefused(f"The token's role must be one of {', '.join(Role)}") from None
    return _Claims(grant.get("workspace_sid"), grant.get("worker_sid"), role)


def _read_capability_token(
    claims: Mapping[str, Any], account: models.Account, key_sid: str
) -> _Claims:
    if key_sid != account.sid or claims.get("account_sid") != account.sid:
        raise TokenRefused("A capability token must be signed with the auth token of its account")
    worker_sid = claims.get("worker_sid")
    if worker_sid is not None and worker_sid != claims.get("channel"):
        raise TokenRefused("The token names two different workers")
    try:
        policies = token_policies.parse_policies(claims.get("policies"))
    except ValueError as error:
        raise TokenRefused(f"The token's policies cannot be read: {error}") from None
    # Policies limit the token; beyond them, a token for a worker has a worker's rights only.
    role = Role.ADMIN if worker_sid is None else Role.WORKER
    return _Claims(claims.get("workspace_sid"), worker_sid, role, policies)


def _find_rows(
    account: models.Account, said: _Claims
) -> tuple[models.Workspace, models.Worker | None]:
    """Return the workspace and the worker that a token names, if both are the account's."""
    sid = said.workspace_sid if isinstance(said.workspace_sid, str) else ""
    if said.worker_sid is None:
        workspace = account.workspaces.filter(sid=sid).first()
        if workspace is None:
            raise TokenRefused("The token's workspace does not exist in its account")
        workspace.account = account
        return workspace, None
    wanted = said.worker_sid if isinstance(said.worker_sid, str) else ""
    for worker in _WORKER(wanted, sid, account.pk):
        worker.workspace.account = account
        return worker.workspace, worker
    raise TokenRefused("The token's worker does not exist in its workspace")


_WORKER: Final = CompiledQuery(
    lambda sid, workspace, account: models.Worker.objects.filter(
        sid=sid, workspace__sid=workspace, workspace__account_id=account
    ).select_related("workspace", "activity")
)
