"""A burst of events queues one job; a call while it runs is not lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import celery
import pytest

from routing import jobs, models
from routing.actions import callbacks, workspaces
from routing.actors import SYSTEM
from routing.redis import clients
from routing.webhook_delivery import assignment_questions, event_deliveries, loop
from routing.webhooks import queue as queue_module
from tests import factories, redis
from tests.factories import NOW
from tests.webhooks.conftest import Clock


@pytest.fixture
def sent(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the receivers for which a job was sent; marks are kept in a real Redis."""
    found: list[str] = []

    class Signature:
        def __init__(self, name: str, kwargs: dict[str, str]) -> None:
            assert name == "routing.jobs.call_receiver"
            self.sid = kwargs["sid"]

        def apply_async(self, *, queue: str, **_: object) -> None:
            assert queue == "callbacks"
            found.append(self.sid)

    monkeypatch.setattr(celery, "signature", Signature)
    with redis.private_server(tmp_path / "redis.sock") as url:
        settings.REDIS_URL = url
        clients.client_of.cache_clear()
        yield found
        clients.client_of.cache_clear()


def test_a_burst_of_events_sends_one_job(workspace: models.Workspace, sent: list[str]) -> None:
    url = "https://example.com/hook"
    workspaces.update_workspace(workspace=workspace, event_callback_url=url, actor=SYSTEM, now=NOW)
    factories.workflow(workspace)
    for _ in range(5):
        factories.task(workspace)
    assert sent == [workspace.sid]
    queue_module.begin_job(workspace.sid)
    factories.task(workspace)
    assert sent == [workspace.sid] * 2


def test_an_offer_with_a_callback_queues_a_job_after_its_commit(
    workspace: models.Workspace, sent: list[str]
) -> None:
    workflow = factories.workflow(workspace, assignment_callback_url="https://example.com/hook")
    factories.worker(workspace)
    factories.task(workspace)
    assert sent == []
    factories.run(workspace)
    assert sent == [workflow.sid]


def test_a_call_during_a_run_is_served_at_its_end(
    workspace: models.Workspace, sent: list[str], clock: Clock
) -> None:
    models.CallbackReceiver.objects.create(sid=workspace.sid, url="https://example.com/")

    def called_during_the_run(receiver: models.CallbackReceiver) -> bool:
        queue_module.enqueue(workspace.sid)
        assert callbacks.lease_receiver(sid=workspace.sid, now=clock()) is None
        return False

    loop.run_rounds(workspace.sid, called_during_the_run, clock=clock)
    assert sent == [workspace.sid] * 2
    loop.run_rounds(workspace.sid, lambda receiver: False, clock=clock)
    assert sent == [workspace.sid] * 2


def test_a_receiver_with_more_events_after_its_turn_queues_behind_the_others(
    workspace: models.Workspace, sent: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "TURN_SECONDS", 0.0)
    models.CallbackReceiver.objects.create(sid=workspace.sid, url="https://example.com/")
    made: list[int] = []

    def endless(receiver: models.CallbackReceiver) -> bool:
        made.append(receiver.pk)
        return True

    loop.run_rounds(workspace.sid, endless, clock=clock)
    assert len(made) == 1
    assert sent == [workspace.sid]
    assert callbacks.lease_receiver(sid=workspace.sid, now=clock()) is not None


def test_jobs_that_no_runner_takes_do_not_pile_up(sent: list[str], caplog: Any) -> None:
    client = clients.client()
    assert client is not None
    client.rpush("callbacks", *["job"] * 1_000)
    queue_module.enqueue("WS1")
    assert sent == []
    assert "wait for a runner" in caplog.text


def test_without_redis_the_sweep_posts_to_due_receivers(settings: Any, caplog: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    clients.client_of.cache_clear()
    with caplog.at_level(logging.WARNING):
        queue_module.enqueue("WS1")
        queue_module.begin_job("WS1")
        queue_module.finish_job("WS1", is_unfinished=True)
    clients.client_of.cache_clear()
    assert caplog.text.count("redis.away") == 1


def test_the_sweep_queues_jobs_for_all_due_receivers(
    workspace: models.Workspace, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_deliveries, "list_due_workspaces", lambda now: ["WS1"])
    monkeypatch.setattr(assignment_questions, "list_due_workflows", lambda now: ["WW1", "WW2"])
    jobs.sweep_receivers()
    assert sent == ["WS1", "WW1", "WW2"]


def test_the_sid_of_a_job_decides_the_kind_of_receiver(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(
        event_deliveries, "post_due_events", lambda sid: ran.append(f"events of {sid}")
    )
    monkeypatch.setattr(
        assignment_questions, "send_due_questions", lambda sid: ran.append(f"offers of {sid}")
    )
    jobs.call_receiver("WS1")
    jobs.call_receiver("WW1")
    assert ran == ["events of WS1", "offers of WW1"]
