"""Sessions of logged-in users, loaded again for a websocket that has been open for long."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.models import Session
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from routing.db.compiled import MOMENT, CompiledQuery
from routing.db.pipeline import Pending

AnyUser = User | AnonymousUser

LOAD_SESSION: Final = CompiledQuery(
    lambda key, now=MOMENT: Session.objects.filter(session_key=key, expire_date__gt=now)
)
LOAD_USER: Final = CompiledQuery(
    lambda pk: User.objects.filter(pk=pk).annotate(language=F("desk_settings__language"))
)
"""The user of a session, with their language."""


def load_session_user(session_key: str) -> AnyUser:
    """Return the user of a session as it is stored now; anonymous once it has ended."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request = HttpRequest()
    request.session = store(session_key)
    # After a change of SECRET_KEY Django gives a session another key. A websocket could not send it
    # to the browser; the next page request does.
    request.session.cycle_key = lambda: None  # type: ignore[method-assign]
    user = auth.get_user(request)
    return user if isinstance(user, User) else AnonymousUser()


def find_user_id(session_key: str) -> int | None:
    """Return the id of the user that a session names, without checking that they may log in."""
    for session in LOAD_SESSION(session_key, timezone.now()):
        user_id = str(session.get_decoded().get(auth.SESSION_KEY, ""))
        return int(user_id) if user_id.isdecimal() else None
    return None


def send_session_user(session_key: str, user_id: int) -> Pending[AnyUser]:
    """Send the queries for a session whose user is known, see `pipeline`.

    The result is what `load_session_user` returns.
    """
    sessions = LOAD_SESSION.send(session_key, timezone.now())
    users = LOAD_USER.send(user_id)

    def read() -> AnyUser:
        found = users.result()
        for session in sessions.result():
            for user in found:
                if is_session_of(session, user):
                    return user
        return AnonymousUser()

    return Pending(read)


def is_session_of(session: Session, user: User) -> bool:
    """Return whether a stored session is of this user, who may still log in."""
    data: dict[str, Any] = session.get_decoded()
    stored = data.get(auth.HASH_SESSION_KEY) or ""
    return (
        data.get(auth.SESSION_KEY) == str(user.pk)
        and data.get(auth.BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and user.is_active
        and any(
            constant_time_compare(stored, valid)
            for valid in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
        )
    )


def get_user(request: HttpRequest) -> AnyUser:
    """Return the user of a request."""
    return request.user
