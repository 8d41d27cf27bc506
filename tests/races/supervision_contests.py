"""Let a supervisor's act and another action compete for a row lock; print the outcomes as JSON.

`python -m tests.races.supervision_contests`; see `runner` and `transfer_contests`.
"""

from __future__ import annotations

import json
from typing import Any

from tests.races.transfer_contests import run_contest  # isort: skip - it sets Django up

from django.core.management import call_command
from django.utils import timezone

from routing.actions import offers, task_moves, task_transitions
from routing.actions.supervision import batch_rows, batches
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW
from tests.races.contest import Contest, Contestant, TransferSetup


def assign_and_grab() -> Contest:
    """A supervisor gives Cecilia the task that Bob grabs."""
    setup = TransferSetup()
    task = factories.task(setup.floor)
    return setup.contest(
        task,
        assign=(offers.assign_task, {"task": task, "worker": setup.cecilia, "now": NOW}),
        grab=(offers.grab_task, {"task": task, "worker": setup.bob, "now": NOW}),
    )


def two_assignments() -> Contest:
    """Two supervisors give the last slot of Bob to two tasks."""
    setup = TransferSetup()
    tasks = [factories.task(setup.floor) for _ in range(2)]
    sides: dict[str, Contestant] = {
        name: (offers.assign_task, {"task": task, "worker": setup.bob, "now": NOW})
        for name, task in zip(("first", "second"), tasks, strict=True)
    }
    return setup.contest(setup.bob, **sides)


def take_back_and_complete() -> Contest:
    """A supervisor takes back the task that Alice completes."""
    setup = TransferSetup()
    given = {"task": setup.held.task, "now": NOW}
    return setup.contest(
        setup.held.task,
        take_back=(task_moves.take_back_task, given),
        complete=(task_transitions.complete_task, given),
    )


def two_take_backs() -> Contest:
    """Two supervisors take the same task back."""
    setup = TransferSetup()
    given = {"task": setup.held.task, "now": NOW}
    return setup.contest(
        setup.held.task,
        one=(task_moves.take_back_task, given),
        other=(task_moves.take_back_task, given),
    )


def take_back_and_transfer() -> Contest:
    """A supervisor takes back the task that Alice transfers to Bob."""
    setup = TransferSetup()
    return setup.contest(
        setup.held.task,
        take_back=(task_moves.take_back_task, {"task": setup.held.task, "now": NOW}),
        transfer=setup.transfer_to(setup.bob),
    )


def move_and_grab() -> Contest:
    """A supervisor moves the task that Bob grabs to another queue."""
    setup = TransferSetup()
    task, queue = factories.task(setup.floor), factories.queue(setup.floor)
    return setup.contest(
        task,
        move=(task_moves.move_task, {"task": task, "to": queue, "now": NOW}),
        grab=(offers.grab_task, {"task": task, "worker": setup.bob, "now": NOW}),
    )


def two_supervisors() -> Contest:
    """Two supervisors give Bob one more slot each."""
    setup = TransferSetup()
    channel = factories.channel(setup.floor)

    def add_slot(*, actor: object) -> None:
        batch = batches.create_batch(
            workspace=setup.floor,
            command="workers.set_capacity",
            arguments={"channel": channel.sid, "by": 1},
            subjects=[batches.Subject(sid=setup.bob.sid)],
            actor=SYSTEM,
            now=timezone.now(),
        )
        assert batch_rows.run_slice(batch, most=5, seconds=60)
        assert batch.done == 1
        slots = factories.worker_channel(setup.bob).configured_capacity
        assert slots in (2, 3)

    return setup.contest(setup.bob, one=(add_slot, {}), other=(add_slot, {}))


CONTESTS = {
    each.__name__: each
    for each in (
        assign_and_grab,
        two_assignments,
        take_back_and_complete,
        two_take_backs,
        take_back_and_transfer,
        move_and_grab,
        two_supervisors,
    )
}

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    report: dict[str, dict[str, Any]] = {}
    for title, prepare in CONTESTS.items():
        sides = list(prepare().sides)
        report[title] = {
            order[0]: run_contest(prepare(), order) for order in (sides, list(reversed(sides)))
        }
    print(json.dumps(report))  # noqa: T201 - the report is the output
