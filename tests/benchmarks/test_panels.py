"""The CPU time of refreshing each panel of the desk: its data alone, and with its HTML (15).

One agent has four offers and twelve tasks in hand, and a thousand tasks wait in their queue.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from django.template.loader import render_to_string

from agents import dashboard
from agents.dashboard import Panel
from routing import models
from tests import factories
from tests.benchmarks.conftest import Table
from tests.factories import NOW, later

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

HELD, OFFERED, WAITING = 12, 4, 1_000
ROUNDS = 60
ATTRIBUTES = {
    "subject": "Parcel has not arrived",
    "customer": {"name": "Ada Byron", "phone": "+44 20 7946 0958", "mail": "ada@example.org"},
    "order": "CB-12345",
    "language": "en",
}


def test_cpu_time_of_each_panel(table: Table) -> None:
    worker = make_desk()
    context = {"workspace": worker.workspace, "here": "?", "desk_url": "/agent/"}
    for panel in Panel:

        def load(panel: Panel = panel) -> dashboard.Context:
            return dashboard.load_panel(panel, worker, now=later(60))

        def draw(panel: Panel = panel) -> str:
            return render_to_string(f"agents/_{panel.value}.html", context | load(panel))

        table.add(
            f"    the panel {panel.value}: its data; with its HTML",
            f"{measure_us(load):.0f} us; {measure_us(draw):.0f} us",
        )


def make_desk() -> models.Worker:
    """Return an agent with offers and tasks, and make tasks wait in their queue."""
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(floor, default=queue)
    made = factories.worker(floor, "Alice", capacity={"chat": HELD + OFFERED})
    for _ in range(HELD):
        factories.accepted(floor, attributes=ATTRIBUTES)
    for _ in range(OFFERED):
        factories.offered(floor, attributes=ATTRIBUTES)
    for number in range(WAITING):
        factories.task(floor, attributes=ATTRIBUTES, now=later(number / WAITING))
    models.Dismissals.objects.get_or_create(worker_id=made.pk, defaults={"until": NOW})
    return models.Worker.objects.select_related("workspace", "activity").get(pk=made.pk)


def measure_us(act: Callable[[], object]) -> float:
    """Return the CPU time of an act in microseconds: the median of the rounds after the first."""
    taken = []
    for _ in range(ROUNDS + 1):
        begun = time.process_time()
        act()
        taken.append((time.process_time() - begun) * 1e6)
    return statistics.median(taken[1:])
