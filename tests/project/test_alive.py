"""`manage.py alive`: one sentence, and an exit code that containers understand."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from redis.exceptions import ConnectionError as RedisConnectionError

from config import heartbeats, jobs
from config.management.commands import alive


class Control:
    """Runners that answer a broadcast, in place of Celery's remote control."""

    def __init__(self, *replies: dict[str, Any]) -> None:
        self.control = self
        self._replies = replies

    def broadcast(self, _command: str, *, callback: Any, **_: Any) -> None:
        """Return the answers of all runners."""
        for reply in self._replies:
            callback(reply)


def reply(node: str, queue: str, seconds: float = 0.2) -> dict[str, Any]:
    """Return a runner's answer."""
    return {node: {"queues": [queue], "oldest_job_seconds": seconds}}


OTHERS = (
    reply("jobs@elsewhere", "celery"),
    reply("callbacks@here", "callbacks"),
    {"old@here": {"error": "no such command"}},
)


@pytest.mark.parametrize("node", ["jobs@here", "celery@here"])
def test_only_the_runner_of_this_host_and_queue_is_checked(
    node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alive, "celery_app", Control(*OTHERS, reply(node, jobs.QUEUES["jobs"])))
    is_alive, sentence = alive.check_runner("jobs", "here")
    assert is_alive
    assert f"{node} answers" in sentence


def test_runners_of_other_hosts_and_queues_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "celery_app", Control(*OTHERS))
    assert alive.check_runner("jobs", "here") == (
        False,
        "jobs: no runner on here has answered within 3 seconds.",
    )


def test_a_runner_whose_job_does_not_end_counts_as_hanging(monkeypatch: pytest.MonkeyPatch) -> None:
    old = alive.LONGEST_JOB_SECONDS + 1
    monkeypatch.setattr(alive, "celery_app", Control(reply("jobs@here", "celery", old)))
    is_alive, sentence = alive.check_runner("jobs", "here")
    assert not is_alive
    assert f"{old:.0f} seconds" in sentence


def test_no_runner_can_be_checked_without_redis(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> bool:
        raise RedisConnectionError("refused")

    monkeypatch.setattr(heartbeats, "beat_is_alive", fail)
    with pytest.raises(SystemExit) as ended:
        call_command("alive", "beat")
    assert ended.value.code == 1
    assert capsys.readouterr().out.startswith("Redis does not answer")
