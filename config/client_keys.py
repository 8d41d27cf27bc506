"""Identify a request's client before it gets a thread, as far as this is certain.

Credentials and sessions are recognised only if they were valid before. Claims alone count for
nothing; otherwise a stranger could use up another account's share of the threads. Unrecognised
requests are attributed to their address.
"""

from __future__ import annotations

import threading
from typing import Any, Final

from cachetools import FIFOCache
from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from config import proxies
from routing.api import authentication

_MOST_SESSIONS: Final = 20_000


class Sessions:
    """A cache of the users of recently used sessions; reading it needs no lock."""

    def __init__(self, most: int = _MOST_SESSIONS) -> None:
        """Create an empty cache."""
        self._users: FIFOCache[str, int] = FIFOCache(maxsize=most)
        self._lock = threading.Lock()

    def add(self, key: str, user: int) -> None:
        """Cache a session's user."""
        with self._lock:
            self._users[key] = user

    def user(self, key: str) -> int | None:
        """Return the user of a recently used session."""
        try:
            return self._users[key]
        except KeyError:
            return None


sessions: Final = Sessions()


def cache_session(request: HttpRequest) -> None:
    """Cache the session of an answered request, if a user is logged in."""
    # Set by Django once a view or middleware has accessed the user.
    user = getattr(request, "_cached_user", None)
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if key and user is not None and user.is_authenticated:
        sessions.add(key, user.pk)


def name_of_client(request: HttpRequest) -> str | None:
    """Return the account or the user of an answered request, for logs."""
    caller = request.__dict__.get("user")
    if isinstance(caller, authentication.Caller):
        return caller.account.sid
    user = getattr(request, "_cached_user", None)
    return f"user {user.pk}" if user is not None and user.is_authenticated else None


def key_of_session(key: str | None) -> str | None:
    """Return a key for the user of a session, or for the session while the user is unknown."""
    if not key:
        return None
    user = sessions.user(key)
    return f"session {key}" if user is None else f"user {user}"


def key_of_client(scope: Any) -> str:
    """Return a key for the client of a request, for sharing the threads."""
    address = (scope.get("client") or (None,))[0]
    for name, value in scope["headers"]:
        if name == b"authorization":
            account = authentication.find_cached_account(value.decode("latin-1"), address)
            if account is not None:
                return account
        elif name == b"cookie":
            key = parse_cookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
            user = sessions.user(key) if key else None
            if user is not None:
                return f"user {user}"
    return proxies.network_key(address)
