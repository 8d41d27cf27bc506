"""Count sessions over all web processes and detect dead processes, by leases in Redis.

Each process renews one lease. Beside the lease are the numbers of sessions of each worker and
account, and the workers to put offline when their sessions end. If a process is killed, its lease
expires, and its counts with it.

Desks are counted in the same way. When a worker's last desk of a process closes, the time is
recorded in a sorted set, by the process itself or after its lease has expired.

Only a lease that exists and has expired proves that a process died. Missing keys prove nothing, as
Redis may have restarted without data; live processes write their keys again when they renew. A
lease that expired while Redis was unreachable proves nothing either. So each sweep sets a mark. If
the mark is old or missing, Redis or the sweep was away. Then every process gets the length of a
lease to renew its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from routing.core.clock import microseconds
from routing.redis import clients
from routing.redis.scripts import load_script

LEASE_MS: Final = 30_000
"""Milliseconds that a process may be silent: several times the interval of renewals."""
RENEW_SECONDS: Final = 5.0
GAP_MS: Final = 15_000
"""Milliseconds without a sweep after which leases get extra time to be renewed.

Shorter than a lease by more than two renewals: a shorter interruption ends no lease.
"""
_KEPT_SECONDS: Final = 86_400
_PROCESSES: Final = "cordboard:sdk:processes"
_SWEPT_AT: Final = "cordboard:sdk:looked"
_GRACE_UNTIL: Final = "cordboard:sdk:patience"
_CLOSED_DESKS: Final = "cordboard:desks:gone"
_BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCounts:
    """A process's counts of sessions and desks, and of sessions to watch, by sid."""

    workers: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, int] = field(default_factory=dict)
    watched: Mapping[str, int] = field(default_factory=dict)
    desks: Mapping[str, int] = field(default_factory=dict)


def renew_lease(process: str, changed: SessionCounts, *, now: datetime) -> bool:
    """Renew a process's lease and write the changed counts; return whether the lease existed.

    If it did not, the other keys may be missing too, and all counts must be written.
    """
    client = clients.client()
    if client is None:
        return True
    pipeline = client.pipeline()
    pipeline.zadd(_PROCESSES, {process: _to_milliseconds(now) + LEASE_MS})
    for kind, counts in _kinds(changed):
        key = _key(kind, process)
        present: dict[Any, Any] = {sid: count for sid, count in counts.items() if count}
        if present:
            pipeline.hset(key, mapping=present)
        if ended := counts.keys() - present.keys():
            pipeline.hdel(key, *ended)
            if kind == "desks":
                pipeline.zadd(_CLOSED_DESKS, {sid: _to_milliseconds(now) for sid in ended})
        pipeline.expire(key, _KEPT_SECONDS)
    added: int = pipeline.execute()[0]
    return not added


def count_elsewhere(wanted: SessionCounts, *, process: str | None, now: datetime) -> SessionCounts:
    """Return the counts for these sids over the other live processes.

    Raises Redis errors.
    """
    client = clients.client()
    if client is None:
        return SessionCounts()
    live = _decode(client.zrangebyscore(_PROCESSES, _to_milliseconds(now), "+inf"))
    others = [each for each in live if each != process]
    keys = [(kind, sid) for kind, counts in _kinds(wanted) for sid in counts]
    pipeline = client.pipeline(transaction=False)
    for kind, sid in keys:
        for other in others:
            pipeline.hget(_key(kind, other), sid)
    replies = iter(pipeline.execute())
    sums: dict[str, dict[str, int]] = {kind: {} for kind, _ in _kinds(wanted)}
    for kind, sid in keys:
        sums[kind][sid] = sum(int(next(replies) or 0) for _ in others)
    return SessionCounts(**sums)


def add_live_query(pipeline: Any, *, now: datetime) -> None:
    """Add a query for live processes to a pipeline."""
    pipeline.zrangebyscore(_PROCESSES, _to_milliseconds(now), "+inf")


