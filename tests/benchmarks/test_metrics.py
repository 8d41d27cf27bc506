"""A scrape of `/metrics` and `/metrics/queues` with 100 times as many tasks waiting (P10)."""

from __future__ import annotations

import functools
import os
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from config import health
from config.metrics import pages
from supervisors import pictures
from tests import factories
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table
from tests.benchmarks.test_floor import measure_ms

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

FEW = int(os.environ.get("SCRAPED", "1000"))
QUEUES = 200
ROUNDS = 15
MOST_BYTES = 1_000_000


def test_a_scrape_costs_the_same_for_any_backlog(
    table: Table, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS = True
    monkeypatch.setattr(health, "check_parts", dict)
    floor = bulk_rows.make_workspace(workers=500, lanes=100)
    for number in range(QUEUES - 1):
        factories.queue(floor, friendly_name=f"Scraped {number}")
    found: dict[str, list[float]] = {"/metrics": [], "/metrics/queues": []}
    reads = dict(zip(found, (pages.read_floor, pages.read_queues), strict=True))
    for size in (FEW, 100 * FEW):
        bulk_rows.add_waiting_tasks(floor, size)
        for name, read in reads.items():
            found[name].append(measure_cpu_ms(functools.partial(scrape, read)))
    for name, (few, many) in found.items():
        length = len(scrape(reads[name]))
        table.add(
            f"P10  {name} at 100 times the backlog, ms of CPU, beside {FEW:,} waiting",
            f"{few:.1f}  {many:.1f}",
            f"{many / few:.2f}x",
            many <= 1.1 * few,
        )
        table.add(
            f"P10  bytes of {name} with {QUEUES} queues", f"{length:,}", "", length <= MOST_BYTES
        )


def measure_cpu_ms(act: Callable[[], object]) -> float:
    """Return the median CPU time of an act, with that of the database's session."""
    return statistics.median(measure_ms(act, rounds=1) for _ in range(ROUNDS))


def scrape(read: Callable[..., bytes]) -> bytes:
    """Return a page that is read again from the database."""
    pages.forget_pages()
    pictures.forget_pictures()
    return read(now=timezone.now())
