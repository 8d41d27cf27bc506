"""What cycles and answers cost, in a process beside a server whose parts stand still.

`python -m tests.benchmarks.task_costs CROWD DATABASE_URL` prints JSON: for each operation the
microseconds of CPU of its thread and of PostgreSQL. Its first argument is what `latency_data`
wrote.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import django

django.setup()

from django.db import close_old_connections  # noqa: E402 - they need the settings above
from django.utils import timezone  # noqa: E402

from agents import access, commands  # noqa: E402
from routing import models  # noqa: E402
from routing.actions import tasks  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from routing.router import threads  # noqa: E402
from tests.benchmarks.create_cost import build_post  # noqa: E402
from tests.benchmarks.processes import database_cpu_seconds  # noqa: E402

CYCLES: Final = {1: 150, 2: 80, 5: 50, 20: 20, 100: 6}
"""Number of measured cycles with so many offers."""
ANSWERS: Final = 200
WARM_UP: Final = 20
SIDE: Final = "here"
Cost = tuple[float, float]
"""Microseconds of CPU of the thread, and of PostgreSQL."""


def main(crowd: dict[str, Any], url: str) -> dict[str, Cost]:
    """Return the cost of each operation."""
    floor = models.Workspace.objects.get(sid=crowd["base"].rpartition("/")[2])
    costs = Costs(floor, crowd, url)
    found = costs.measure_cycles()
    found |= costs.measure_answers("REST", costs.build_rest_calls)
    return found | costs.measure_answers("desk", costs.build_desk_calls)


class Costs:
    """The measurements in one workspace."""

    def __init__(self, floor: models.Workspace, crowd: dict[str, Any], url: str) -> None:
        self._floor, self._crowd, self._url = floor, crowd, url
        self._chat = floor.task_channels.get(unique_name="chat")
        # In the order in which `latency_data` made them.
        agents = floor.workers.exclude(user=None).order_by("pk").values_list("user_id", flat=True)
        keys = [cookie.partition("=")[2] for cookie in crowd["cookies"][SIDE]]
        self._sessions = dict(zip(agents, keys, strict=True))

    def measure_cycles(self) -> dict[str, Cost]:
        """Return the cost of a cycle without its offers, and of each offer."""
        for _ in range(WARM_UP):
            self._create(1)
            self._route()
        points: dict[int, Cost] = {}
        for offers, cycles in CYCLES.items():
            spent = []
            for _ in range(cycles):
                self._create(offers)
                spent.append(self._measure([self._route]))
            thread, database = (sum(part) / cycles for part in zip(*spent, strict=True))
            points[offers] = (thread, database)
        named = {f"a cycle of {offers}": cost for offers, cost in points.items()}
        return named | split_costs(points)

    def measure_answers(
        self, door: str, build: Callable[[models.Reservation], tuple[Any, Any]]
    ) -> dict[str, Cost]:
        """Return the cost of accepting, and of completing."""
        wanted, offers = (
            ANSWERS + WARM_UP,
            self._floor.reservations.filter(reservation_status="pending"),
        )
        while offers.count() < wanted:
            self._create(50)
            self._route()
        chosen = offers.select_related("task", "worker__user").order_by("-pk")[:wanted]
        calls = zip(*map(build, chosen), strict=True)
        found = {}
        for name, acts in zip(("accept", "complete"), calls, strict=True):
            self._measure(acts[:WARM_UP])
            thread, database = self._measure(acts[WARM_UP:])
            found[f"{name}, {door}"] = (thread / ANSWERS, database / ANSWERS)
        return found

    def build_rest_calls(self, offer: models.Reservation) -> tuple[Any, Any]:
        """Return requests that accept an offer and complete its task, through the whole stack."""
        task = f"/v1{self._crowd['base']}/Tasks/{offer.task.sid}"
        return (
            self._post(f"{task}/Reservations/{offer.sid}", ReservationStatus="accepted"),
            self._post(task, AssignmentStatus="completed"),
        )

    def build_desk_calls(self, offer: models.Reservation) -> tuple[Any, Any]:
        """Return commands of an open desk that accept an offer and complete its task."""
        user = offer.worker.user_id if offer.worker else None
        assert user is not None
        session = self._sessions[user], user
        return (
            self._command(session, "reservation.accept", reservation=offer.sid),
            self._command(session, "task.complete", task=offer.task.sid),
        )

    def _command(self, session: tuple[str, int], name: str, **arguments: str) -> Any:
        def act() -> None:
            _, worker = access.load_agent(*session, None)
            assert worker is not None
            agent = access.Agent(worker=worker)
            commands.run_command(agent, name, arguments, now=timezone.now())

        return act

    def _post(self, path: str, **form: str) -> Any:
        pair = self._crowd["username"], self._crowd["password"]
        return build_post(path, form, pair, status=200)

    def _create(self, count: int) -> None:
        for _ in range(count):
            tasks.create_task(
                workspace=self._floor,
                task_channel=self._chat,
                attributes=json.dumps({"side": SIDE}),
                actor=SYSTEM,
                now=timezone.now(),
            )

    def _route(self) -> None:
        close_old_connections()
        threads.run_workspace(self._floor.sid)
        close_old_connections()

    def _measure(self, acts: Iterable[Callable[[], object]]) -> Cost:
        """Run operations in this thread, and return what all of them cost."""
        time.sleep(0.01)  # the courier of the operations before
        database, thread = database_cpu_seconds(self._url), time.thread_time()
        for act in acts:
            act()
        thread = time.thread_time() - thread
        time.sleep(0.002)
        return 1e6 * thread, 1e6 * (database_cpu_seconds(self._url) - database)


def split_costs(cycles: dict[int, Cost]) -> dict[str, Cost]:
    """Return the cost of a cycle without its offers, and of each offer, by number of offers."""
    few, many = min(cycles), max(cycles)
    each = [(b - a) / (many - few) for a, b in zip(cycles[few], cycles[many], strict=True)]
    fixed = [cost - few * slope for cost, slope in zip(cycles[few], each, strict=True)]
    return {"a cycle": (fixed[0], fixed[1]), "each offer": (each[0], each[1])}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2])))  # noqa: T201 - its result
