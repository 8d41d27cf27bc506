"""Redis is stopped, or falls silent: tasks are still offered and callbacks posted."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from pathlib import Path

import pytest

from tests import redis
from tests.chaos.conftest import BOTH_DATABASES, ENVIRONMENT, Services, server_on_services
from tests.chaos.proxy import Proxy
from tests.chaos.task_load import LoadedWorkspace, Outcome, check_outcome
from tests.server import running_server
from tests.webhooks.receiver import Receiver, Request

pytestmark = pytest.mark.chaos
LONGEST = 10.0
LONGEST_DELAY = 2.0


class Posts:
    """A receiver that records the time of each post."""

    def __init__(self) -> None:
        self.receiver = Receiver(ENVIRONMENT["AUTH_TOKEN"])
        self.receiver.respond = self._note
        self._moments: list[float] = []

    def _note(self, request: Request) -> None:
        self._moments.append(time.time())
        request.answer()

    def longest_gap(self, floor: LoadedWorkspace) -> float:
        """Return the longest time without a post in a floor's fault."""
        within = [each for each in self._moments if floor.began <= each <= floor.ended]
        return max(b - a for a, b in itertools.pairwise([floor.began, *within, floor.ended]))


@pytest.mark.quick
@BOTH_DATABASES
def test_no_task_is_lost_when_redis_restarts_empty(
    tmp_path: Path, short_directory: Path, services: Services, outcomes: list[Outcome]
) -> None:
    posts, place = Posts(), short_directory / "stopped.sock"
    with contextlib.ExitStack() as stack:
        first = contextlib.ExitStack()
        url = first.enter_context(redis.private_server(place))
        server = stack.enter_context(server_on_services(tmp_path / "var", services, REDIS_URL=url))
        stack.enter_context(posts.receiver.running())
        floor = LoadedWorkspace(server, rate=2, events=posts.receiver.url)
        outcome = floor.measure_fault(
            first.close, lambda: stack.enter_context(redis.private_server(place))
        )
        output = server.said()
    outcomes.append(outcome)
    check_outcome(outcome)
    assert set(outcome.statuses) == {201}
    assert outcome.longest_delay <= LONGEST_DELAY
    assert posts.longest_gap(floor) <= LONGEST_DELAY + 1
    assert "Traceback" not in output


@BOTH_DATABASES
def test_no_task_is_lost_when_redis_falls_silent(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    posts = Posts()
    with (
        Proxy(services.redis_socket).running() as proxy,
        server_on_services(
            tmp_path / "var", services, REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0"
        ) as server,
        posts.receiver.running(),
    ):
        floor = LoadedWorkspace(server, rate=2, events=posts.receiver.url)
        outcome = floor.measure_fault(proxy.stall, proxy.resume)
        output = server.said()
    outcomes.append(outcome)
    check_silence(outcome)
    assert posts.longest_gap(floor) <= LONGEST
    assert "Traceback" not in output


def test_no_task_is_lost_when_the_bundled_redis_hangs(
    tmp_path: Path, outcomes: list[Outcome]
) -> None:
    with running_server(tmp_path / "var", environment=ENVIRONMENT) as server:
        process = server.part("redis")
        outcome = LoadedWorkspace(server, rate=2).measure_fault(
            lambda: os.kill(process, signal.SIGSTOP), lambda: os.kill(process, signal.SIGCONT)
        )
        output = server.said()
    outcomes.append(outcome)
    check_silence(outcome)
    assert "Traceback" not in output


def check_silence(outcome: Outcome) -> None:
    """Fail if tasks or clients waited for long."""
    check_outcome(outcome)
    assert set(outcome.statuses) == {201}
    assert outcome.longest_answer <= LONGEST
    assert outcome.longest_delay <= LONGEST
    assert outcome.delay_after <= LONGEST_DELAY
