"""Actors: the causes of changes; every action takes one, and every event records one."""

from __future__ import annotations

from dataclasses import dataclass, field

from routing import request_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The cause of a change, with `type` and `sid` as stored in events, and the door it used.

    `request_id` is that of the request in which the change happens, if there is one. `batch_sid`
    and `note` are those of the batch of a supervisor that the change belongs to.
    """

    type: str
    sid: str | None = None
    source: str = "taskrouter"
    ip_address: str | None = None
    request_id: str | None = field(default_factory=request_ids.current_request_id, compare=False)
    batch_sid: str | None = None
    note: str | None = None


SYSTEM = Actor(type="system")
"""The router itself, acting on a deadline or a match."""
