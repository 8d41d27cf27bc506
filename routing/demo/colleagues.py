"""Simulate the demo's workers without a login: they accept, work for a while, and complete."""

from __future__ import annotations

import random
from typing import Any

from routing.demo.client import ApiError, Client


class Colleagues:
    """Simulated workers, driven by the caller's clock.

    Arguments:
        names: the names of the workers to simulate.
        patience: the shortest and longest time for a task, in seconds.
    """

    def __init__(
        self,
        client: Client,
        workspace: str,
        *,
        names: set[str],
        seed: int,
        patience: tuple[float, float] = (15, 60),
    ) -> None:
        self._client = client
        self._base = f"/Workspaces/{workspace}"
        self._dice = random.Random(seed)  # noqa: S311 - a play, not secrets
        self._patience = patience
        self._done_at: dict[str, float] = {}
        workers = client.get(f"{self._base}/Workers", PageSize=1000)["workers"]
        self._workers = [w["sid"] for w in workers if w["friendly_name"] in names]
        self.completed = 0

    def sign(self, activity: str) -> None:
        """Move all of them to the activity with this name."""
        found = self._client.get(f"{self._base}/Activities", FriendlyName=activity)
        for worker in self._workers:
            self._client.post(
                f"{self._base}/Workers/{worker}",
                ActivitySid=found["activities"][0]["sid"],
                **({} if activity == "Available" else {"RejectPendingReservations": "true"}),
            )

    def act(self, now: float) -> None:
        """Accept their open offers, and complete tasks that were worked on long enough.

        Arguments:
            now: seconds of any monotonic clock.
        """
        for worker in self._workers:
            for reservation in self._open(worker):
                self._attend(worker, reservation, now)

    def _open(self, worker: str) -> list[Any]:
        answer = self._client.get(
            f"{self._base}/Workers/{worker}/Reservations",
            ReservationStatus="pending,accepted",
            PageSize=50,
        )
        reservations: list[Any] = answer["reservations"]
        return reservations

    def _attend(self, worker: str, reservation: dict[str, Any], now: float) -> None:
        sid = reservation["sid"]
        try:
            if reservation["reservation_status"] == "pending":
                self._client.post(
                    f"{self._base}/Workers/{worker}/Reservations/{sid}",
                    ReservationStatus="accepted",
                )
                self._done_at[sid] = now + self._dice.uniform(*self._patience)
            elif now >= self._done_at.setdefault(sid, now + self._patience[0]):
                self._client.post(
                    f"{self._base}/Tasks/{reservation['task_sid']}",
                    AssignmentStatus="completed",
                    Reason="resolved",
                )
                del self._done_at[sid]
                self.completed += 1
        except ApiError:
            # A supervisor or the router was faster. The next call sees it.
            self._done_at.pop(sid, None)
