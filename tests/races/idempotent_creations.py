"""Repeat creations with one idempotency key in threads, and print a report as JSON.

`python -m tests.races.idempotent_creations`; see `runner`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from tests.races.action_races import THREADS, Race  # isort: skip - it sets Django up

from django.core.management import call_command

from routing import models
from routing.actions import idempotency, tasks
from routing.actions.idempotency import Answer, Creation
from routing.actions.support.errors import ActionError
from routing.actors import SYSTEM, Actor
from tests import factories
from tests.factories import NOW


class RepeatedCreation:
    """A workspace, and the repeated creation of a task on it."""

    def __init__(self) -> None:
        self.workspace = factories.workspace()
        factories.workflow(self.workspace)
        self.creation = Creation(account=self.workspace.account, key="key", digest="form")
        self.race = Race()
        self.answers: list[Answer] = []

    def create(self) -> Answer:
        """Create the task."""
        made = tasks.create_task(workspace=self.workspace, actor=SYSTEM, now=NOW)
        return Answer(status=201, body=made.sid)

    def send(self, *, actor: Actor = SYSTEM, create: Callable[[], Answer] | None = None) -> None:
        """Send the creation, or repeat it."""
        self.answers.append(idempotency.answer_once(self.creation, create or self.create, now=NOW))

    def report(self) -> dict[str, Any]:
        """Return its outcome."""
        return {
            "crashes": self.race.crashes,
            "outcomes": self.race.outcomes,
            "bodies": len({answer.body for answer in self.answers}),
            "repeated": sum(answer.repeated for answer in self.answers),
            "tasks": models.Task.objects.filter(workspace=self.workspace).count(),
            "keys": models.IdempotencyKey.objects.filter(account=self.creation.account).count(),
        }


def repeat_concurrently() -> dict[str, Any]:
    """Send the same creation from all threads at once."""
    floor = RepeatedCreation()
    floor.race.run([lambda _: floor.race.attempt("ask", floor.send)] * THREADS, seed=1)
    return floor.report()


def repeat_slow_creation(breaks: bool) -> dict[str, Any]:
    """Repeat a slow creation before and after its end; it fails if `breaks`."""
    floor = RepeatedCreation()
    began, goes_on = threading.Event(), threading.Event()

    def create() -> Answer:
        answer = floor.create()
        began.set()
        assert goes_on.wait(60)
        if breaks:
            raise ActionError("broken")
        return answer

    first = floor.race.start("first", floor.send, create=create)
    assert began.wait(60)
    with mock.patch.object(idempotency, "WAIT_MS", 50):
        floor.race.attempt("early", floor.send)
    patient = floor.race.start("patient", floor.send)
    goes_on.set()
    first.join()
    patient.join()
    floor.race.attempt("late", floor.send)
    return floor.report()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    report = {
        "together": repeat_concurrently(),
        "ends": repeat_slow_creation(False),
        "breaks": repeat_slow_creation(True),
    }
    print(json.dumps(report))  # noqa: T201 - the report is the output
