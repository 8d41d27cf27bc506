"""Request ids: one per request, in its response, its log lines and the events it causes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from structlog.contextvars import bound_contextvars, get_contextvars

from routing.random_digits import draw_digits

_NAME: Final = "request_id"
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_OURS: Final = re.compile(r"RQ[0-9a-f]{32}")


def new_request_id() -> str:
    """Return a new id, in the form of TaskRouter's."""
    return f"RQ{draw_digits(32)}"


def is_acceptable(given: str) -> bool:
    """Return whether the request id from a trusted proxy can be used."""
    return _GIVEN.fullmatch(given) is not None


def as_twilio(request_id: str) -> str:
    """Return an id in the form of `Twilio-Request-Id`: with the same digits if it has 32."""
    if _OURS.fullmatch(request_id):
        return request_id
    digits = request_id.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{32}", digits):
        digits = hashlib.sha256(request_id.encode()).hexdigest()[:32]
    return f"RQ{digits}"


@contextmanager
def bind_request_id(request_id: str) -> Iterator[None]:
    """Bind an id to the log lines and events of a `with` block."""
    with bound_contextvars(**{_NAME: request_id}):
        yield


def current_request_id() -> str | None:
    """Return the id of the present request, if there is one."""
    found: str | None = get_contextvars().get(_NAME)
    return found
