"""Let two actions on one transfer compete for a row lock; print the outcomes as JSON.

`python -m tests.races.transfer_contests`; see `runner`. Each contest runs twice, once in either
order. Both actions have read their rows and wait for the same lock before either continues.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from typing import Any, Final

from tests.races.action_races import Race, count_over_capacity  # isort: skip - it sets Django up

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
from tests.races.contest import Contest, Contestant, TransferSetup

LOCK_WAIT_SECONDS: Final = 30
"""Seconds after which an action that should wait for a lock counts as not waiting."""


def two_transfers() -> Contest:
    """Alice hands her task to two colleagues at once."""
    setup = TransferSetup()
    return setup.contest(
        setup.held.task, bob=setup.transfer_to(setup.bob), cecilia=setup.transfer_to(setup.cecilia)
    )


def accept_and_cancel() -> Contest:
    """Bob accepts what Alice takes back."""
    setup = TransferSetup()
    transfer = setup.begin_transfer_to(setup.bob)
    return setup.contest(
        setup.held.task,
        accept=(reservations.accept_reservation, {"reservation": setup.offer(), "now": NOW}),
        cancel=(transfers.cancel_transfer, {"transfer": transfer, "now": NOW}),
    )


def accept_and_timeout() -> Contest:
    """Bob accepts in the last moment, and the router's clock is a little ahead."""
    setup = TransferSetup()
    setup.begin_transfer_to(setup.bob)
    offer = setup.offer()
    return setup.contest(
        setup.held.task,
        accept=(reservations.accept_reservation, {"reservation": offer, "now": later(119)}),
        timeout=(_time_out, {"sid": offer.sid, "now": later(121)}),
    )


def _time_out(*, sid: str, now: datetime, actor: object) -> None:
    reservations.time_out_reservation(sid=sid, now=now)


def transfer_and_complete() -> Contest:
    """Alice transfers a task that another process completes."""
    setup = TransferSetup()
    return setup.contest(
        setup.held.task,
        transfer=setup.transfer_to(setup.bob),
        complete=(task_transitions.complete_task, {"task": setup.held.task, "now": NOW}),
    )


def transfer_and_cancel() -> Contest:
    """Alice transfers a task that another process cancels without permission."""
    setup = TransferSetup()
    return setup.contest(
        setup.held.task,
        transfer=setup.transfer_to(setup.bob),
        cancel=(task_transitions.cancel_task, {"task": setup.held.task, "now": NOW}),
    )


def transfer_and_delete() -> Contest:
    """Alice transfers a task that another process deletes."""
    setup = TransferSetup()
    return setup.contest(
        setup.held.task,
        transfer=setup.transfer_to(setup.bob),
        delete=(tasks.delete_task, {"task": setup.held.task, "now": NOW}),
    )


def transfer_and_leave() -> Contest:
    """Alice hands her task to Bob, who leaves for a break."""
    setup = TransferSetup()
    away = factories.activity(setup.floor, "Unavailable")
    return setup.contest(
        setup.bob,
        transfer=setup.transfer_to(setup.bob),
        leave=(workers.set_activity, {"worker": setup.bob, "activity": away, "now": NOW}),
    )


def _grab_of_another_task(setup: TransferSetup) -> Contestant:
    """Grab a waiting task for Bob with his only slot."""
    factories.set_capacity(setup.cecilia, configured_capacity=0)
    task = factories.task(setup.floor)
    return offers.grab_task, {"task": task, "worker": setup.bob, "now": NOW}


def transfer_and_grab() -> Contest:
    """Alice hands her task to Bob, who takes something else with his last slot."""
    setup = TransferSetup()
    return setup.contest(
        setup.bob, transfer=setup.transfer_to(setup.bob), grab=_grab_of_another_task(setup)
    )


