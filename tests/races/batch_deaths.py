"""Kill a process in the middle of a batch, let two others continue it, and report as JSON.

`python -m tests.races.batch_deaths`; see `runner`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from typing import Any

from tests.races.action_races import Race  # isort: skip - it sets Django up

from django.core.management import call_command
from django.utils import timezone

from routing import diagnosis, models
from routing.actions.supervision import batch_rows, batches, registry
from routing.actors import Actor
from tests import factories

ROWS = 40
DEADLY_ROW = 15


class DoomedProcess:
    """A process that runs a batch, and is gone before it can commit one of the rows.

    It is forked before this one has connections to the database, and then waits for its batch.
    """

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._writer)
            sid, deadly = os.read(reader, 200).decode().split()
            _die_in_a_row(sid, deadly)
            os._exit(0)

    def run(self, batch: models.Batch, deadly: str) -> int:
        """Let it run a batch until it dies in a row; return its exit status."""
        os.write(self._writer, f"{batch.sid} {deadly}".encode())
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def _die_in_a_row(sid: str, deadly: str) -> None:
    batch = models.Batch.objects.select_related("workspace__account").get(sid=sid)
    command = registry.COMMANDS[batch.command]

    def die(order: Any) -> Any:
        change = command.run(order)
        if order.sid == deadly:
            os._exit(9)
        return change

    batch_rows.COMMANDS = {batch.command: replace(command, run=die)}  # type: ignore[attr-defined]
    batch_rows.run_slice(batch, most=ROWS, seconds=60)


def main(doomed: DoomedProcess) -> dict[str, Any]:
    """Play it once, and return what the tables and events say afterwards."""
    floor = factories.workspace()
    people = [factories.worker(floor) for _ in range(ROWS)]
    batch = batches.create_batch(
        workspace=floor,
        command="workers.set_capacity",
        arguments={"channel": factories.channel(floor).sid, "by": 1},
        subjects=[batches.Subject(sid=each.sid) for each in people],
        actor=Actor(type="user", sid="kim", source="supervisor"),
        now=timezone.now(),
    )
    ended_with = doomed.run(batch, people[DEADLY_ROW].sid)
    done_before = batch.rows.exclude(outcome="").count()

    def go_on(_: object) -> None:
        found = models.Batch.objects.select_related("workspace__account").get(pk=batch.pk)
        while not batch_rows.run_slice(found, most=ROWS, seconds=60):
            continue

    race = Race()
    race.run([go_on, go_on], 1)
    batch.refresh_from_db()
    told = models.Event.objects.filter(event_type="worker.capacity.update")
    times = Counter(told.values_list("resource_sid", flat=True))
    slots = models.WorkerChannel.objects.filter(task_channel__unique_name="chat")
    return {
        "ended_with": ended_with,
        "done_before": done_before,
        "state": batch.state,
        "done": batch.done,
        "capacities": sorted(set(slots.values_list("configured_capacity", flat=True))),
        "events_per_worker": sorted(set(times.values())),
        "crashes": race.crashes,
        "problems": list(diagnosis.find_problems()),
    }


if __name__ == "__main__":
    process = DoomedProcess()
    call_command("migrate", verbosity=0)
    print(json.dumps(main(process)))  # noqa: T201 - the report is the output
