"""Customers who create tasks, and agents who work on them, by REST, while parts are killed."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from routing.demo.client import ApiError, Client
from tests.server import Cordboard

AGENTS: Final = 4
SLOTS: Final = 3
PAUSE_SECONDS: Final = 0.1
"""Seconds between two tasks, and between two polls of an agent."""
CONNECTION_ERRORS: Final = (OSError, http.client.HTTPException, json.JSONDecodeError)


class Load:
    """A workspace of four agents, and threads that keep it busy until they are stopped."""

    def __init__(self, server: Cordboard) -> None:
        """Make a workspace on a server that is ready."""
        self._server = server
        self._stopped = threading.Event()
        self._closed = threading.Event()
        self.created: dict[int, str] = {}
        """The sids of the tasks whose creation was answered, by the number that each carries."""
        self.counted: Counter[str] = Counter()
        client = self._client()
        floor = client.post(
            "/Workspaces", FriendlyName=f"Under load {time.time_ns()}", Template="FIFO"
        )
        self.base = f"/Workspaces/{floor['sid']}"
        available = client.get(f"{self.base}/Activities", FriendlyName="Available")
        there = available["activities"][0]["sid"]
        self._agents = []
        for number in range(AGENTS):
            form = {"FriendlyName": f"Agent {number}", "ActivitySid": there}
            worker = client.post(f"{self.base}/Workers", **form)["sid"]
            client.post(f"{self.base}/Workers/{worker}/Channels/chat", Capacity=SLOTS)
            self._agents.append(worker)
        client.close()

    def _client(self) -> Client:
        known = self._server.credentials()
        return Client(
            host="127.0.0.1",
            port=int(self._server.port),
            username=known["ACCOUNT_SID"],
            password=known["AUTH_TOKEN"],
        )

    @contextlib.contextmanager
    def keep_busy(self) -> Iterator[Load]:
        """Create tasks and work on them while the block runs."""
        acts: list[Callable[[Client], None]] = [self._create_task]
        acts += [self._work_for(worker) for worker in self._agents]
        threads = [threading.Thread(target=self._repeat, args=[act]) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.stop_creating()
            self._closed.set()
            for thread in threads:
                thread.join()

    def stop_creating(self) -> None:
        """Stop creating tasks; the agents continue to work."""
        self._stopped.set()

    def _repeat(self, act: Callable[[Client], None]) -> None:
        client = self._client()
        while not self._closed.wait(PAUSE_SECONDS):
            try:
                act(client)
            except ApiError as error:
                self.counted[f"answered {error.status}"] += 1
            except CONNECTION_ERRORS:
                self.counted["connections broken"] += 1
        client.close()

    def _create_task(self, client: Client) -> None:
        """Create a task, or repeat a creation that was not answered, with its idempotency key."""
        if self.are_creations_answered():
            if self._stopped.is_set():
                return
            self.counted["tasks asked for"] += 1
        else:
            self.counted["creations repeated"] += 1
        number = self.counted["tasks asked for"]
        form = {"TaskChannel": "chat", "Attributes": json.dumps({"number": number})}
        task = client.create(f"{self.base}/Tasks", f"{self.base}:{number}", **form)
        self.created[number] = task["sid"]

    def are_creations_answered(self) -> bool:
        """Return whether every creation was answered."""
        return len(self.created) == self.counted["tasks asked for"]

    def _work_for(self, worker: str) -> Callable[[Client], None]:
        """Return a function that accepts a worker's offers and completes its accepted tasks."""

        def act(client: Client) -> None:
            own = f"{self.base}/Workers/{worker}/Reservations"
            open_ = client.get(own, ReservationStatus="pending,accepted", PageSize=50)
            for reservation in open_["reservations"]:
                self._advance_reservation(client, f"{own}/{reservation['sid']}", reservation)

        return act

    def _advance_reservation(self, client: Client, url: str, reservation: dict[str, Any]) -> None:
        if reservation["reservation_status"] == "pending":
            client.post(url, ReservationStatus="accepted")
            self.counted["accepted"] += 1
        else:
            client.post(
                f"{self.base}/Tasks/{reservation['task_sid']}", AssignmentStatus="completed"
            )
            self.counted["completed"] += 1
