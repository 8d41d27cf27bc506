"""Deadlines on a running server take effect without any request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from routing.demo.client import Client
from tests.server import Cordboard, wait_until

pytestmark = pytest.mark.system
DEADLINE = 1
"""Seconds."""
BOUND = 2.0
"""Seconds after its deadline within which something is acted on."""
SLACK = 5.0
"""Seconds more, for a machine that is busy: how fast things are is measured by benchmarks."""


@pytest.fixture
def client(cordboard: Cordboard) -> Iterator[Client]:
    """Return a connection to the running server."""
    known = cordboard.credentials()
    made = Client(
        host="127.0.0.1",
        port=int(cordboard.port),
        username=known["ACCOUNT_SID"],
        password=known["AUTH_TOKEN"],
    )
    yield made
    made.close()


@pytest.fixture
def workspace_path(client: Client, request: pytest.FixtureRequest) -> str:
    """Return the path of a floor of this test's own, whose offers run out after a second."""
    floor = client.post("/Workspaces", FriendlyName=request.node.name[:60], Template="FIFO")
    path = f"/Workspaces/{floor['sid']}"
    workflow = client.get(f"{path}/Workflows")["workflows"][0]["sid"]
    client.post(f"{path}/Workflows/{workflow}", TaskReservationTimeout=DEADLINE)
    return path


def acted_on(client: Client, path: str, key: str, status: str) -> None:
    """Wait until a deadline that is still to come has been acted on."""
    wait_until(
        lambda: client.get(path)[key] == status,
        f"{path} is {status}",
        seconds=DEADLINE + BOUND + SLACK,
    )


def test_a_task_is_canceled_at_the_end_of_its_lifetime(client: Client, workspace_path: str) -> None:
    task = client.post(f"{workspace_path}/Tasks", Timeout=DEADLINE)["sid"]
    acted_on(client, f"{workspace_path}/Tasks/{task}", "assignment_status", "canceled")


def test_an_offer_without_an_answer_expires(client: Client, workspace_path: str) -> None:
    there = client.get(f"{workspace_path}/Activities", FriendlyName="Available")["activities"][0][
        "sid"
    ]
    worker = client.post(f"{workspace_path}/Workers", FriendlyName="Ada", ActivitySid=there)["sid"]
    task = client.post(f"{workspace_path}/Tasks")["sid"]
    offers: list[Any] = []

    def offered() -> bool:
        offers[:] = client.get(f"{workspace_path}/Tasks/{task}/Reservations")["reservations"]
        return bool(offers)

    wait_until(offered, "the task is offered")
    path = f"{workspace_path}/Tasks/{task}/Reservations/{offers[0]['sid']}"
    acted_on(client, path, "reservation_status", "timeout")
    assert client.get(f"{workspace_path}/Workers/{worker}")["available"] is False
