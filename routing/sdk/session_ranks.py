"""Rank each worker's sessions by age over all web processes, to close the oldest above the limit.

The ranks are kept in Redis with the process of each session; those of dead processes are ignored.
If they are lost, a worker may have too many sessions for a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from routing.core.clock import microseconds
from routing.redis import clients
from routing.sdk import leases

_KEPT_SECONDS: Final = 7 * 86_400
_alone: dict[str, dict[str, None]] = {}
"""The sessions of each worker, oldest first, used when no Redis is configured (tests)."""


def add_session(
    worker_sid: str, session: str, *, process: str, most: int, now: datetime
) -> list[str]:
    """Rank a new session, and return the oldest sessions that now exceed the limit.

    Those are removed, so that of two simultaneous new sessions each displaces another one. Raises
    Redis errors.
    """
    own = f"{process}:{session}"
    client = clients.client()
    if client is None:
        ranked = _alone.setdefault(worker_sid, {})
        ranked[own] = None
        displaced = list(ranked)[: max(len(ranked) - most, 0)]
        _remove_alone(worker_sid, displaced)
        return _sessions(displaced)
    key = _key(worker_sid)
    pipeline = client.pipeline()
    pipeline.zadd(key, {own: microseconds(now)})
    pipeline.expire(key, _KEPT_SECONDS)
    pipeline.zrange(key, 0, -1)
    leases.add_live_query(pipeline, now=now)
    replies: list[Any] = pipeline.execute()
    members, live = ([name.decode() for name in names] for names in replies[2:])
    processes = {*live, process}
    present = [member for member in members if member.partition(":")[0] in processes]
    displaced = present[: max(len(present) - most, 0)]
    if removed := [*(set(members) - set(present)), *displaced]:
        client.zrem(key, *removed)
    return _sessions(displaced)


def remove_sessions(left: Iterable[tuple[str, str]], *, process: str) -> None:
    """Remove ended sessions, given as pairs of worker sid and session name."""
    client = clients.client()
    pipeline = None if client is None else client.pipeline(transaction=False)
    for worker_sid, session in left:
        if pipeline is None:
            _remove_alone(worker_sid, [f"{process}:{session}"])
        else:
            pipeline.zrem(_key(worker_sid), f"{process}:{session}")
    if pipeline is not None:
        pipeline.execute()


def _remove_alone(worker_sid: str, members: Iterable[str]) -> None:
    ranked = _alone.get(worker_sid, {})
    for member in members:
        ranked.pop(member, None)
    if not ranked:
        _alone.pop(worker_sid, None)


def _sessions(members: Iterable[str]) -> list[str]:
    return [member.partition(":")[2] for member in members]


def _key(worker_sid: str) -> str:
    return f"cordboard:sdk:sessions:{worker_sid}"