def count_worker_sessions(sid: str, *, process: str | None = None, now: datetime) -> int:
    """Return the number of a worker's sessions with other live processes."""
    return count_elsewhere(SessionCounts(workers={sid: 0}), process=process, now=now).workers.get(
        sid, 0
    )


def list_connected_workers(*, now: datetime) -> frozenset[str] | None:
    """Return the sids of all workers with an open desk or session; None without Redis.

    A process that was killed counts until its lease expires. Raises Redis errors.
    """
    client = clients.client()
    if client is None:
        return None
    live = _decode(client.zrangebyscore(_PROCESSES, _to_milliseconds(now), "+inf"))
    pipeline = client.pipeline(transaction=False)
    for process in live:
        for kind in ("workers", "desks"):
            pipeline.hkeys(_key(kind, process))
    return frozenset(sid for reply in pipeline.execute() for sid in _decode(reply))


def is_interrupted(*, now: datetime) -> bool:
    """Return whether leases could not be renewed for as long as one lasts, and set the mark."""
    client = clients.client()
    if client is None:
        return True
    ms = _to_milliseconds(now)
    swept_at: Any = client.set(_SWEPT_AT, ms, get=True)
    if swept_at is None or ms - int(swept_at) > GAP_MS:
        client.set(_GRACE_UNTIL, ms + LEASE_MS, px=2 * LEASE_MS)
        return True
    grace_until: Any = client.get(_GRACE_UNTIL)
    return grace_until is not None and ms < int(grace_until)


def list_dead_processes(*, now: datetime) -> dict[str, list[str]]:
    """Return the dead processes, each with the workers that it watched.

    Empty for the length of a lease after an interruption in which leases could not be renewed.
    """
    client = clients.client()
    if client is None or is_interrupted(now=now):
        return {}
    expired = _decode(client.zrangebyscore(_PROCESSES, "-inf", _to_milliseconds(now) - 1))
    return {each: _decode(client.hkeys(_key("watched", each))) for each in expired}


def load_closed_desks() -> Iterator[list[tuple[str, int]]]:
    """Yield batches of workers whose last desk of a process closed, with the time, oldest first."""
    client = clients.client()
    start = 0
    while client is not None:
        rows: Any = client.zrange(_CLOSED_DESKS, start, start + _BATCH - 1, withscores=True)
        if rows:
            yield [(sid.decode(), int(score)) for sid, score in rows]
        if len(rows) < _BATCH:
            return
        start += _BATCH


def remove_closed_desk(worker_sid: str, since_ms: int) -> None:
    """Remove the record of a worker's last desk, unless a later one has replaced it."""
    client = clients.client()
    if client is not None:
        remove = load_script(client, "remove_if_unchanged")
        remove(keys=[_CLOSED_DESKS], args=[worker_sid, since_ms])


def remove_process(process: str, *, now: datetime) -> None:
    """Remove a process's keys, and record that its desks have closed."""
    client = clients.client()
    if client is not None:
        if desks := _decode(client.hkeys(_key("desks", process))):
            client.zadd(_CLOSED_DESKS, {sid: _to_milliseconds(now) for sid in desks}, nx=True)
        client.delete(*(_key(kind, process) for kind, _ in _kinds(SessionCounts())))
        client.zrem(_PROCESSES, process)


def _kinds(counts: SessionCounts) -> list[tuple[str, Mapping[str, int]]]:
    return [
        ("workers", counts.workers),
        ("accounts", counts.accounts),
        ("watched", counts.watched),
        ("desks", counts.desks),
    ]


def _key(kind: str, process: str) -> str:
    return f"cordboard:sdk:{kind}:{process}"


def _decode(reply: Any) -> list[str]:
    names: Iterable[bytes] = reply
    return [name.decode() for name in names]


def _to_milliseconds(now: datetime) -> int:
    return microseconds(now) // 1000
