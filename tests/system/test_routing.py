"""The router in real processes: woken, and when every wake is lost."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from config.environment import embedded_redis_socket
from routing.demo.client import Client
from tests.server import Cordboard, running_server, wait_until

pytestmark = pytest.mark.system


class Floor:
    """The demo's floor, spoken to by REST."""

    def __init__(self, server: Cordboard) -> None:
        known = server.credentials()
        self.client = Client(
            host="127.0.0.1",
            port=int(server.port),
            username=known["ACCOUNT_SID"],
            password=known["AUTH_TOKEN"],
        )
        self.sid = self.client.get("/Workspaces")["workspaces"][0]["sid"]
        self.base = f"/Workspaces/{self.sid}"

    def first(self, noun: str, key: str, **query: Any) -> Any:
        """Return the first row of a list."""
        return self.client.get(f"{self.base}/{noun}", **query)[key][0]

    def sign(self, name: str, activity: str) -> str:
        """Move a worker to an activity; return their sid."""
        there = self.first("Activities", "activities", FriendlyName=activity)["sid"]
        worker = self.first("Workers", "workers", FriendlyName=name)["sid"]
        self.client.post(
            f"{self.base}/Workers/{worker}",
            ActivitySid=there,
            RejectPendingReservations=("false" if activity == "Available" else "true"),
        )
        return str(worker)

    def post(self, channel: str) -> str:
        """Create a task that only Carol can take; return its sid."""
        attributes = json.dumps({"topic": "billing", "language": "fr"})
        task = self.client.post(f"{self.base}/Tasks", TaskChannel=channel, Attributes=attributes)
        return str(task["sid"])

    def status(self, task: str) -> str:
        """Return a task's assignment status."""
        return str(self.client.get(f"{self.base}/Tasks/{task}")["assignment_status"])


@pytest.fixture
def floor(demo: Cordboard) -> Iterator[Floor]:
    """Return the demo's workspace with Carol signed on, and all offline afterwards."""
    made = Floor(demo)
    made.sign("Carol", "Available")
    yield made
    made.sign("Carol", "Offline")
    made.client.close()


def test_a_task_posted_by_rest_is_offered(floor: Floor) -> None:
    task = floor.post("sms")
    wait_until(lambda: floor.status(task) == "reserved", "the task is offered")


def lose_all_wakes(private: redis.Redis, floor: Floor) -> None:
    """Leave a mark that says a job is on its way: while it stands, no wake sends one.

    Cycles of earlier changes clear it; once it has lasted for a while, none is left.
    """
    stood = 0

    def stands() -> bool:
        nonlocal stood
        mark = f"cordboard:wake:{floor.sid}"
        stood = stood + 1 if private.exists(mark) else 0
        private.set(mark, 1)
        return stood == 20

    wait_until(stands, "no cycle is on its way any more")


def test_beat_finds_the_work_if_every_wake_is_lost(floor: Floor, demo: Cordboard) -> None:
    private = redis.Redis(unix_socket_path=str(embedded_redis_socket(demo.home)))
    try:
        lose_all_wakes(private, floor)
        task = floor.post("chat")
        wait_until(lambda: floor.status(task) == "reserved", "the sweep has run")
    finally:
        private.delete(f"cordboard:wake:{floor.sid}")
        private.close()


def test_a_dead_job_runner_loses_no_work(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What was committed is there at the next start, and routed."""
    data_directory = tmp_path_factory.mktemp("killed")
    with running_server(data_directory, demo=True) as server:
        made = Floor(server)
        waiting = made.post("chat")
        made.client.close()
        os.kill(server.part("jobs"), signal.SIGKILL)
        assert server.ended() != 0
    with running_server(data_directory, demo=True) as server:
        made = Floor(server)
        assert made.status(waiting) == "pending"
        made.sign("Carol", "Available")
        wait_until(lambda: made.status(waiting) == "reserved", "it is offered after all")
        made.client.close()
