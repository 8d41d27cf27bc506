"""Waking the router: a burst costs one job, and a wake during a cycle is not missed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from routing import jobs, models, wakeups
from routing.redis import clients
from tests import factories
from tests.factories import NOW, later

WS = "WS" + "0" * 32
OTHER = "WS" + "1" * 32


def test_a_burst_of_wakes_costs_one_entry_per_workspace(
    real_redis: object, sent: Callable[[], list[str]]
) -> None:
    for _ in range(10):
        wakeups.wake_router(WS)
    wakeups.wake_router(OTHER)
    assert sent() == [WS, OTHER]


def test_a_wake_after_a_cycle_began_adds_an_entry(
    real_redis: object, sent: Callable[[], list[str]]
) -> None:
    wakeups.wake_router(WS)
    for _ in wakeups.claim_turns(WS):
        pass
    wakeups.wake_router(WS)
    assert sent() == [WS, WS]


def test_a_wake_during_a_cycle_runs_another_one(
    real_redis: object, sent: Callable[[], list[str]]
) -> None:
    turns = 0
    for _ in wakeups.claim_turns(WS):
        turns += 1
        if turns == 1:
            wakeups.wake_router(WS)
    assert turns == 2


def test_one_cycle_runs_in_a_workspace_at_a_time(real_redis: object) -> None:
    for _ in wakeups.claim_turns(WS):
        assert list(wakeups.claim_turns(WS)) == []
        assert len(list(wakeups.claim_turns(OTHER))) == 1
    assert len(list(wakeups.claim_turns(WS))) == 1


def test_a_cycle_that_fails_gives_its_turn_back(real_redis: object) -> None:
    def fail() -> None:
        for _ in wakeups.claim_turns(WS):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert len(list(wakeups.claim_turns(WS))) == 1


def test_without_redis_a_wake_is_lost_with_a_log_line_and_no_error(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"
    clients.client_of.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            wakeups.wake_router(WS)
    finally:
        clients.client_of.cache_clear()
    assert "redis.away" in caplog.text


Ran = Callable[[], list[str]]


@pytest.fixture
def swept_workspaces(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the workspaces in which the sweep runs a cycle."""
    found: list[str] = []
    monkeypatch.setattr(
        jobs.run_cycle, "apply_async", lambda kwargs, **_: found.append(kwargs["workspace_sid"])
    )
    return found


@pytest.mark.django_db
def test_the_sweep_runs_a_cycle_wherever_work_is_due(
    swept_workspaces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, offered, quiet = (factories.workspace() for _ in range(3))
    factories.worker(waiting)
    factories.task(waiting)
    factories.worker(offered)
    factories.offered(offered)
    factories.worker(quiet)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later(60))
    jobs.run_due_cycles()
    assert swept_workspaces == [waiting.sid]
    swept_workspaces.clear()
    monkeypatch.setattr("django.utils.timezone.now", lambda: later(121))
    jobs.run_due_cycles()
    assert swept_workspaces == [waiting.sid, offered.sid]


@pytest.mark.django_db
def test_the_sweep_finds_everything_when_all_wakes_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    task = factories.task(workspace)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    jobs.run_due_cycles()
    assert factories.status(task) == "reserved"


@pytest.mark.django_db
def test_a_wake_for_a_workspace_that_is_gone_does_nothing() -> None:
    jobs.run_cycle(workspace_sid=WS)
    assert not models.Event.objects.exists()


@pytest.mark.django_db
def test_only_rows_past_their_retention_are_pruned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from routing.actions import task_transitions
    from routing.actors import SYSTEM

    workspace = factories.workspace()
    old, fresh, waiting = (factories.task(workspace) for _ in range(3))
    task_transitions.cancel_task(task=old, actor=SYSTEM, now=NOW)
    task_transitions.cancel_task(task=fresh, actor=SYSTEM, now=later(3 * 86_400))
    monkeypatch.setattr("django.utils.timezone.now", lambda: later(31 * 86_400))
    jobs.prune()
    assert set(models.Task.objects.values_list("pk", flat=True)) == {fresh.pk, waiting.pk}
    # Of events, only those of the third day are young enough.
    assert factories.event_types() == ["task.canceled"]
    assert models.Lane.objects.count() == 1
