"""Sessions of logged-in users, loaded again for a websocket that has been open for long."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

AnyUser = User | AnonymousUser


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


def get_user(request: HttpRequest) -> AnyUser:
    """Return the user of a request."""
    return request.user
