"""The cockpit's picture of a floor: CPU time, memory, and its shared panels (P1 to P3, P12).

`FLOOR_WAITING` and `FLOOR_AGENTS` are the smaller of the two floors that are compared;
`FLOOR_QUEUES` is the number of queues, each with an expression of its own.
"""

from __future__ import annotations

import functools
import gc
import os
import random
import statistics
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from routing import models
from routing.snapshots import workers as snapshots
from supervisors import access, pictures, reading
from supervisors.access import Supervisor
from supervisors.picture import Picture
from tests import factories
from tests.agents.conftest import BACKEND
from tests.benchmarks import bulk_rows
from tests.benchmarks.conftest import Table
from tests.benchmarks.processes import spent_seconds

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

WAITING = int(os.environ.get("FLOOR_WAITING", "5000"))
AGENTS = int(os.environ.get("FLOOR_AGENTS", "500"))
QUEUES = int(os.environ.get("FLOOR_QUEUES", "100"))
CHANGED = 50
ROUNDS = 20
MOST_BYTES = 1_024


@access.supervisors_only
def do_nothing(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Answer a supervisor with nothing: the least that any request to the cockpit costs."""
    return HttpResponse()


urlpatterns = [path("nothing", do_nothing), path("", include("config.urls"))]


def test_renewing_a_picture_with_many_waiting(table: Table) -> None:
    floors = []
    for size in (WAITING, 100 * WAITING):
        floors.append(make_floor(agents=AGENTS))
        bulk_rows.add_waiting_tasks(floors[-1], size)
    few, many = measure_renewals(floors)
    table.add(
        f"P1  renewing a picture, {100 * WAITING:,} waiting, ms of CPU beside {WAITING:,}",
        f"{few:.1f}  {many:.1f}",
        f"{many / few:.2f}x",
        many <= 1.1 * few,
    )


def test_renewing_a_picture_with_many_agents(table: Table) -> None:
    floors = []
    for agents in (AGENTS, 10 * AGENTS):
        floors.append(make_floor(agents=agents))
        bulk_rows.add_waiting_tasks(floors[-1], 1_000)
        name = f"    reading a picture whole, {agents:,} agents, {QUEUES} queues"
        table.add(f"{name}: new process; again", describe_whole(floors[-1]))
    few, many = measure_renewals(floors)
    table.add(
        f"P2  renewing, {10 * AGENTS:,} agents, {CHANGED} changed, ms of CPU beside {AGENTS:,}",
        f"{few:.1f}  {many:.1f}",
        f"{many / few:.2f}x",
        many <= 2.0 * few,
    )


def test_the_memory_of_a_picture(table: Table) -> None:
    sizes = []
    for agents in (AGENTS, 10 * AGENTS):
        floor = make_floor(agents=agents)
        # Workers as the router has them are in memory with and without a picture.
        read_whole(floor)
        tracemalloc.start()
        picture = read_whole(floor)
        gc.collect()
        sizes.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(picture.workers) == agents
    each = (sizes[1] - sizes[0]) / (9 * AGENTS)
    table.add(
        f"P12 memory of a picture for each of {10 * AGENTS:,} agents ({MOST_BYTES:,} bytes)",
        f"{each:,.0f} bytes",
        "",
        each <= MOST_BYTES,
    )


@pytest.mark.urls(__name__)
def test_a_panel_that_others_have_asked_for(table: Table) -> None:
    floor = make_floor(agents=AGENTS)
    bulk_rows.add_waiting_tasks(floor, 1_000)
    browser = Client()
    user = User.objects.create_user("lead")
    models.Membership.objects.create(user=user, workspace=floor)
    browser.force_login(user, backend=BACKEND)
    query = {"workspace": floor.sid}
    pictures.find_picture(floor)

    def ask(address: str, **headers: str) -> Callable[[], Any]:
        def act() -> Any:
            pictures.confirm_picture(floor.sid)
            return browser.get(address, query, headers=headers)

        return act

    first = ask("/supervisor/panels/queues")()
    nothing = measure_ms(ask("/nothing"), rounds=5 * ROUNDS)
    for name, bar, act in (
        ("a shared panel", 2.5, ask("/supervisor/panels/queues")),
        ("a 304", 1.5, ask("/supervisor/panels/queues", **{"If-None-Match": first["ETag"]})),
    ):
        act()
        taken = measure_ms(act, rounds=ROUNDS)
        table.add(
            f"P3  {name}, ms of CPU beside a request that does nothing",
            f"{nothing:.2f}  {taken:.2f}",
            f"{taken / nothing:.2f}x",
            taken <= bar * nothing,
        )


def make_floor(*, agents: int) -> models.Workspace:
    """Make a workspace with many queues, and agents, many of them busy."""
    floor = bulk_rows.make_workspace(workers=0, lanes=20)
    for number in range(QUEUES):
        language, level = bulk_rows.LANGUAGES[number % 5], number // 5 % 5
        region = number // 25
        asked = f'languages HAS "{language}" AND level >= {level} AND region >= {region}'
        factories.queue(floor, friendly_name=f"Floor {number}", target_workers=asked)
    bulk_rows.add_workers(floor, agents)
    dice = random.Random(agents)
    rows = list(models.WorkerChannel.objects.filter(worker__workspace=floor))
    for row in rows:
        row.consumed = dice.randint(0, row.configured_capacity)
    models.WorkerChannel.objects.bulk_update(rows, ["consumed"], batch_size=500)
    return floor


def read_whole(floor: models.Workspace, before: Picture | None = None) -> Picture:
    """Return the picture of a floor, read whole."""
    number = pictures.next_number()
    return reading.read_whole(floor, number=number, now=timezone.now(), before=before)


def measure_renewals(floors: list[models.Workspace]) -> list[float]:
    """Return the CPU times of a renewal in ms, with some agents changed: medians of turns."""
    pictures_before = [read_whole(floor) for floor in floors]
    pks = [list(floor.workers.order_by("pk").values_list("pk", flat=True)) for floor in floors]
    dice = random.Random(0)
    taken: list[list[float]] = [[] for _ in floors]
    for _ in range(ROUNDS):
        for floor, before, known, times in zip(floors, pictures_before, pks, taken, strict=True):
            rows = models.Worker.objects.filter(pk__in=dice.sample(known, CHANGED))
            rows.update(workload_version=F("workload_version") + 1)
            sids = set(rows.values_list("sid", flat=True))
            times.append(measure_ms(functools.partial(renew, floor, before, sids), rounds=1))
    return [statistics.median(times) for times in taken]


def renew(floor: models.Workspace, before: Picture, sids: set[str]) -> Picture:
    """Return a newer picture, for which some agents were read."""
    number = pictures.next_number()
    return reading.read_changes(floor, before, sids, number=number, now=timezone.now())


def describe_whole(floor: models.Workspace) -> str:
    """Return the CPU time of reading a picture in a new process, and again."""

    def read_first() -> None:
        snapshots._snapshots.clear()
        read_whole(floor)

    before = read_whole(floor)
    again = measure_ms(lambda: read_whole(floor, before), rounds=3)
    return f"{measure_ms(read_first, rounds=3):.0f} ms; {again:.0f} ms"


def measure_ms(act: Callable[[], object], *, rounds: int) -> float:
    """Return the CPU time of an act in ms, with what the database's process takes for it."""
    begun = spent_seconds()
    for _ in range(rounds):
        act()
    return (spent_seconds() - begun) * 1000 / rounds