def queue_and_grab() -> Contest:
    """The router offers Bob a transfer to his queue while he fills his last slot."""
    setup = TransferSetup()
    transfer = setup.begin_transfer_to(setup.make_billing_queue())
    return setup.contest(setup.bob, ask=_offering_of(transfer), grab=_grab_of_another_task(setup))


def two_routers() -> Contest:
    """Two routers look for a worker at once."""
    setup = TransferSetup()
    transfer = setup.begin_transfer_to(setup.make_billing_queue())
    return setup.contest(setup.bob, one=_offering_of(transfer), other=_offering_of(transfer))


def _offering_of(transfer: models.Transfer) -> Contestant:
    row = models.Transfer.objects.select_related("workspace", "task__task_channel")
    return _offer_transfer, {"transfer": row.get(pk=transfer.pk), "now": NOW}


def _offer_transfer(*, transfer: models.Transfer, now: datetime, actor: object) -> None:
    transfers.offer_to_next_worker(transfer=transfer, now=now)


def give_up_and_accept() -> Contest:
    """A queue's turn ends while Bob, who has the offer, accepts."""
    setup = TransferSetup()
    transfer = setup.begin_transfer_to(setup.make_billing_queue())
    factories.run(setup.floor)
    assert transfer.deadline_us == setup.offer().deadline_us
    return setup.contest(
        setup.held.task,
        accept=(
            reservations.accept_reservation,
            {"reservation": setup.offer(), "now": later(119)},
        ),
        end=(_time_out, {"sid": setup.offer().sid, "now": later(121)}),
    )


def leave_and_complete() -> Contest:
    """Alice leaves after a warm transfer while Bob completes the task."""
    setup = TransferSetup()
    setup.begin_transfer_to(setup.bob, TransferMode.WARM)
    accepted = reservations.accept_reservation(reservation=setup.offer(), actor=SYSTEM, now=NOW)
    return setup.contest(
        setup.held.task,
        leave=(reservations.complete_reservation, {"reservation": setup.held, "now": NOW}),
        complete=(reservations.complete_reservation, {"reservation": accepted, "now": NOW}),
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


def run_contest(contest: Contest, order: list[str]) -> dict[str, Any]:
    """Queue both actions for the lock in this order, release it, and return the outcome."""
    race = Race()
    threads: list[threading.Thread] = []
    with transaction.atomic():
        rows: QuerySet[Any] = type(contest.gate)._default_manager.filter(pk=contest.gate.pk)
        list(rows.select_for_update(no_key=True).values_list("pk"))
        for name in order:
            action, arguments = contest.sides[name]
            threads.append(race.start(name, action, **arguments))
            _wait_for_lock_waiters(len(threads))
    for thread in threads:
        thread.join()
    return {
        "outcomes": sorted(race.outcomes),
        "crashes": race.crashes,
        **report_state(contest.floor),
    }


def _wait_for_lock_waiters(waiting: int) -> None:
    """Wait until this number of sessions wait for a lock."""
    give_up_at = time.monotonic() + LOCK_WAIT_SECONDS
    with connection.cursor() as cursor:
        while time.monotonic() < give_up_at:
            # Who waits by what they do, `pg_stat_activity` says only once in a transaction.
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() == (waiting,):
                return
            time.sleep(0.005)
    raise TimeoutError(f"there are not {waiting} who wait for a lock")


def report_state(floor: models.Workspace) -> dict[str, Any]:
    """Return the statuses now, and the number of transfers left after their deadlines."""
    held = floor.reservations.order_by("pk").values_list(
        "worker__friendly_name", "reservation_status"
    )
    now = {
        "tasks": list(floor.tasks.order_by("pk").values_list("assignment_status", flat=True)),
        "transfers": list(floor.transfers.order_by("pk").values_list("transfer_status", flat=True)),
        "reservations": [f"{name}: {status}" for name, status in held],
        "over_capacity": count_over_capacity(),
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
            order[0]: run_contest(prepare(), order) for order in (sides, list(reversed(sides)))
        }
    print(json.dumps(report))  # noqa: T201 - the report is the output
