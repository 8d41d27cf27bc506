"""The access log: a line for each HTTP request, and a warning for each slow one.

`ACCESS_LOG=0` turns the lines off, as `make run` does unless it is set. Query strings are never
logged, as they may contain tokens.
"""

from __future__ import annotations

import functools
from typing import Any, Final
from urllib.parse import quote

import structlog
from django.conf import settings

from config.environment import env
from routing import request_ids

logger: Final = structlog.get_logger("config.access")
PROBES: Final = frozenset({"/livez", "/readyz", "/healthz"})
"""Frequently polled paths, logged only if the answer is not 200."""
LONGEST_PATH: Final = 300
"""Maximum characters of a path that are logged."""


@functools.cache
def is_enabled() -> bool:
    """Return whether this process logs every request."""
    return env.bool("ACCESS_LOG", True)


def log_request(
    scope: Any, *, status: int, size: int, seconds: float, request_id: str, account: str | None
) -> None:
    """Log an answered request if it was slow, or if every request is logged."""
    is_slow = seconds > settings.SLOW_REQUEST_SECONDS > 0
    is_quiet = scope["path"] in PROBES and status == 200
    if not (is_slow or (is_enabled() and not is_quiet)):
        return
    # The raw path, as a decoded one could contain a line break.
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    fields: dict[str, Any] = {
        "method": scope["method"],
        "path": raw.partition(b"?")[0].decode("latin-1")[:LONGEST_PATH],
        "status": status,
        "ms": round(seconds * 1000, 1),
        "bytes": size,
        "account": account,
        "request_id": request_id,
    }
    twilio = request_ids.as_twilio(request_id)
    if request_id not in twilio:
        fields["twilio_request_id"] = twilio
    if is_slow:
        logger.warning("slow request", limit_seconds=settings.SLOW_REQUEST_SECONDS, **fields)
    else:
        logger.info("request", **fields)


def log_refusal(method: bytes, path: bytes, *, status: int, request_id: str) -> None:
    """Log a request that was refused before it was complete."""
    if is_enabled():
        logger.info(
            "request",
            method=method.decode("latin-1"),
            path=quote(path.partition(b"?")[0])[:LONGEST_PATH],
            status=status,
            request_id=request_id,
        )
