"""Play contests about transfers: `python -m tests.races.handing_on`, with the report as JSON.

Each contest is played twice, once with either of the two as the first. Both have read what they
decide by, and wait for the same locks, before either goes on.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from typing import Any, Final

from tests.races.play import Race, over_capacity  # isort: skip - it sets Django up

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import QuerySet

from routing import diagnosis, models
from routing.actions import offers, reservations, task_transitions, tasks, transfers, workers
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from routing.router import rounds
from tests import factories
from tests.factories import NOW, later
from tests.races.hall import Contest, Contestant, Hall

PATIENCE: Final = 30
"""Seconds after which an action that should wait for a lock counts as not waiting."""


def two_transfers() -> Contest:
    """Alice hands her task to two colleagues at once."""
    hall = Hall()
    return hall.contest(
        hall.held.task, bob=hall.handing_to(hall.bob), cecilia=hall.handing_to(hall.cecilia)
    )


def accept_and_cancel() -> Contest:
    """Bob accepts what Alice takes back."""
    hall = Hall()
    transfer = hall.handed_to(hall.bob)
    return hall.contest(
        hall.held.task,
        accept=(reservations.accept_reservation, {"reservation": hall.offer(), "now": NOW}),
        cancel=(transfers.cancel_transfer, {"transfer": transfer, "now": NOW}),
    )


def accept_and_timeout() -> Contest:
    """Bob accepts in the last moment, and the router's clock is a little ahead."""
    hall = Hall()
    hall.handed_to(hall.bob)
    offer = hall.offer()
    return hall.contest(
        hall.held.task,
        accept=(reservations.accept_reservation, {"reservation": offer, "now": later(119)}),
        timeout=(_time_out, {"sid": offer.sid, "now": later(121)}),
    )


def _time_out(*, sid: str, now: datetime, actor: object) -> None:
    reservations.time_out_reservation(sid=sid, now=now)


def transfer_and_complete() -> Contest:
    """Alice transfers a task that another process completes."""
    hall = Hall()
    return hall.contest(
        hall.held.task,
        transfer=hall.handing_to(hall.bob),
        complete=(task_transitions.complete_task, {"task": hall.held.task, "now": NOW}),
    )


def transfer_and_cancel() -> Contest:
    """Alice transfers a task that another process cancels without permission."""
    hall = Hall()
    return hall.contest(
        hall.held.task,
        transfer=hall.handing_to(hall.bob),
        cancel=(task_transitions.cancel_task, {"task": hall.held.task, "now": NOW}),
    )


def transfer_and_delete() -> Contest:
    """Alice transfers a task that another process deletes."""
    hall = Hall()
    return hall.contest(
        hall.held.task,
        transfer=hall.handing_to(hall.bob),
        delete=(tasks.delete_task, {"task": hall.held.task, "now": NOW}),
    )


def transfer_and_leave() -> Contest:
    """Alice hands her task to Bob, who leaves for a break."""
    hall = Hall()
    away = factories.activity(hall.floor, "Unavailable")
    return hall.contest(
        hall.bob,
        transfer=hall.handing_to(hall.bob),
        leave=(workers.set_activity, {"worker": hall.bob, "activity": away, "now": NOW}),
    )


def _other_task(hall: Hall) -> Contestant:
    """Grab a waiting task for Bob with his only slot."""
    factories.set_capacity(hall.cecilia, configured_capacity=0)
    task = factories.task(hall.floor)
    return offers.grab_task, {"task": task, "worker": hall.bob, "now": NOW}


def transfer_and_grab() -> Contest:
    """Alice hands her task to Bob, who takes something else with his last slot."""
    hall = Hall()
    return hall.contest(hall.bob, transfer=hall.handing_to(hall.bob), grab=_other_task(hall))


def queue_and_grab() -> Contest:
    """The router offers Bob a transfer to his queue while he fills his last slot."""
    hall = Hall()
    transfer = hall.handed_to(hall.billing())
    return hall.contest(hall.bob, ask=_asking(transfer), grab=_other_task(hall))


