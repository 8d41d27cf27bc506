"""Stress one workspace with routers and random operations in processes; print a report as JSON.

`python -m tests.races.rush_hour SECONDS SEED`; see `runner`. Eight processes route, as job runners
do. Six act for fifty workers, their supervisors and their customers, until the time is over and
each has run `LEAST_OPERATIONS`. A router takes jobs that wakes have sent. Half of the routers also
route without the lock when no job comes, because correctness must not depend on it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.races.rush_hour_settings"

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from config.celery import app  # noqa: E402
from routing import diagnosis, jobs, models, wakeups  # noqa: E402
from routing.actions import workflows  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from routing.core.clock import microseconds  # noqa: E402
from routing.core.vocabulary import TransferStatus  # noqa: E402
from routing.router import rounds, threads  # noqa: E402
from tests import factories  # noqa: E402
from tests.properties.router_floor import furnish  # noqa: E402
from tests.properties.router_laws import Histories, Pass, check_diagnosis, check_rows  # noqa: E402
from tests.races.event_replay import EventReplay  # noqa: E402
from tests.races.random_operations import CHANNELS, QUIET_CHANNEL  # noqa: E402
from tests.races.random_supervision import RandomSupervision  # noqa: E402

ROUTERS: Final = 8
ACTORS: Final = 6
WORKERS: Final = 50
QUIET_WORKERS: Final = 6
LEAST_OPERATIONS: Final = 80
"""Number of operations of each process, even if a busy machine is late."""
OFFER_SECONDS: Final = 5
"""Short, so that many offers time out during other actions."""


def make_workspace(seed: int) -> str:
    """Make the workspace and return its sid."""
    call_command("migrate", verbosity=0)
    dice = random.Random(seed)
    floor = factories.workspace()
    furnish(floor)
    for workflow in floor.workflows.all():
        workflows.update_workflow(
            workflow=workflow,
            task_reservation_timeout=OFFER_SECONDS,
            actor=SYSTEM,
            now=timezone.now(),
        )
    for number in range(WORKERS):
        factories.worker(
            floor,
            ("alice", "bob", "carol")[number] if number < 3 else f"Worker {number}",
            attributes={"level": dice.randint(0, 3)},
            capacity={channel: dice.randint(0, 3) for channel in CHANNELS} | {QUIET_CHANNEL: 0},
        )
    for number in range(QUIET_WORKERS):
        capacity = dict.fromkeys(CHANNELS, 0) | {QUIET_CHANNEL: 20}
        factories.worker(floor, f"Quiet worker {number}", capacity=capacity)
    return floor.sid


_fork: Final = multiprocessing.get_context("fork")
_actors_are_done: Final = _fork.Event()


def run_router(workspace: str, number: int, seed: int, until: float) -> Counter[str]:
    """Take and run jobs until the operations have ended; return the counts."""
    counted: Counter[str] = Counter()
    run_round = rounds.run_round

    def counting(*given: Any) -> tuple[int, bool]:
        done, again = run_round(*given)
        counted["cycles"] += 1
        counted["decisions carried out"] += done
        return done, again

    rounds.run_round = counting  # type: ignore[assignment]
    sweep_at = time.monotonic()
    with app.connection_for_read() as broker, broker.SimpleQueue("celery") as queue:
        while not _actors_are_done.is_set():
            if number == 0 and time.monotonic() >= sweep_at:
                sweep_at += 1
                jobs.run_due_cycles()
            try:
                message = queue.get(block=False)
            except queue.Empty:
                if woken := wakeups.take_wake(timeout=0.2):
                    counted["wakes taken"] += 1
                    threads.run_workspace(woken)
                    continue
                if number % 2:
                    counted["cycles without the lock"] += 1
                    floor = models.Workspace.objects.get(sid=workspace)
                    rounds.run_for_a_while(floor)
                continue
            message.ack()
            before = counted["cycles"]
            app.tasks[message.headers["task"]](**message.payload[1])
            counted["jobs taken"] += 1
            counted["jobs that found another runner at it"] += counted["cycles"] == before
    return counted


def run_operations(workspace: str, number: int, seed: int, until: float) -> Counter[str]:
    """Run operations for every sixth worker until a moment; return the outcomes."""
    workers = models.Worker.objects.filter(workspace__sid=workspace).order_by("pk")
    names = list(workers.values_list("friendly_name", flat=True))[number::ACTORS]
    actor = RandomSupervision(workspace, names=names, seed=seed * 1000 + number)
    return actor.act_until(until, least=LEAST_OPERATIONS)


def check_workspace(workspace: str) -> dict[str, Any]:
    """Run the router until it finds nothing more, then check the tables."""
    floor = models.Workspace.objects.get(sid=workspace)
    while True:
        now = timezone.now()
        last = Pass(floor)
        if not rounds.run_cycle(workspace=floor, now=now):
            break
    replay = EventReplay(floor)
    replay.check_rows()
    found = list(floor.tasks.all())
    made = list(floor.reservations.all())
    histories = Histories(floor)

    def last_pass() -> None:
        last.read(now=now)
        last.check()

    def no_transfer_is_overdue() -> None:
        under_way = floor.transfers.filter(transfer_status=TransferStatus.INITIATED.value)
        assert not list(under_way.filter(deadline_us__lte=microseconds(now)))

    laws: dict[str, Callable[[], object]] = {
        "the doctor": lambda: call_command("doctor", stdout=sys.stderr),
        "the diagnosis": check_diagnosis,
        "the rows": lambda: check_rows(found, made),
        "the reservations' events": lambda: histories.check_reservations(made),
        "the tasks' events": lambda: histories.check_tasks(found),
        "the last cycle": last_pass,
        "the transfers": no_transfer_is_overdue,
    }
    wrong = list(replay.violations)
    for name, law in laws.items():
        try:
            law()
        except (AssertionError, CommandError):
            wrong.append(f"{name}: {traceback.format_exc()}")
    if wrong:
        wrong += diagnosis.find_problems()
    return {
        "wrong": wrong,
        "offers": replay.offers,
        "offers at creation": count_offers_at_creation(floor),
        "tasks": len(found),
        "events": models.Event.objects.count(),
    }


def count_offers_at_creation(floor: models.Workspace) -> int:
    """Return how many tasks were offered in the transaction that created them."""
    told = models.Event.objects.filter(workspace_sid=floor.sid)
    created = told.filter(event_type="task.created").values("transaction_id")
    return told.filter(event_type="reservation.created", transaction_id__in=created).count()


def run_rush_hour(seconds: float, seed: int) -> dict[str, Any]:
    """Run routers and operations, check the tables, and return the report."""
    # Nothing touches the database before the fork: a connection must not be shared.
    with ProcessPoolExecutor(1, mp_context=_fork) as alone:
        workspace = alone.submit(make_workspace, seed).result()
    crashes: list[str] = []
    routed: Counter[str] = Counter()
    acted: Counter[str] = Counter()
    with ProcessPoolExecutor(ROUTERS + ACTORS, mp_context=_fork) as crowd:
        until = time.monotonic() + seconds
        running = [
            (total, crowd.submit(what, workspace, number, seed, until))
            for total, what, count in (
                (acted, run_operations, ACTORS),
                (routed, run_router, ROUTERS),
            )
            for number in range(count)
        ]
        for position, (total, each) in enumerate(running):
            if position == ACTORS:
                _actors_are_done.set()
            try:
                total.update(each.result())
            except Exception as error:
                crashes.append("".join(traceback.format_exception(error)))
    with ProcessPoolExecutor(1, mp_context=_fork) as alone:
        closed = alone.submit(check_workspace, workspace).result()
    return {"routed": routed, "acted": acted, "crashes": crashes, **closed}


if __name__ == "__main__":
    print(json.dumps(run_rush_hour(float(sys.argv[1]), int(sys.argv[2]))))  # noqa: T201 - the report
