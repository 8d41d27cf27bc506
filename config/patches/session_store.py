"""Sessions in the database, loaded by precompiled queries.

Every browser request starts with two queries, for the session and its user, and so does every check
of an open desk. Django compiles both queries each time, which costs several times what the database
takes to answer them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import backends
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from routing.web_sessions import LOAD_SESSION, LOAD_USER


class SessionStore(db.SessionStore):
    """Django's session store with a precompiled query."""

    def _get_session_from_db(self) -> Session | None:
        for session in LOAD_SESSION(self.session_key, timezone.now()):
            return session
        self._session_key = None
        return None


class Backend(backends.ModelBackend):
    """Django's login backend with a precompiled query for the user of a session."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the user of a session with their language, if they may still log in."""
        for user in LOAD_USER(user_id):
            return user if self.user_can_authenticate(user) else None
        return None
