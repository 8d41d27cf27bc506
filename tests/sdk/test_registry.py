"""The registry of sessions: a web process's own, and those of the others in Redis."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis as redis_client

from routing.sdk import desk_grace, leases
from routing.sdk.leases import SessionCounts
from routing.sdk.registry import Holder, Registry

pytestmark = pytest.mark.usefixtures("real_redis")


def holder(worker: str = "WK1", account: str = "AC1") -> Holder:
    """Return the identity of a session."""
    names = dict.fromkeys(("workspace_sid", "key_sid", "sealed", "digest", "edition"), "")
    return Holder(worker_sid=worker, account_sid=account, worker_id=1, expires=0, **names)


async def closing(process: Registry, session: Holder) -> list[str]:
    """Admit a session, and return which ones make room for it."""
    admission = await process.admit(session)
    assert admission is not None
    return list(admission.closing)


async def test_limits_hold_over_all_processes(settings: Any) -> None:
    settings.SDK_SESSIONS_PER_ACCOUNT = 4
    one, two = Registry(), Registry()
    assert await one.admit(holder())
    assert await two.admit(holder())
    assert await two.admit(holder())
    assert await one.admit(holder("WK2"))
    for process in (one, two):
        assert not await process.admit(holder("WK3"))
    assert await two.admit(holder("WK3", "AC2"))
    two.release(holder())
    await two.write_changes()
    assert await one.admit(holder())


async def test_above_a_worker_s_limit_the_oldest_session_makes_room_wherever_it_is(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SDK_SESSIONS_PER_WORKER = 3
    one, two = Registry(), Registry()
    mine = [holder() for _ in range(5)]
    assert await closing(one, mine[0]) == []
    assert await closing(two, mine[1]) == []
    assert await closing(two, mine[2]) == []
    assert await closing(two, holder("WK2")) == []
    assert await closing(two, mine[3]) == [mine[0].session]
    assert await closing(two, mine[4]) == [mine[1].session]
    assert caplog.text.count("the oldest is closed") == 1
    for process, ended in ((one, mine[0]), (two, mine[1]), (two, mine[3])):
        process.release(ended)
        await process.write_changes()
    assert await closing(two, mine[1]) == []
    assert await closing(one, mine[0]) == [mine[2].session]


async def test_many_simultaneous_new_sessions_are_all_counted(settings: Any) -> None:
    settings.SDK_SESSIONS_PER_WORKER = 5
    processes, mine = (Registry(), Registry()), [holder() for _ in range(20)]
    closed: set[str] = set()
    for made in await asyncio.gather(
        *(closing(processes[number % 2], each) for number, each in enumerate(mine))
    ):
        closed |= set(made)
    assert len(closed) == 15
    assert closed < {each.session for each in mine}


async def test_sessions_of_a_process_that_is_dead_leave_their_places(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SDK_SESSIONS_PER_WORKER, settings.SDK_SESSIONS_PER_ACCOUNT = 1, 1
    one, two = Registry(), Registry()
    assert await one.admit(holder())
    assert not await two.admit(holder())
    moment = datetime.now(UTC) + timedelta(milliseconds=leases.LEASE_MS)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    assert await closing(two, holder()) == []


async def test_a_process_keeps_its_limits_alone_while_redis_is_away(
    settings: Any, redis_switch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SDK_SESSIONS_PER_WORKER = 2
    one, two = Registry(), Registry()
    redis_switch(True)
    assert await one.admit(holder())
    assert await one.admit(holder())
    assert not await one.admit(holder())
    assert "sessions.counted_per_process" in caplog.text
    assert not one._ended
    redis_switch(False)
    await one.write_changes()
    assert await two.count_elsewhere("WK1") == 2


async def test_a_process_whose_lease_was_lost_writes_everything_again(
    real_redis: redis_client.Redis,
) -> None:
    one, two = Registry(), Registry()
    assert await one.admit(holder())
    assert await two.count_elsewhere("WK1") == 1
    real_redis.flushdb()
    assert await two.count_elsewhere("WK1") == 0
    await one.write_changes()
    assert await two.count_elsewhere("WK1") == 1
    assert await one.count_elsewhere("WK1") == 0


async def test_many_changes_at_once_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[SessionCounts] = []
    renew = leases.renew_lease

    def counted(process: str, held: SessionCounts, *, now: datetime) -> bool:
        writes.append(held)
        return renew(process, held, now=now)

    one = Registry()
    await one.write_changes()
    monkeypatch.setattr(leases, "renew_lease", counted)
    assert all(await asyncio.gather(*(one.admit(holder(f"WK{n}")) for n in range(100))))
    assert len(writes) < 5
    assert sum(len(held.workers) for held in writes) == 100


# --- What becomes of a session that ends by itself -----------------------------------------


@pytest.fixture
def put_offline(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the workers that the end of a session puts offline, without the delay."""
    found: list[str] = []
    monkeypatch.setattr(desk_grace, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(desk_grace, "put_offline", lambda sid, now: found.append(sid))
    return found


async def test_a_worker_whose_last_session_ends_goes_offline(put_offline: list[str]) -> None:
    one = Registry()
    assert await one.admit(holder())
    one.watch("WK1")
    one.release(holder())
    await desk_grace.wait_for_reconnect(one, "WK1")
    assert put_offline == ["WK1"]
    assert not one.watched


async def test_a_worker_who_has_a_session_here_or_elsewhere_stays(put_offline: list[str]) -> None:
    one, two = Registry(), Registry()
    assert await two.admit(holder("WK1"))
    assert await one.admit(holder("WK2"))
    for sid in ("WK1", "WK2"):
        one.watch(sid)
        await desk_grace.wait_for_reconnect(one, sid)
    assert put_offline == []
    assert not one.watched


async def test_no_worker_goes_offline_before_redis_confirms_that_they_have_no_other_session(
    put_offline: list[str], redis_switch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, asked = Registry(), 0
    one.watch("WK1")
    of_worker = leases.count_worker_sessions

    def asked_in_vain(*args: Any, **given: Any) -> int:
        nonlocal asked
        asked += 1
        redis_switch(asked < 3)
        return of_worker(*args, **given)

    monkeypatch.setattr(leases, "count_worker_sessions", asked_in_vain)
    await desk_grace.wait_for_reconnect(one, "WK1")
    assert (asked, put_offline) == (3, ["WK1"])