def two_routers() -> Contest:
    """Two routers look for a worker at once."""
    hall = Hall()
    transfer = hall.handed_to(hall.billing())
    return hall.contest(hall.bob, one=_asking(transfer), other=_asking(transfer))


def _asking(transfer: models.Transfer) -> Contestant:
    row = models.Transfer.objects.select_related("workspace", "task__task_channel")
    return _ask, {"transfer": row.get(pk=transfer.pk), "now": NOW}


def _ask(*, transfer: models.Transfer, now: datetime, actor: object) -> None:
    transfers.offer_to_next_worker(transfer=transfer, now=now)


def give_up_and_accept() -> Contest:
    """A queue's turn ends while Bob, who has the offer, accepts."""
    hall = Hall()
    transfer = hall.handed_to(hall.billing())
    factories.run(hall.floor)
    assert transfer.deadline_us == hall.offer().deadline_us
    return hall.contest(
        hall.held.task,
        accept=(
            reservations.accept_reservation,
            {"reservation": hall.offer(), "now": later(119)},
        ),
        end=(_time_out, {"sid": hall.offer().sid, "now": later(121)}),
    )


def leave_and_complete() -> Contest:
    """Alice leaves after a warm transfer while Bob completes the task."""
    hall = Hall()
    hall.handed_to(hall.bob, TransferMode.WARM)
    taken = reservations.accept_reservation(reservation=hall.offer(), actor=SYSTEM, now=NOW)
    return hall.contest(
        hall.held.task,
        leave=(reservations.complete_reservation, {"reservation": hall.held, "now": NOW}),
        complete=(reservations.complete_reservation, {"reservation": taken, "now": NOW}),
    )


CONTESTS: Final = {
    contest.__name__: contest
    for contest in (
        two_transfers,
        accept_and_cancel,
        accept_and_timeout,
        transfer_and_complete,
        transfer_and_cancel,
        transfer_and_delete,
        transfer_and_leave,
        transfer_and_grab,
        queue_and_grab,
        two_routers,
        give_up_and_accept,
        leave_and_complete,
    )
}


def play(contest: Contest, order: list[str]) -> dict[str, Any]:
    """Queue both for the lock in this order, then release it; return the outcome."""
    race = Race()
    threads: list[threading.Thread] = []
    with transaction.atomic():
        rows: QuerySet[Any] = type(contest.gate)._default_manager.filter(pk=contest.gate.pk)
        list(rows.select_for_update(no_key=True).values_list("pk"))
        for name in order:
            action, given = contest.sides[name]
            threads.append(race.start(name, action, **given))
            _wait_for(len(threads))
    for thread in threads:
        thread.join()
    return {"outcomes": sorted(race.outcomes), "crashes": race.crashes, **state(contest.floor)}


def _wait_for(waiting: int) -> None:
    """Return when so many wait for a lock."""
    give_up_at = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < give_up_at:
            # Who waits by what they do, `pg_stat_activity` says only once in a transaction.
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() == (waiting,):
                return
            time.sleep(0.005)
    raise TimeoutError(f"there are not {waiting} who wait for a lock")


def state(floor: models.Workspace) -> dict[str, Any]:
    """Return how everything is now, and what is left of transfers when their time is over."""
    held = floor.reservations.order_by("pk").values_list(
        "worker__friendly_name", "reservation_status"
    )
    now = {
        "tasks": list(floor.tasks.order_by("pk").values_list("assignment_status", flat=True)),
        "transfers": list(floor.transfers.order_by("pk").values_list("transfer_status", flat=True)),
        "reservations": [f"{name}: {status}" for name, status in held],
        "over_capacity": over_capacity(),
    }
    problems = list(diagnosis.find_problems())
    while rounds.run_cycle(workspace=floor, now=later(500)):
        continue
    problems += diagnosis.find_problems()
    stuck = floor.transfers.filter(transfer_status="initiated").count()
    return now | {"problems": problems, "stuck": stuck}


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    report: dict[str, dict[str, Any]] = {}
    for title, prepare in CONTESTS.items():
        sides = list(prepare().sides)
        report[title] = {
            order[0]: play(prepare(), order) for order in (sides, list(reversed(sides)))
        }
    print(json.dumps(report))  # noqa: T201 - the report is the output
