"""A floor with a queue, two workers, and five kinds of people who may open its cockpit or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from routing import models
from tests import factories
from tests.agents.conftest import BACKEND


@dataclass
class Cockpit:
    """A workspace with a queue that all serve, and a browser of each kind of person."""

    workspace: models.Workspace
    queue: models.TaskQueue
    workflow: models.Workflow
    ada: models.Worker
    ben: models.Worker
    people: dict[str, Client]

    def get(self, path: str = "", *, who: str = "member", **query: Any) -> HttpResponse:
        """Return an answer of the cockpit."""
        found: HttpResponse = self.people[who].get(  # type: ignore[assignment]
            f"/supervisor/{path}", {"workspace": self.workspace.sid, **query}
        )
        return found

    def read(self, path: str = "", **query: Any) -> str:
        """Return a page or a panel as text."""
        answer = self.get(path, **query)
        assert answer.status_code == 200
        return answer.content.decode()

    def task(self, **given: Any) -> models.Task:
        """Make a waiting task, now."""
        return factories.task(self.workspace, **{"now": timezone.now()} | given)


def browser(name: str, **given: Any) -> Client:
    """Return a browser that is logged in as a new user."""
    client = Client()
    client.force_login(User.objects.create_user(name, **given), backend=BACKEND)
    return client


def make_cockpit() -> Cockpit:
    """Make the floor; Ben is away."""
    workspace = factories.workspace(friendly_name="Support")
    queue = factories.queue(workspace, friendly_name="Chats")
    workflow = factories.workflow(workspace, default=queue)
    people = {
        "superuser": browser("root", is_superuser=True),
        "member": browser("lead"),
        "agent": browser("ada"),
        "stranger": browser("stranger"),
        "anonymous": Client(),
    }
    elsewhere = factories.workspace(friendly_name="Elsewhere")
    for name, place in (("lead", workspace), ("stranger", elsewhere)):
        user = User.objects.get(username=name)
        models.Membership.objects.create(user=user, workspace=place)
    ada = factories.worker(
        workspace, "Ada", user=User.objects.get(username="ada"), capacity={"chat": 3}
    )
    ben = factories.worker(workspace, "Ben", available=False, capacity={"chat": 3})
    return Cockpit(workspace, queue, workflow, ada, ben, people)


@pytest.fixture
def cockpit(db: None) -> Cockpit:
    """Return the floor, in a transaction that is rolled back."""
    return make_cockpit()
