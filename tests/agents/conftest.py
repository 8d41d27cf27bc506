"""A small floor: Alice and Bob serve one queue of chats, each with a desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from routing import models
from tests import factories

BACKEND = "config.patches.session_store.Backend"


@dataclass
class Desk:
    """A worker with a login, and a browser that is logged in."""

    worker: models.Worker
    user: User
    client: Client

    @property
    def here(self) -> str:
        """Return the query that leads to this desk."""
        return f"?workspace={self.worker.workspace.sid}"

    def get(self, path: str = "", **query: str) -> str:
        """Return a page of the desk as text."""
        answer = self.client.get(
            f"/agent/{path}", {"workspace": self.worker.workspace.sid, **query}
        )
        assert answer.status_code == 200
        text: str = answer.content.decode()
        return text

    def press(self, command: str, **fields: Any) -> Any:
        """Send a command as the desk's script does without a socket; return status and reply."""
        answer = self.client.post(
            f"/agent/do/{command}{self.here}", fields, headers={"X-Requested-With": "desk"}
        )
        return answer.status_code, answer.json()


@dataclass
class Floor:
    """A workspace with one queue that all serve, and with Alice and Bob."""

    workspace: models.Workspace
    queue: models.TaskQueue
    workflow: models.Workflow
    alice: Desk
    bob: Desk

    def task(self, **given: Any) -> models.Task:
        """Make a waiting task, now."""
        return factories.task(self.workspace, **{"now": timezone.now()} | given)

    def offered(self, **given: Any) -> models.Reservation:
        """Make a task and let the router offer it, now."""
        return factories.offered(self.workspace, **{"now": timezone.now()} | given)

    def accepted(self, **given: Any) -> models.Reservation:
        """Make a task and accept it, now."""
        return factories.accepted(self.workspace, **{"now": timezone.now()} | given)

    def run(self, now: datetime | None = None) -> None:
        """Run the router once."""
        factories.run(self.workspace, now or timezone.now())


def desk(workspace: models.Workspace, name: str, **given: Any) -> Desk:
    """Make a worker with a login and a browser; a user of this name is used again."""
    user = User.objects.filter(username=name.lower()).first()
    user = user or User.objects.create_user(name.lower(), password="correct horse")
    worker = factories.worker(workspace, name, user=user, **given)
    client = Client()
    client.force_login(user, backend=BACKEND)
    return Desk(worker=worker, user=user, client=client)


def make_floor() -> Floor:
    """Make the floor; Bob is away, so that the router has only Alice to offer to."""
    workspace = factories.workspace(friendly_name="Support")
    queue = factories.queue(workspace, friendly_name="Chats")
    workflow = factories.workflow(workspace, default=queue)
    alice = desk(workspace, "Alice", capacity={"chat": 3})
    bob = desk(workspace, "Bob", capacity={"chat": 3}, available=False)
    return Floor(workspace, queue, workflow, alice, bob)


@pytest.fixture
def floor(db: None) -> Floor:
    """Return the floor, in a transaction that is rolled back."""
    return make_floor()
