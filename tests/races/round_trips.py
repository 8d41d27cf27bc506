"""Count the round trips to PostgreSQL of requests and commands, and print JSON; see `runner`.

The driver writes down each message. The server answers those named Query and Sync at once, and
all others only with the next of these.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import django

django.setup()

import time_machine  # noqa: E402 - they need the settings above
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from agents import access, commands  # noqa: E402
from routing import models  # noqa: E402
from routing.actions.support import first_offers  # noqa: E402
from routing.db.compiled import CompiledUpdate  # noqa: E402
from routing.db.pipeline import pipeline  # noqa: E402
from routing.router import threads  # noqa: E402
from tests import factories  # noqa: E402
from tests.api.conftest import basic  # noqa: E402
from tests.factories import NOW  # noqa: E402

_RENAME = CompiledUpdate(
    lambda pk, name: (models.Workspace.objects.filter(pk=pk), {"friendly_name": name})
)


def main() -> dict[str, Any]:
    """Return how many round trips each operation takes, once its statements are prepared."""
    setup_test_environment()
    with time_machine.travel(NOW, tick=False):
        floor = Floor()
        operations = (
            floor.answer_by_rest,
            floor.answer_at_desk,
            floor.run_cycle,
            floor.create_by_rest,
        )
        for operation in operations:
            operation()
        found: dict[str, int] = {}
        for operation in operations:
            found |= operation()
    return found | {"counts": count_in_pipeline(floor.workspace)}


def count_trips(operation: Callable[[], object]) -> int:
    """Run an operation and return its number of round trips."""
    connection.ensure_connection()
    driver = connection.connection.pgconn
    with tempfile.TemporaryFile() as messages:
        driver.trace(messages.fileno())
        try:
            operation()
        finally:
            driver.untrace()
        messages.seek(0)
        lines = [line.split(b"\t") for line in messages.read().splitlines()]
    return sum(line[1:2] == [b"F"] and line[3] in (b"Query", b"Sync") for line in lines)


class Floor:
    """A workspace with an agent, who gets each task."""

    def __init__(self) -> None:
        account = factories.account(auth_token=TOKEN)
        self.workspace = factories.workspace(account=account)
        factories.workflow(self.workspace)
        user = User.objects.create_user("ann")
        self.worker = factories.worker(self.workspace, user=user, capacity={"chat": 50})
        browser = Client()
        browser.force_login(user)
        self.session, self.user = str(browser.session.session_key), user
        self.rest = Client(headers={"Authorization": basic(account.sid, TOKEN)})

    def answer_by_rest(self) -> dict[str, int]:
        """Accept and complete by REST."""
        offer = factories.offered(self.workspace)
        task = f"/v1/Workspaces/{self.workspace.sid}/Tasks/{offer.task.sid}"
        reservation = f"{task}/Reservations/{offer.sid}"
        return {
            "accept by REST": self._post(reservation, {"ReservationStatus": "accepted"}),
            "complete by REST": self._post(task, {"AssignmentStatus": "completed"}),
        }

    def create_by_rest(self) -> dict[str, int]:
        """Create a task by REST that the worker is offered at once."""
        path, form = f"/v1/Workspaces/{self.workspace.sid}/Tasks", {"TaskChannel": "chat"}
        first_offers.forget_pauses()
        self._post(path, form, status=201)
        trips = self._post(path, form, status=201)
        assert not models.Task.objects.pending().exists()
        return {"create and offer by REST": trips}

    def _post(self, path: str, form: dict[str, str], *, status: int = 200) -> int:
        def post() -> None:
            answer = self.rest.post(path, urlencode(form), content_type=FORM)
            assert answer.status_code == status, answer.content

        return count_trips(post)

    def answer_at_desk(self) -> dict[str, int]:
        """Accept and complete by commands of a desk that is open."""
        offer = factories.offered(self.workspace)
        return {
            "accept at the desk": self._run("reservation.accept", reservation=offer.sid),
            "complete at the desk": self._run("task.complete", task=offer.task.sid),
        }

    def run_cycle(self) -> dict[str, int]:
        """Run a cycle that offers two tasks, when the workers are in the process's cache."""
        factories.offered(self.workspace)
        for _ in range(2):
            factories.task(self.workspace)
        trips = count_trips(lambda: threads.run_workspace(self.workspace.sid))
        assert not models.Task.objects.pending().exists()
        return {"a cycle": trips}

    def _run(self, command: str, **arguments: str) -> int:
        def run() -> None:
            _, worker = access.load_agent(self.session, self.user.pk, None)
            assert worker is not None
            commands.run_command(access.Agent(worker=worker), command, arguments, now=NOW)

        return count_trips(run)


def count_in_pipeline(workspace: models.Workspace) -> list[int]:
    """Return how many rows updates in a pipeline report while it is open."""
    with transaction.atomic(), pipeline():
        rows = models.Workspace.objects
        return [
            rows.filter(pk=0).update(friendly_name="None"),
            rows.filter(pk=workspace.pk).update(friendly_name="One"),
            _RENAME(0, "None"),
            _RENAME(workspace.pk, "One"),
        ]


FORM = "application/x-www-form-urlencoded"
TOKEN = "an auth token that only this program knows"

if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201 - what it is run for
