"""Recognize whose request it is before a thread is given to it, as far as that is certain.

Credentials and sessions are recognized when they were right before: what a request merely claims
counts for nothing, or a stranger could use up another account's share of the threads. Requests
that are not recognized belong to their address.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from config import proxies
from routing.api import authentication

_MOST_SESSIONS: Final = 20_000


class Sessions:
    """Which user each session belongs to, of the sessions used last."""

    def __init__(self, most: int = _MOST_SESSIONS) -> None:
        """Begin with none."""
        self._most = most
        self._users: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: str, user: int) -> None:
        """Remember a session."""
        with self._lock:
            self._users[key] = user
            self._users.move_to_end(key)
            if len(self._users) > self._most:
                self._users.popitem(last=False)

    def user(self, key: str) -> int | None:
        """Return the user of a session, if it was used lately."""
        return self._users.get(key)


_sessions: Final = Sessions()


def remember(request: HttpRequest) -> None:
    """Remember the session of a request that was answered, if a user is logged in by it."""
    # Set by Django once a view or middleware has asked who the user is.
    user = getattr(request, "_cached_user", None)
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if key and user is not None and user.is_authenticated:
        _sessions.add(key, user.pk)


def name_of(request: HttpRequest) -> str | None:
    """Return the account or the user that a request was answered for, as logs have it."""
    caller = request.__dict__.get("user")
    if isinstance(caller, authentication.Caller):
        return caller.account.sid
    user = getattr(request, "_cached_user", None)
    return f"user {user.pk}" if user is not None and user.is_authenticated else None


def of_session(key: str | None) -> str | None:
    """Return what stands for the user of a session, or for the session while that is not known."""
    if not key:
        return None
    user = _sessions.user(key)
    return f"session {key}" if user is None else f"user {user}"


def of(scope: Any) -> str:
    """Return what stands for the client of a request in the sharing of threads."""
    address = (scope.get("client") or (None,))[0]
    for name, value in scope["headers"]:
        if name == b"authorization":
            account = authentication.account_of(value.decode("latin-1"), address)
            if account is not None:
                return account
        elif name == b"cookie":
            key = parse_cookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
            user = _sessions.user(key) if key else None
            if user is not None:
                return f"user {user}"
    return proxies.network_of(address)
