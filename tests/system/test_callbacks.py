"""Callbacks of a running server: kills lose nothing, and no cycle waits for a receiver."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from routing.demo.client import Client
from tests.server import Cordboard, are_all_ended, running_server, wait_until
from tests.webhooks.receiver import Receiver, Request

pytestmark = pytest.mark.system
ENVIRONMENT = {"CALLBACK_ALLOW_PRIVATE": "127.0.0.1", "AUTH_TOKEN": "f" * 32}
LONGEST = 60.0
"""Seconds; generous, for a machine that is busy with other things."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a server that may call this machine."""
    data_directory = tmp_path_factory.mktemp("callbacks") / "var"
    with running_server(data_directory, environment=ENVIRONMENT) as server:
        yield server


@pytest.fixture
def client(server: Cordboard) -> Iterator[Client]:
    """Return a client of the server's account."""
    known = server.credentials()
    made = Client(
        host="127.0.0.1",
        port=int(server.port),
        username=known["ACCOUNT_SID"],
        password=known["AUTH_TOKEN"],
    )
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that takes everything."""
    with Receiver(ENVIRONMENT["AUTH_TOKEN"]).running() as running:
        yield running


class Floor:
    """A workspace with one worker, whose workflow may have an assignment callback."""

    def __init__(self, client: Client, name: str, *, events: str = "", offers: str = "") -> None:
        self.client = client
        made = client.post(
            "/Workspaces", FriendlyName=name, Template="FIFO", EventCallbackUrl=events
        )
        self.base = f"/Workspaces/{made['sid']}"
        if offers:
            workflow = client.get(f"{self.base}/Workflows")["workflows"][0]["sid"]
            client.post(f"{self.base}/Workflows/{workflow}", AssignmentCallbackUrl=offers)
        available = client.get(f"{self.base}/Activities", FriendlyName="Available")
        worker = client.post(
            f"{self.base}/Workers",
            FriendlyName="Alice",
            ActivitySid=available["activities"][0]["sid"],
        )["sid"]
        client.post(f"{self.base}/Workers/{worker}/Channels/chat", Capacity=50)

    def task(self) -> str:
        """Create a task."""
        return str(self.client.post(f"{self.base}/Tasks", TaskChannel="chat")["sid"])

    def status(self, task: str) -> str:
        """Return a task's status."""
        return str(self.client.get(f"{self.base}/Tasks/{task}")["assignment_status"])

    def written(self) -> dict[str, list[str]]:
        """Return the sids of all events of each task, in order."""
        found: dict[str, list[str]] = {}
        events = self.client.get(f"{self.base}/Events", After="", PageSize=1000)["events"]
        for event in events:
            if task := event["event_data"].get("task_sid"):
                found.setdefault(task, []).append(event["sid"])
        return found


def received(receiver: Receiver) -> dict[str, list[str]]:
    """Return the sids of the events of each task, in the order in which each came first."""
    found: dict[str, dict[str, None]] = {}
    for request in list(receiver.requests):
        if (task := request.form.get("TaskSid")) and "EventType" in request.form:
            found.setdefault(task, {})[request.form["Sid"]] = None
    return {task: list(sids) for task, sids in found.items()}


def answering(answer: bytes) -> Callable[[Request], None]:
    return lambda request: request.answer(200, answer)


def test_events_are_posted_and_offers_accepted_by_a_callback(
    client: Client, receiver: Receiver
) -> None:
    receiver.respond = answering(b'{"instruction": "accept"}')
    floor = Floor(client, "Both", events=receiver.url, offers=f"{receiver.url}#ct=1000&rt=3000")
    tasks = [floor.task() for _ in range(5)]
    wait_until(
        lambda: all(floor.status(task) == "assigned" for task in tasks),
        "every offer is accepted by callback",
        seconds=LONGEST,
    )
    wait_until(
        lambda: received(receiver) == floor.written(), "every event has come", seconds=LONGEST
    )


def test_a_hanging_receiver_delays_no_offer_and_no_other_receiver(
    client: Client, receiver: Receiver
) -> None:
    let_go = threading.Event()
    held = threading.Event()

    def hang(request: Request) -> None:
        held.set()
        let_go.wait(LONGEST)
        request.answer()

    with Receiver(ENVIRONMENT["AUTH_TOKEN"]).running() as hanging:
        hanging.respond = hang
        slow = Floor(client, "Slow", events=hanging.url)
        quick = Floor(client, "Quick", events=receiver.url)
        assert held.wait(LONGEST)
        tasks = [(floor, floor.task()) for floor in (slow, quick)]
        for floor, task in tasks:
            wait_until(
                lambda floor=floor, task=task: floor.status(task) == "reserved",  # type: ignore[misc]
                "it is offered",
                seconds=LONGEST,
            )
        wait_until(
            lambda: received(receiver) == quick.written(), "the other has it all", seconds=LONGEST
        )
        let_go.set()


def test_a_killed_runner_loses_no_event_and_keeps_the_order(
    server: Cordboard, client: Client, receiver: Receiver
) -> None:
    some_came = threading.Event()

    def slowly(request: Request) -> None:
        if len(receiver.requests) > 20:
            some_came.set()
        threading.Event().wait(0.05)
        request.answer()

    receiver.respond = slowly
    floor = Floor(client, "Killed", events=receiver.url)
    for _ in range(10):
        floor.task()
    assert some_came.wait(LONGEST)
    parts = server.parts()
    os.kill(parts["callbacks"], signal.SIGKILL)
    assert server.ended() != 0
    wait_until(lambda: are_all_ended(parts), "no part is left")
    client.close()
    server.start()
    floor.task()
    wait_until(
        lambda: received(receiver) == floor.written(), "every event has come", seconds=2 * LONGEST
    )
