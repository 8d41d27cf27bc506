"""Redis is stopped, or falls silent: tasks are offered and callbacks posted all the same."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path

import pytest

from tests import redis
from tests.callbacks.receiver import Receiver, Request
from tests.chaos.conftest import ENVIRONMENT, SECONDS, Services, served
from tests.chaos.floor import Floor, Outcome, check
from tests.chaos.proxy import Proxy

pytestmark = pytest.mark.chaos
BEFORE = 8.0
"""Seconds of load before and after a fault."""
LONGEST = 10.0
LONGEST_DELAY = 2.0

both = pytest.mark.parametrize(
    "services",
    [pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"],
    indirect=True,
)


class Posts:
    """A receiver that notes when something was posted to it."""

    def __init__(self) -> None:
        self.receiver = Receiver(ENVIRONMENT["AUTH_TOKEN"])
        self.receiver.respond = self._note
        self._moments: list[float] = []

    def _note(self, request: Request) -> None:
        self._moments.append(time.time())
        request.answer()

    def longest_gap(self, began: float, ended: float) -> float:
        """Return the longest time between two moments without a post."""
        seen = [began, *(each for each in self._moments if began <= each <= ended), ended]
        return max(b - a for a, b in itertools.pairwise(seen))


@pytest.mark.quick
@both
def test_redis_is_stopped_and_comes_back_empty(
    tmp_path: Path, short: Path, services: Services, note: list[Outcome]
) -> None:
    posts = Posts()
    place = short / "stopped.sock"
    with contextlib.ExitStack() as stack:
        with redis.private_server(place) as url:
            server = stack.enter_context(served(tmp_path / "var", services, REDIS_URL=url))
            stack.enter_context(posts.receiver.running())
            floor = Floor(server, rate=2, events=posts.receiver.url)
            load = floor.load()
            load.__enter__()
            time.sleep(BEFORE)
        try:
            began = time.time()
            time.sleep(SECONDS)
            stack.enter_context(redis.private_server(place))
            ended = time.time()
            time.sleep(BEFORE)
        finally:
            load.__exit__(None, None, None)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
        said = server.said()
    note.append(outcome)
    check(outcome)
    assert set(outcome.statuses) == {201}
    assert outcome.longest_delay <= LONGEST_DELAY
    assert posts.longest_gap(began, ended) <= LONGEST_DELAY + 1
    assert "Traceback" not in said


@both
def test_redis_falls_silent_for_everything(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    posts = Posts()
    with (
        Proxy(services.redis_socket).running() as proxy,
        served(tmp_path / "var", services, REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0") as server,
        posts.receiver.running(),
    ):
        floor = Floor(server, rate=2, events=posts.receiver.url)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            proxy.stall()
            time.sleep(SECONDS)
            proxy.resume()
            ended = time.time()
            time.sleep(BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
        said = server.said()
    note.append(outcome)
    check(outcome)
    assert set(outcome.statuses) == {201}
    assert outcome.longest_answer <= LONGEST
    assert outcome.longest_delay <= LONGEST
    assert outcome.delay_after <= LONGEST_DELAY
    assert posts.longest_gap(began, ended) <= LONGEST
    assert "Traceback" not in said
