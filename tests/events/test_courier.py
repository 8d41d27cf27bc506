"""The courier publishes in order, at least once, and blocks no caller."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from routing import groups, jobs, models, wakeups
from routing.actions import workers
from routing.actors import SYSTEM
from routing.events import courier as courier_module
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


class _Recorder:
    """A fake channel layer for the courier, which fails on request."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.broken = False

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.broken:
            raise ConnectionError("Redis is away")
        self.heard.append((group, message["event_type"]))


Start = Callable[[], courier_module._Courier]


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> _Recorder:
    """Return a recorder of all published messages."""
    made = _Recorder()
    monkeypatch.setattr(courier_module, "get_channel_layer", lambda: made)
    return made


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, settings: Any, recorder: _Recorder) -> Start:
    """Return a function that starts a courier thread, as every real process has one."""
    settings.DELIVERY_INLINE = False

    def begin() -> courier_module._Courier:
        made = courier_module._Courier()
        monkeypatch.setattr(courier_module, "_courier", lambda: made)
        made.start()
        return made

    return begin


def finish(courier: courier_module._Courier) -> None:
    """Publish the courier's events, and end it."""
    courier.queue.put(None)
    courier.join(timeout=10)
    assert not courier.is_alive()


def test_the_courier_publishes_in_order_and_marks_events_as_delivered(
    start: Start, recorder: _Recorder
) -> None:
    courier = start()
    workspace = factories.workspace()
    alice = factories.worker(workspace)
    factories.accepted(workspace)
    finish(courier)
    told = [event for group, event in recorder.heard if group == groups.worker_group(alice.sid)]
    assert told == ["reservation.created", "reservation.accepted"]
    assert not models.Event.objects.filter(delivered=False).exists()


def test_no_caller_waits_for_a_redis_that_does_not_answer(
    start: Start, recorder: _Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    courier = start()
    workspace = factories.workspace()
    alice = factories.worker(workspace, available=False)
    monkeypatch.setattr(wakeups, "wake_router", lambda sid: answers.wait(10))
    # A caller that waited for the answer would hang.
    workers.set_activity(
        worker=alice, activity=factories.activity(workspace), actor=SYSTEM, now=NOW
    )
    assert (groups.worker_group(alice.sid), "worker.activity.update") not in recorder.heard
    answers.set()
    finish(courier)
    assert (groups.worker_group(alice.sid), "worker.activity.update") in recorder.heard


def test_the_sweep_republishes_events_that_could_not_be_published(
    start: Start, recorder: _Recorder
) -> None:
    recorder.broken = True
    courier = start()
    workspace = factories.workspace()
    alice = factories.worker(workspace, available=False)
    workers.set_activity(
        worker=alice, activity=factories.activity(workspace), actor=SYSTEM, now=timezone.now()
    )
    finish(courier)
    assert models.Event.objects.filter(delivered=False).exists()
    recorder.broken = False
    models.Event.objects.update(event_date=timezone.now() - timedelta(seconds=10))
    courier = start()
    jobs.redeliver_events()
    finish(courier)
    assert (groups.worker_group(alice.sid), "worker.activity.update") in recorder.heard
    assert not models.Event.objects.filter(delivered=False).exists()


def test_the_sweep_skips_recent_events(start: Start, recorder: _Recorder) -> None:
    recorder.broken = True
    courier = start()
    workspace = factories.workspace(now=timezone.now())
    finish(courier)
    recorder.broken = False
    courier = start()
    jobs.redeliver_events()
    finish(courier)
    assert recorder.heard == []
    assert workspace.sid


def test_a_busy_queue_gets_merged_messages_and_the_last_one_is_not_lost(
    start: Start, recorder: _Recorder
) -> None:
    courier = start()
    workspace = factories.workspace()
    factories.workflow(workspace)
    for _ in range(20):
        factories.task(workspace)
    finish(courier)
    told = [event for group, event in recorder.heard if group.startswith("task_queue.")]
    assert 1 <= len(told) < 40
    assert told[-1] == "task.created"
