"""Read and write the frames of the desk's socket; docs/websocket.md describes them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext

from agents import dashboard
from agents.arguments import CommandRefused
from routing.core.event_catalog import EventType

MOST_CHARACTERS: Final = 4096
"""Maximum characters of a frame from a client; a command needs a few hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command as the client sent it; the reply has the same `id`."""

    id: str | int | None
    command: object
    arguments: Mapping[str, Any]


class MalformedFrame(Exception):
    """A frame that is not a command."""


def parse_request(text: str | None) -> Request:
    """Parse a client's frame; raises `MalformedFrame` with the reason."""
    if text is None:
        raise MalformedFrame(gettext("The frame is binary; send text."))
    if len(text) > MOST_CHARACTERS:
        words = gettext("The frame has %(length)s characters; at most %(most)s are allowed.")
        raise MalformedFrame(words % {"length": len(text), "most": MOST_CHARACTERS})
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedFrame(gettext("The frame is not JSON.")) from None
    if not isinstance(content, dict):
        raise MalformedFrame(
            gettext('The frame is not an object such as {"id": 1, "command": "desk.ping"}.')
        )
    id_ = content.pop("id", None)
    if isinstance(id_, bool) or not isinstance(id_, str | int | None) or len(str(id_)) > 64:
        raise MalformedFrame(
            gettext("The id must be a text of at most 64 characters or a whole number.")
        )
    return Request(id=id_, command=content.pop("command", None), arguments=content)


def build_reply(request: Request, *, now_ms: int) -> dict[str, Any]:
    """Return the reply to a successful command."""
    return {"reply": request.id, "ok": True, "now": now_ms}


def build_refusal(request: Request | None, refusal: CommandRefused) -> dict[str, Any]:
    """Return the reply to a refused command."""
    error = {"reason": refusal.reason, "message": refusal.message}
    return {"reply": None if request is None else request.id, "ok": False, "error": error}


def build_event_frame(message: Mapping[str, Any], *, worker_sid: str) -> str | None:
    """Return the frame of an event for an agent; None if nothing on their desk changes.

    About a colleague, the agent only learns that something waits or no longer waits.
    """
    if message.get("is_for_others") and message.get("worker_sid") == worker_sid:
        # The worker's own group has brought it.
        return None
    own = is_own(message, worker_sid=worker_sid)
    about = tuple((key, message[key]) for key in _ABOUT[own] if key in message)
    acted = message.get("actor_sid") == worker_sid
    return _build_event_frame(message["event_type"], own, acted, about)


_ABOUT: Final = {
    True: ("task_sid", "task_queue_sid", "reservation_sid"),
    False: ("task_queue_sid",),
}


@functools.lru_cache(maxsize=256)
def _build_event_frame(
    event_type: str, own: bool, acted: bool, about: tuple[tuple[str, str], ...]
) -> str | None:
    """Build a frame, cached for all desks that receive it."""
    panels = dashboard.list_stale_panels(EventType(event_type), own=own, acted=acted)
    if not panels:
        return None
    return json.dumps({"event": event_type, **dict(about), "stale": sorted(panels)})


def is_own(message: Mapping[str, Any], *, worker_sid: str) -> bool:
    """Return whether an event is about this worker, or about no worker."""
    return message.get("worker_sid") in (None, worker_sid)
