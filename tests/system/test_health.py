"""`/healthz` names exactly the parts that do not answer."""

from __future__ import annotations

import contextlib
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests import launcher
from tests.server import LONGEST_END_SECONDS, Cordboard, wait_until

CHECKS = ("database", "migrations", "redis", "jobs", "callbacks", "beat", "due_work")
pytestmark = pytest.mark.system


@contextlib.contextmanager
def frozen(process: int) -> Iterator[None]:
    """Stop a process for a while."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def probe(server: Cordboard, path: str) -> int:
    """Return the status of a probe by a Host header that is no name of the server."""
    request = urllib.request.Request(f"{server.url}{path}", headers={"Host": "10.1.2.3"})
    try:
        with urllib.request.urlopen(request, timeout=LONGEST_END_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_probes_are_answered_for_any_host_header(cordboard: Cordboard) -> None:
    assert [probe(cordboard, path) for path in ("/livez", "/readyz", "/healthz")] == [200] * 3


def alive(server: Cordboard, part: str) -> tuple[int, str]:
    """Return the exit code and the sentence of `manage.py alive`."""
    environment = server.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    ran = launcher.run("manage.py", "alive", part, env=environment)
    return ran.returncode, ran.stdout


def test_the_check_of_a_container_fails_when_its_part_hangs(
    cordboard: Cordboard,
) -> None:
    for part in ("jobs", "callbacks", "beat"):
        code, sentence = alive(cordboard, part)
        assert (code, sentence.count("\n")) == (0, 1)
        assert sentence.startswith(part)
    with frozen(cordboard.part("jobs")):
        assert alive(cordboard, "jobs")[0] == 1
    with frozen(cordboard.part("beat")):
        wait_until(lambda: cordboard.health()[0] == 503, "beat is missed")
        assert alive(cordboard, "beat")[0] == 1


def test_all_parts_answer(cordboard: Cordboard) -> None:
    status, body = cordboard.health()
    assert status == 200
    assert body == {
        "status": "ok",
        "failing": [],
        "checks": dict.fromkeys(CHECKS, "ok"),
    }


@pytest.mark.parametrize("name", ["jobs", "callbacks", "beat"])
def test_health_names_a_hanging_part_until_it_continues(cordboard: Cordboard, name: str) -> None:
    with frozen(cordboard.part(name)):
        wait_until(lambda: cordboard.health()[1]["failing"] == [name], f"{name} is missed")
    wait_until(lambda: cordboard.health()[0] == 200, f"{name} is back")


def test_checks_through_redis_are_unknown_without_it(cordboard: Cordboard) -> None:
    found: list[dict[str, Any]] = []

    def is_missed() -> bool:
        status, body = cordboard.health()
        found.append(body["checks"])
        return status == 503

    # Not for long: what waits for Redis gives up after 3 seconds, and is logged.
    with frozen(cordboard.part("redis")):
        wait_until(is_missed, "Redis is missed")
        # Requests are answered without Redis, so this process stays ready.
        assert probe(cordboard, "/readyz") == 200
    assert found[-1] == dict.fromkeys(CHECKS, "ok") | {
        "redis": "no answer",
        **dict.fromkeys(("jobs", "callbacks", "beat"), "unknown"),
    }
    wait_until(lambda: cordboard.health()[0] == 200, "all parts are back")
    assert "Traceback" not in cordboard.said()
