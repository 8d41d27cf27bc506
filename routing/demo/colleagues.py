"""Simulate the demo's workers without a login: they accept, work for a while, and complete.

They are no machines: some finish their notes later, one forgets them, an offer is overlooked now
and then, and each has a break. So a cockpit beside them has something to show.
"""

from __future__ import annotations

import random
from typing import Any, Final

from routing.demo.client import ApiError, Client

OVERLOOKED: Final = 0.04
"""The share of offers that are left to run out."""
WITH_NOTES: Final = 0.4
"""The share of tasks that are wrapped up before they are completed."""
NOTES_SECONDS: Final = (5.0, 20.0)
FORGOTTEN_SECONDS: Final = 600.0
"""Time after which forgotten notes are finished; one task at a time is wrapped up so long."""
BREAK_EVERY: Final = 45.0
AWAY_SECONDS: Final = (60.0, 120.0)
"""How long a break lasts, and how long it takes to come back after an overlooked offer."""


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
        self._wrapping: set[str] = set()
        self._forgotten = ""
        self._overlooked: set[str] = set()
        self._back_at: dict[str, float] = {}
        self._break_at: float | None = None
        self._activities: dict[str, str] = {}
        workers = client.get(f"{self._base}/Workers", PageSize=1000)["workers"]
        self._workers = [w["sid"] for w in workers if w["friendly_name"] in names]
        self.completed = 0

    def sign(self, activity: str) -> None:
        """Move all of them to the activity with this name."""
        for worker in self._workers:
            self._set_activity(worker, activity)

    def _set_activity(self, worker: str, activity: str) -> None:
        if activity not in self._activities:
            found = self._client.get(f"{self._base}/Activities", FriendlyName=activity)
            self._activities[activity] = found["activities"][0]["sid"]
        self._client.post(
            f"{self._base}/Workers/{worker}",
            ActivitySid=self._activities[activity],
            **({} if activity == "Available" else {"RejectPendingReservations": "true"}),
        )

    def act(self, now: float) -> None:
        """Accept their open offers, and complete tasks that were worked on long enough.

        Arguments:
            now: seconds of any monotonic clock.
        """
        self._take_breaks(now)
        for worker in self._workers:
            for reservation in self._open(worker):
                self._attend(worker, reservation, now)

    def _take_breaks(self, now: float) -> None:
        """Send one of them into a break now and then, and bring back those who are due."""
        for worker in [each for each, at in self._back_at.items() if now >= at]:
            del self._back_at[worker]
            self._set_activity(worker, "Available")
        if self._break_at is None:
            self._break_at = now + BREAK_EVERY
        if now < self._break_at:
            return
        self._break_at = now + BREAK_EVERY
        present = [each for each in self._workers if each not in self._back_at]
        # At least half of them stay.
        if len(present) * 2 > len(self._workers):
            worker = self._dice.choice(present)
            self._back_at[worker] = now + self._dice.uniform(*AWAY_SECONDS)
            self._set_activity(worker, "Break")

    def _open(self, worker: str) -> list[Any]:
        answer = self._client.get(
            f"{self._base}/Workers/{worker}/Reservations",
            ReservationStatus="pending,accepted,wrapping",
            PageSize=50,
        )
        reservations: list[Any] = answer["reservations"]
        return reservations

    def _attend(self, worker: str, reservation: dict[str, Any], now: float) -> None:
        sid = reservation["sid"]
        try:
            if reservation["reservation_status"] == "pending":
                if sid in self._overlooked or self._overlooks(worker, sid, now):
                    return
                self._client.post(
                    f"{self._base}/Workers/{worker}/Reservations/{sid}",
                    ReservationStatus="accepted",
                )
                self._done_at[sid] = now + self._dice.uniform(*self._patience)
            elif now < self._done_at.setdefault(sid, now + self._patience[0]):
                return
            elif sid not in self._wrapping and self._dice.random() < WITH_NOTES:
                self._wrap_up(worker, sid, now)
            else:
                self._client.post(
                    f"{self._base}/Tasks/{reservation['task_sid']}",
                    AssignmentStatus="completed",
                    Reason="resolved",
                )
                del self._done_at[sid]
                self._wrapping.discard(sid)
                self.completed += 1
        except ApiError:
            # A supervisor or the router was faster. The next call sees it.
            self._done_at.pop(sid, None)

    def _overlooks(self, worker: str, sid: str, now: float) -> bool:
        """Return whether an offer is left to run out; its worker comes back after that."""
        if worker in self._back_at or self._dice.random() >= OVERLOOKED:
            return False
        self._overlooked.add(sid)
        self._back_at[worker] = now + self._dice.uniform(*AWAY_SECONDS)
        return True

    def _wrap_up(self, worker: str, sid: str, now: float) -> None:
        self._client.post(
            f"{self._base}/Workers/{worker}/Reservations/{sid}", ReservationStatus="wrapping"
        )
        self._wrapping.add(sid)
        seconds = self._dice.uniform(*NOTES_SECONDS)
        if self._forgotten not in self._wrapping:
            self._forgotten, seconds = sid, FORGOTTEN_SECONDS
        self._done_at[sid] = now + seconds
