"""How many events a second reach one receiver, alone and beside one that never answers.

In turns, in this process, as its runner posts them: signed, in order per task, and written down.
`EVENTS` in the environment says how many in each turn.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from config import environment
from routing import models
from routing.actions import tasks, workspaces
from routing.actors import SYSTEM
from routing.events import courier
from routing.webhook_delivery import event_deliveries
from tests import factories
from tests.benchmarks import callback_sink
from tests.benchmarks.conftest import Table
from tests.factories import NOW
from tests.server import ROOT
from tests.webhooks.receiver import silent

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

EVENTS = int(os.environ.get("EVENTS", "400"))
TASKS, ROUNDS = 40, 3


@pytest.fixture(autouse=True)
def _on_this_machine(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow receivers on this machine, and leave out the sockets."""
    monkeypatch.setenv("CALLBACK_ALLOW_PRIVATE", "127.0.0.1")
    settings.CALLBACK_ALLOW_PRIVATE = environment.parse_networks("CALLBACK_ALLOW_PRIVATE")
    monkeypatch.setattr(courier, "publish_events", lambda events: None)


@contextlib.contextmanager
def taking() -> Iterator[int]:
    """Run a receiver in a process of its own and yield its port."""
    command = [sys.executable, "-m", "tests.benchmarks.callback_sink"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            assert receiver.stdout is not None
            yield int(receiver.stdout.readline())
        finally:
            receiver.terminate()


class Floor:
    """A workspace whose tasks change, with a receiver of events."""

    def __init__(self, url: str) -> None:
        self._floor = factories.workspace(account=factories.account(auth_token="t" * 32))
        self.sid = self._floor.sid
        self._tasks = [factories.task(self._floor) for _ in range(TASKS)]
        self._changes = 0
        workspaces.update_workspace(
            workspace=self._floor,
            event_callback_url=url,
            events_filter="task.updated",
            actor=SYSTEM,
            now=NOW,
        )

    def change(self, times: int) -> None:
        """Make this many undelivered events, spread over the tasks."""
        for _ in range(times):
            round_, which = divmod(self._changes, TASKS)
            tasks.update_task(
                task=self._tasks[which], priority=round_, actor=SYSTEM, now=timezone.now()
            )
            self._changes += 1

    def owed(self) -> int:
        """Return how many events are still undelivered."""
        return models.CallbackDelivery.objects.pending().filter(workspace_sid=self.sid).count()

    def post(self) -> float:
        """Post all undelivered events and return how many per second."""
        owed, begun = self.owed(), time.perf_counter()
        while self.owed():
            event_deliveries.post_due_events(self.sid)
        return owed / (time.perf_counter() - begun)


@contextlib.contextmanager
def posting_to(floor: Floor) -> Iterator[None]:
    """Post to a workspace's receiver in the background, as a job does."""
    over = threading.Event()

    def post() -> None:
        while not over.is_set():
            event_deliveries.post_due_events(floor.sid)
            over.wait(0.1)
        connection.close()

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_events_per_second_to_one_receiver(table: Table) -> None:
    rates: dict[str, list[float]] = {"alone": [], "beside": []}
    with taking() as port, silent() as dead:
        fast = Floor(f"http://127.0.0.1:{port}/hook")
        # Eight posts wait for it at once, a second each.
        away = Floor(f"{dead}#rt=1000")
        away.change(EVENTS)
        for _ in range(ROUNDS):
            fast.change(EVENTS)
            rates["alone"].append(fast.post())
            models.CallbackReceiver.objects.update(rests_until=None, failures=0)
            fast.change(EVENTS)
            with posting_to(away):
                rates["beside"].append(fast.post())
        told = callback_sink.fetch_received(port)
    assert told == {"taken": 2 * ROUNDS * EVENTS, "twice": 0, "out of order": 0}
    assert away.owed() == EVENTS
    vendor = "PostgreSQL" if connection.vendor == "postgresql" else "SQLite"
    alone, beside = (statistics.median(rates[name]) for name in rates)
    table.add(f"    {vendor}: event callbacks taken by one fast receiver", f"{alone:.0f}/s")
    table.add(
        f"    {vendor}: the same beside one that never answers",
        f"{beside:.0f}/s",
        f"{beside / alone:.2f}x",
    )
