"""Create tasks on PostgreSQL, and print what was written and in how many round trips as JSON.

`python -m tests.races.creations SCENE`; see `runner`.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - they need the settings above
from django.db import IntegrityError, transaction  # noqa: E402

from config.patches.postgresql import silence  # noqa: E402
from routing import models  # noqa: E402
from tests import factories  # noqa: E402


@contextlib.contextmanager
def counting_round_trips() -> Iterator[list[int]]:
    """Count in a list of one how often the block waits for the database."""
    count, wait = [0], silence.Connection.wait

    def counted(self: Any, gen: Any, *given: Any, **more: Any) -> Any:
        count[0] += 1
        return wait(self, gen, *given, **more)

    with mock.patch.object(silence.Connection, "wait", counted):
        yield count


def describe(task: models.Task) -> str:
    """Return what was written for a task, without what differs between any two tasks."""
    row = dict(models.Task.objects.filter(pk=task.pk).values().get())
    events = models.Event.objects.filter(resource_sid=task.sid).order_by("pk")
    written: list[dict[str, Any]] = [dict(each) for each in events.values()]
    for each in written:
        for name in ("id", "sid", "transaction_id", "delivered", "task_key"):
            del each[name]
    del row["id"]
    return str([row, written]).replace(task.sid, "WT…")


def compare() -> dict[str, Any]:
    """Create the same tasks alone, and within a larger transaction."""
    floor = factories.workspace()
    alice, queue = factories.worker(floor, "Alice"), factories.queue(floor, friendly_name="Sales")
    workflow = factories.workflow(floor)
    forms: dict[str, dict[str, Any]] = {
        "by its workflow": {"attributes": '{"name": "Ada", "number": 1}', "priority": 70_000},
        "to a worker": {"routing_target": alice.sid, "workflow": workflow},
        "to a queue, without a workflow": {"routing_target": queue.sid},
        "to a worker, without a queue": {"routing_target": alice.sid},
    }
    report: dict[str, Any] = {}
    for name, form in forms.items():
        alone = factories.task(floor, **form)
        with transaction.atomic():
            within = factories.task(floor, **form)
        events = models.Event.objects.filter(resource_sid=alone.sid).order_by("pk")
        report[name] = {
            "same": describe(alone) == describe(within),
            "types": [event.event_type for event in events],
            "transactions": len({event.transaction_id for event in events}),
        }
    return report


def refuse() -> dict[str, Any]:
    """Create a task in a queue that is deleted just before the statement."""
    floor = factories.workspace()
    factories.workflow(floor)
    gone = factories.queue(floor, friendly_name="Gone")
    events = models.Event.objects.count()
    models.TaskQueue.objects.filter(pk=gone.pk).delete()
    with contextlib.suppress(IntegrityError):
        factories.task(floor, routing_target=factories.worker(floor).sid, task_queue=gone)
    about_tasks = models.Event.objects.filter(resource_type="task")
    return {
        "tasks": models.Task.objects.count(),
        "events": about_tasks.count(),
        "before": events > 0,
    }


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    scenes = {scene.__name__: scene for scene in (compare, refuse)}
    print(json.dumps(scenes[sys.argv[1]]()))  # noqa: T201 - what it is run for
