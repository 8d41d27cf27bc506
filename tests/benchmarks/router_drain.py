"""A router that offers all that waits in some workspaces, in a process beside a server.

`fill COUNT` makes workspaces with waiting tasks and free workers, and prints their sids as JSON.
`drain SID …` prints a line, waits for one, and prints the number of its offers and its CPU seconds.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final

import django

django.setup()

from django.db.models import F  # noqa: E402 - they need the settings above
from django.utils import timezone  # noqa: E402

from routing import models  # noqa: E402
from routing.actions import offers  # noqa: E402
from routing.events import courier  # noqa: E402
from routing.router import threads  # noqa: E402
from tests import factories  # noqa: E402
from tests.benchmarks import bulk_rows  # noqa: E402

WAITING: Final = 1_500
WORKERS: Final = 100


def fill(count: int) -> list[str]:
    """Make workspaces, and return their sids."""
    return [fill_one() for _ in range(count)]


def fill_one() -> str:
    """Make a workspace with waiting tasks, and with workers who have room for all of them."""
    floor = factories.workspace()
    factories.workflow(floor)
    factories.task(floor, attributes={}, now=timezone.now())
    bulk_rows.add_waiting_tasks(floor, WAITING)
    bulk_rows.add_workers(floor, WORKERS)
    rows = models.WorkerChannel.objects.filter(worker__workspace=floor)
    rows.update(configured_capacity=2 * WAITING // WORKERS, worker_available=True)
    there = factories.activity(floor)
    floor.workers.update(activity=there, workload_version=F("workload_version") + 1)
    return floor.sid


def drain(sids: list[str]) -> dict[str, Any]:
    """Run cycles until nothing is offered any more."""
    made = 0
    reserve = offers.reserve_workers

    def count(*given: Any, **named: Any) -> int:
        nonlocal made
        number = reserve(*given, **named)
        made += number
        return number

    offers.reserve_workers = count
    print("ready", flush=True)  # noqa: T201 - for the parent
    sys.stdin.readline()
    begun, quiet = time.process_time(), 0
    while quiet < 3:
        before = made
        for sid in sids:
            threads.run_workspace(sid)
        quiet = 0 if made > before else quiet + 1
        time.sleep(0.01 if quiet else 0)
    courier.stop_courier(timeout=60)
    return {"offers": made, "cpu": time.process_time() - begun}


if __name__ == "__main__":
    command, *given = sys.argv[1:]
    report = fill(int(given[0])) if command == "fill" else drain(given)
    print(json.dumps(report), flush=True)  # noqa: T201 - its result
