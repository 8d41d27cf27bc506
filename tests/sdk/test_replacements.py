"""Sessions that may close the others of their worker, with and without Redis."""

from __future__ import annotations

import time

import pytest
import redis as redis_client

from routing.redis import clients
from routing.sdk import replacements, session_ranks
from routing.sdk.replacements import may_replace, record_replaced
from tests.factories import NOW, later


@pytest.fixture(params=["in this process", "in Redis"], autouse=True)
def record_store(request: pytest.FixtureRequest) -> str:
    """Keep the records of sessions in Redis or in this process."""
    if request.param == "in Redis":
        request.getfixturevalue("real_redis")
    name: str = request.param
    return name


def pass_time(record_store: str, seconds: float) -> None:
    """Expire the records that are older than this."""
    if record_store == "in this process":
        now = time.monotonic() + seconds
        replacements._replaced.expire(now)
        replacements._replacements.expire(now)
        return
    client = clients.client()
    assert isinstance(client, redis_client.Redis)
    for key in client.keys("cordboard:sdk:repl*"):
        left = client.ttl(key)
        assert left > 0
        client.expire(key, left - int(seconds))


def test_a_session_that_was_replaced_replaces_none_for_half_a_minute(record_store: str) -> None:
    assert may_replace("WK1", "token")
    record_replaced("token")
    assert not may_replace("WK1", "token")
    assert may_replace("WK1", "another token")
    pass_time(record_store, replacements.BACK_SECONDS)
    assert may_replace("WK1", "token")


def test_a_worker_s_sessions_replace_each_other_so_often_in_a_minute(record_store: str) -> None:
    for number in range(replacements.MOST_REPLACEMENTS):
        assert may_replace("WK1", f"token {number}")
    assert not may_replace("WK1", "one more")
    assert may_replace("WK2", "of a colleague")
    pass_time(record_store, replacements.WINDOW_SECONDS)
    assert may_replace("WK1", "one more")


def test_the_oldest_sessions_make_room_for_the_newest() -> None:
    def join(session: str, seconds: float) -> list[str]:
        now = later(seconds)
        return session_ranks.add_session("WK1", session, process="here", most=2, now=now)

    assert [join("a", 0), join("b", 1), join("c", 2), join("d", 3)] == [[], [], ["a"], ["b"]]
    session_ranks.remove_sessions([("WK1", "c"), ("WK1", "gone"), ("WK2", "d")], process="here")
    assert [join("e", 4), join("f", 5)] == [[], ["d"]]
    assert session_ranks.add_session("WK2", "a", process="here", most=2, now=NOW) == []
