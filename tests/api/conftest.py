"""Client of the API for tests: credentials and forms, as an integration has them.

Every answer is held beside the API's description.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from routing import models
from routing.actions import reservations
from routing.actors import SYSTEM
from routing.api.openapi.operations import Operation, path_parameters
from tests import factories
from tests.api import conformance
from tests.factories import NOW, later

TOKEN = "an auth token that only the tests know"


def basic(sid: str, secret: str) -> str:
    """Return the Authorization header for these credentials."""
    return "Basic " + base64.b64encode(f"{sid}:{secret}".encode()).decode()


@dataclass
class Answer:
    """An answer, with its JSON parsed."""

    response: Any
    json: Any = field(init=False)

    def __post_init__(self) -> None:
        self.json = json.loads(self.response.content) if self.response.content else None

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return int(self.response.status_code)

    @property
    def message(self) -> str:
        """Return the message of an error."""
        return str(self.json["message"])

    def __getitem__(self, key: str) -> Any:
        return self.json[key]


@dataclass
class Api:
    """A client of one account; paths are those below /v1/."""

    account: models.Account
    authorization: str | None
    client: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> Answer:
        """Read."""
        return self.send("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)

    def post(self, path: str, if_match: str | None = None, **form: Any) -> Answer:
        """Create or change."""
        return self.send(
            "POST",
            path,
            body=urlencode(form, doseq=True),
            headers={} if if_match is None else {"If-Match": if_match},
        )

    def delete(self, path: str, if_match: str | None = None) -> Answer:
        """Delete."""
        return self.send("DELETE", path, headers={} if if_match is None else {"If-Match": if_match})

    def send(
        self,
        method: str,
        path: str,
        *,
        body: str | bytes = b"",
        content_type: str = "application/x-www-form-urlencoded",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request as it is; a full URL loses its host."""
        path = path.removeprefix("http://testserver")
        known = {} if self.authorization is None else {"Authorization": self.authorization}
        response = self.client.generic(
            method,
            path if path.startswith("/") else f"/v1/{path}",
            body.encode() if isinstance(body, str) else body,
            content_type=content_type,
            headers=known | (headers or {}),
        )
        conformance.check(method, response.request["PATH_INFO"], response)
        return Answer(response)

    def pages(self, path: str, **query: Any) -> list[list[dict[str, Any]]]:
        """Read a list to its end and return its pages."""
        answer = self.get(path, **query)
        pages = []
        while True:
            assert answer.status == 200, answer.json
            pages.append(answer[answer["meta"]["key"]])
            if answer["meta"]["next_page_url"] is None:
                return pages
            answer = self.send("GET", answer["meta"]["next_page_url"])


def api_of(account: models.Account) -> Api:
    """Return a client with the credentials of an account made with `TOKEN`."""
    return Api(account, basic(account.sid, TOKEN))


def path_parts(operation: Operation, existing: dict[str, str]) -> dict[str, str]:
    """Return the path variables of an operation that lead to `existing`."""
    return {
        each["name"]: existing.get(each["example"][:2], each["example"])
        for each in path_parameters(operation.path)
    }


def path_to(operation: Operation, existing: dict[str, str]) -> str:
    """Return an operation's path that leads to `existing`."""
    return operation.path.format(**path_parts(operation, existing))


@pytest.fixture
def account(db: None) -> models.Account:
    """Return the account whose client `api` is."""
    return factories.account(auth_token=TOKEN)


@pytest.fixture
def api(account: models.Account) -> Api:
    """Return a client."""
    return api_of(account)


@pytest.fixture
def workspace(account: models.Account) -> models.Workspace:
    """Return a workspace of the account."""
    return factories.workspace(account=account)


@pytest.fixture
def root(workspace: models.Workspace) -> str:
    """Return the path of the workspace."""
    return f"Workspaces/{workspace.sid}"


def sids_of_each_kind(workspace: models.Workspace, *, now: datetime) -> dict[str, str]:
    """Make one of everything in a workspace; return the sids by their two letters."""
    worker = factories.worker(workspace, capacity={"chat": 3})
    reservation = factories.offered(workspace, now=now)
    event = models.Event.objects.filter(workspace_sid=workspace.sid)[0]
    channel = workspace.task_channels.get(unique_name="chat")
    return {
        "WS": workspace.sid,
        "WA": workspace.activities.all()[0].sid,
        "WK": worker.sid,
        "WQ": workspace.task_queues.all()[0].sid,
        "WW": workspace.workflows.all()[0].sid,
        "WT": reservation.task.sid,
        "WR": reservation.sid,
        "TC": channel.sid,
        "WC": worker.channels.get(task_channel=channel).sid,
        "EV": event.sid,
        "OC": factories.outcome_code(workspace).sid,
    }


@pytest.fixture
def existing(workspace: models.Workspace) -> dict[str, str]:
    """Return an existing sid of each kind."""
    return sids_of_each_kind(workspace, now=timezone.now())


@pytest.fixture
def stranger(db: None) -> Api:
    """Return the client of another account."""
    return api_of(factories.account(auth_token=TOKEN))


@pytest.fixture
def noon() -> Iterator[time_machine.Traveller]:
    """Stop the clock of requests at the moment of the factories."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def accepted(workspace: models.Workspace) -> models.Reservation:
    """Return a reservation that was accepted ten seconds after it was offered."""
    factories.worker(workspace, "Alice", capacity={"chat": 5})
    offer = factories.offered(workspace)
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=later(10))
