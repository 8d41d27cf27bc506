"""Play repeated creations with one key: `python -m tests.races.repeating`, the report as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

from tests.races.play import THREADS, Race  # isort: skip - it sets Django up

from django.core.management import call_command

from routing import models
from routing.actions import idempotency, tasks
from routing.actions.idempotency import Answer, Creation
from routing.actions.support.errors import ActionError
from routing.actors import SYSTEM, Actor
from tests import factories
from tests.factories import NOW


class Floor:
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

    def ask(self, *, actor: Actor = SYSTEM, create: Callable[[], Answer] | None = None) -> None:
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


def together() -> dict[str, Any]:
    """All clients send the same at once."""
    floor = Floor()
    floor.race.run([lambda _: floor.race.attempt("ask", floor.ask)] * THREADS, seed=1)
    return floor.report()


def slow(breaks: bool) -> dict[str, Any]:
    """Repeat a creation that takes long, and that ends well or breaks; then repeat it again."""
    floor = Floor()
    began, goes_on = threading.Event(), threading.Event()

    def create() -> Answer:
        answer = floor.create()
        began.set()
        assert goes_on.wait(60)
        if breaks:
            raise ActionError("broken")
        return answer

    first = floor.race.start("first", floor.ask, create=create)
    assert began.wait(60)
    with mock.patch.object(idempotency, "WAIT_MS", 50):
        floor.race.attempt("early", floor.ask)
    patient = floor.race.start("patient", floor.ask)
    goes_on.set()
    first.join()
    patient.join()
    floor.race.attempt("late", floor.ask)
    return floor.report()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    report = {"together": together(), "ends": slow(False), "breaks": slow(True)}
    print(json.dumps(report))  # noqa: T201 - the report is the output
