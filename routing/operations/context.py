"""The context of one request, which every door builds before it calls an operation."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing import models
from routing.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One authenticated request, independent of the door through which it came.

    Arguments:
        account: the account of the credentials.
        actor: the actor that changes are recorded under.
        now: the time of the request.
        path: the path that errors name, such as `/v1/Workspaces`.
        workspace: the workspace in the path; None for paths of the account.
        if_match: the versions that a change requires, as in an `If-Match` header; empty for any.
    """

    account: models.Account
    actor: Actor
    now: datetime
    path: str
    workspace: models.Workspace | None = None
    if_match: str = ""


def client_address(meta: Mapping[str, Any]) -> str | None:
    """Return the address of a request's client if it has one (a unix socket has none)."""
    return canonical_address(meta.get("REMOTE_ADDR"))


@functools.lru_cache(maxsize=1_024)
def canonical_address(address: str | None) -> str | None:
    """Return an IP address in its shortest form; None if it is none."""
    try:
        return str(ipaddress.ip_address(address or ""))
    except ValueError:
        return None
