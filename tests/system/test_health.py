"""`/healthz`: it names whichever part does not answer, and only that."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest

from tests.running import Cordboard, wait_until

pytestmark = pytest.mark.system


@contextlib.contextmanager
def frozen(process: int) -> Iterator[None]:
    """Keep a process from doing anything for a while."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_all_parts_answer(cordboard: Cordboard) -> None:
    status, body = cordboard.health()
    assert status == 200
    assert body == {
        "status": "ok",
        "failing": [],
        "checks": {"database": "ok", "redis": "ok", "jobs": "ok", "beat": "ok"},
    }


@pytest.mark.parametrize("name", ["jobs", "beat"])
def test_a_part_that_does_nothing_is_named_until_it_goes_on(
    cordboard: Cordboard, name: str
) -> None:
    with frozen(cordboard.part(name)):
        wait_until(lambda: cordboard.health()[0] == 503, f"{name} is missed")
        assert cordboard.health()[1]["failing"] == [name]
    wait_until(lambda: cordboard.health()[0] == 200, f"{name} is back")


def test_without_redis_what_answers_through_it_is_unknown(cordboard: Cordboard) -> None:
    with frozen(cordboard.part("redis")):
        wait_until(lambda: cordboard.health()[0] == 503, "Redis is missed")
        assert cordboard.health()[1]["checks"] == {
            "database": "ok",
            "redis": "no answer",
            "jobs": "unknown",
            "beat": "unknown",
        }
    wait_until(lambda: cordboard.health()[0] == 200, "all parts are back")
    assert "Traceback" not in cordboard.said()
