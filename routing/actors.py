"""Say who did it: every action takes an actor, and every event carries one."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing import request_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who caused a change, with `type` and `sid` as an event has them, and by which door.

    `request_id` is that of the request in which the change happens, if it happens in one.
    """

    type: str
    sid: str | None = None
    source: str = "taskrouter"
    ip_address: str | None = None
    request_id: str | None = field(default_factory=request_ids.current, compare=False)


SYSTEM = Actor(type="system")
"""The router itself, acting on a deadline or a match."""
