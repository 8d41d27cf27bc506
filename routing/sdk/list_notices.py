"""Notify a worker's sessions that the SDK has read its lists, and in which versions.

A new session holds events back until its lists were read. Its socket waits for this notice, which
may come from another process.
"""

from __future__ import annotations

import logging
import secrets
import threading
from typing import Any, Final

from asgiref.sync import async_to_sync
from cachetools import LRUCache
from channels.layers import get_channel_layer

from routing import groups, tokens
from routing.sdk.envelope import Envelope
from routing.sdk.handlers import SdkRequest
from routing.sdk.payloads import Payload

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_versions: Final[LRUCache[tuple[str, str], int]] = LRUCache(maxsize=20_000)
"""The version of a worker that was last read with a token, by worker sid and token digest."""


def find_read_version(grant: tokens.Grant, call: Envelope) -> int | None:
    """Return the worker's version that was last read with this token, if known.

    Called before a list is read, as the list may be older than a version read after it.
    """
    if grant.worker is None:
        return None
    with _lock:
        return _versions.get((grant.worker.sid, call.digest))


def record_read(request: SdkRequest, payload: Payload, *, version: int | None) -> None:
    """Record the worker's version in an answer, or publish a notice of their reservation list.

    Arguments:
        version: the result of `find_read_version` before the request was handled.
    """
    worker = request.grant.worker
    if (
        worker is None
        or request.envelope.method != "GET"
        or request.parts[:2] != ["Workers", worker.sid]
    ):
        return
    if len(request.parts) == 2:
        with _lock:
            _versions[worker.sid, request.envelope.digest] = payload["version"]
    elif request.parts[2:] == ["Reservations"]:
        message: dict[str, Any] = {
            "type": "session.listed",
            "notice": secrets.token_hex(8),
            "token": request.envelope.digest,
            "reservations": {row.sid: row.version for row in request.listed},
            "follows": bool(request.envelope.params.get("AfterSid")),
            "worker_version": version,
        }
        _publish_notice(worker.sid, message)


def _publish_notice(worker_sid: str, message: dict[str, Any]) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(groups.sessions_group(worker_sid), message)
    except Exception as error:  # any error of the layer's client while Redis is unreachable
        # The socket stops waiting after a few seconds and continues with what it knows.
        logger.warning("notice of lists not published: error=%s", error)
