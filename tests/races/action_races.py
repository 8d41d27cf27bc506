"""Race actions in threads on PostgreSQL, and print a report as JSON.

`python -m tests.races.action_races SCENARIO SEED`; see `runner`.
"""

from __future__ import annotations

import functools
import json
import os
import random
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.races.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection  # noqa: E402
from django.db.models import F  # noqa: E402

from routing import diagnosis, models  # noqa: E402
from routing.actions import (  # noqa: E402
    offers,
    reservations,
    task_transitions,
    worker_channels,
    workers,
    workspaces,
)
from routing.actions.support.errors import ActionError, NotEligible  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from routing.router import rounds  # noqa: E402
from tests import factories  # noqa: E402
from tests.factories import NOW  # noqa: E402

THREADS = 8
Act = Callable[[random.Random], None]


class Race:
    """Threads that start together, and the outcome of every action they tried."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.crashes: list[str] = []
        self._lock = threading.Lock()

    def run(self, acts: list[Act], seed: int) -> None:
        """Run each act in a thread of its own; all begin at the same moment."""
        start = threading.Barrier(len(acts))

        def one(number: int, act: Act) -> None:
            start.wait()
            act(random.Random(seed * 1000 + number))

        threads = [self._thread(one, *pair) for pair in enumerate(acts)]
        for thread in threads:
            thread.join()

    def start(
        self, name: str, action: Callable[..., object], **arguments: object
    ) -> threading.Thread:
        """Try an action in a thread of its own; see `attempt`."""
        return self._thread(functools.partial(self.attempt, name, action, **arguments))

    def _thread(self, act: Callable[..., None], *arguments: object) -> threading.Thread:
        def run_and_record() -> None:
            try:
                act(*arguments)
            except Exception:
                with self._lock:
                    self.crashes.append(traceback.format_exc())
            finally:
                connection.close()

        thread = threading.Thread(target=run_and_record)
        thread.start()
        return thread

    def attempt(self, name: str, action: Callable[..., object], **arguments: object) -> None:
        """Try an action; the loser of a race must get an error.

        An `ActionError`, or a database error where a row that a new one refers to is gone: the
        entry points answer both.
        """
        try:
            action(actor=SYSTEM, **arguments)
        except (ActionError, IntegrityError) as error:
            reason = error.refusal.value if isinstance(error, NotEligible) else type(error).__name__
            self._count(f"{name}: {reason}")
        else:
            self._count(f"{name}: done")

    def _count(self, outcome: str) -> None:
        with self._lock:
            self.outcomes[outcome] += 1


def race_grabs(seed: int) -> dict[str, Any]:
    """Eight workers with three slots each grab the same twenty tasks."""
    floor = factories.workspace()
    people = [factories.worker(floor, capacity={"chat": 0}, available=True) for _ in range(THREADS)]
    for person in people:
        factories.set_capacity(person, configured_capacity=3)
    tasks = [factories.task(floor) for _ in range(20)]
    race = Race()

    def grab(person: models.Worker) -> Act:
        def act(dice: random.Random) -> None:
            for task in dice.sample(tasks, len(tasks)):
                race.attempt("grab", offers.grab_task, task=task, worker=person, now=NOW)

        return act

    race.run([grab(person) for person in people], seed)
    return report_race(race)


def race_mixed_actions(seed: int) -> dict[str, Any]:
    """Routers, grabbers, people who answer, cancel, complete, leave, and change capacity."""
    floor = factories.workspace()
    queue = factories.queue(floor, max_reserved_workers=2)
    factories.workflow(floor, default=queue)
    people = [factories.worker(floor, capacity={"chat": 2}) for _ in range(6)]
    tasks = [factories.task(floor) for _ in range(40)]
    factories.run(floor)
    race = Race()
    moment = iter(range(10_000_000))

    def now() -> Any:
        return NOW + timedelta(milliseconds=next(moment))

    def route(dice: random.Random) -> None:
        for _ in range(30):
            rounds.run_cycle(workspace=floor, now=now())

    def answer(dice: random.Random) -> None:
        for _ in range(80):
            found = models.Reservation.objects.open().order_by("?").first()
            if found is None:
                continue
            verb: Any = dice.choice(
                [
                    reservations.accept_reservation,
                    reservations.accept_reservation,
                    reservations.reject_reservation,
                    reservations.wrap_up_reservation,
                    reservations.complete_reservation,
                ]
            )
            race.attempt(verb.__name__, verb, reservation=found, now=now())

    def take(dice: random.Random) -> None:
        for _ in range(60):
            task, person = dice.choice(tasks), dice.choice(people)
            race.attempt("grab", offers.grab_task, task=task, worker=person, now=now())

    def end(dice: random.Random) -> None:
        for _ in range(30):
            task = dice.choice(tasks)
            verb: Any = dice.choice([task_transitions.cancel_task, task_transitions.complete_task])
            race.attempt(verb.__name__, verb, task=task, now=now())

    def come_and_go(dice: random.Random) -> None:
        there, away = factories.activity(floor), factories.activity(floor, "Unavailable")
        for _ in range(40):
            person, leaving = dice.choice(people), dice.random() < 0.4
            race.attempt(
                "activity",
                workers.set_activity,
                worker=person,
                activity=away if leaving else there,
                reject_pending_reservations=leaving,
                now=now(),
            )

    def switch(dice: random.Random) -> None:
        for _ in range(40):
            channel, on = factories.worker_channel(dice.choice(people)), dice.random() < 0.8
            race.attempt(
                "switch",
                worker_channels.update_worker_channel,
                channel=channel,
                available=on,
                now=now(),
            )

    race.run([route, route, answer, answer, take, end, come_and_go, switch], seed)
    return report_race(race)


def race_workspace_deletion(seed: int) -> dict[str, Any]:
    """A workspace is deleted while people and routers are at work in it."""
    floor = factories.workspace()
    factories.workflow(floor)
    people = [factories.worker(floor, capacity={"chat": 2}) for _ in range(6)]
    for _ in range(20):
        factories.task(floor)
    factories.run(floor)
    slots = [factories.worker_channel(person) for person in people]
    race = Race()

    def work(dice: random.Random) -> None:
        for _ in range(30):
            offer = models.Reservation.objects.order_by("?").first()
            if offer is None:
                return
            verb: Any = dice.choice(
                [reservations.accept_reservation, reservations.reject_reservation]
            )
            race.attempt(verb.__name__, verb, reservation=offer, now=NOW)
            race.attempt(
                "slots",
                worker_channels.update_worker_channel,
                channel=dice.choice(slots),
                configured_capacity=dice.randint(0, 3),
                now=NOW,
            )

    def route(dice: random.Random) -> None:
        for _ in range(10):
            rounds.run_cycle(workspace=floor, now=NOW)

    def close(dice: random.Random) -> None:
        here = models.Workspace.objects.get(pk=floor.pk)
        race.attempt("close", workspaces.delete_workspace, workspace=here, now=NOW)

    race.run([route, work, work, work, close], seed)
    return report_race(race)


def count_over_capacity() -> int:
    """Return how many worker channels have more slots in use than their capacity."""
    return models.WorkerChannel.objects.filter(consumed__gt=F("configured_capacity")).count()


def report_race(race: Race) -> dict[str, Any]:
    """Return the tried actions, and the problems in the tables afterwards."""
    return {
        "outcomes": dict(race.outcomes),
        "crashes": race.crashes,
        "problems": list(diagnosis.find_problems()),
        "over_capacity": count_over_capacity(),
        "reservations": models.Reservation.objects.count(),
        "owned": models.Task.objects.filter(assignment_status="assigned").count(),
    }


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    scenario = {
        "grabbers": race_grabs,
        "mixed": race_mixed_actions,
        "closing": race_workspace_deletion,
    }[sys.argv[1]]
    print(json.dumps(scenario(int(sys.argv[2]))))  # noqa: T201 - the report is the output
