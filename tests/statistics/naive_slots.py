"""A second implementation of slot time: it goes forward through the JSON of the events API."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

QUARTER_MS = 15 * 60 * 1000
Cell = tuple[int, str, str, str]
"""Quarter, worker, channel ("" for the worker) and what."""
OVER = ("rejected", "timeout", "canceled", "rescinded")


class NaiveSlots:
    """Milliseconds by cell until a moment; `activities` by quarter, worker and activity."""

    def __init__(self, events: Iterable[dict[str, Any]], *, until_ms: int) -> None:
        self.cells: dict[Cell, float] = defaultdict(float)
        self.activities: Counter[tuple[int, str, str]] = Counter()
        self._takes_work: dict[str, bool] = {}
        self._channels: list[str] = []
        self._workers: dict[str, dict[str, Any]] = {}
        for event in events:
            self._read(event["event_type"], event["event_data"], int(event["event_date_ms"]))
        for worker in self._workers:
            self._spend(worker, until_ms)

    def _read(self, kind: str, data: dict[str, Any], ms: int) -> None:
        sid = data.get("worker_sid")
        if kind == "activity.created":
            self._takes_work[data["activity_sid"]] = data["activity_available"] == "true"
        elif kind == "task-channel.created":
            self._channels.append(data["task_channel_sid"])
            for worker, state in self._workers.items():
                self._spend(worker, ms)
                state["slots"][data["task_channel_sid"]] = [1, True, 0, 0]
        elif kind == "worker.created":
            slots = {channel: [1, True, 0, 0] for channel in self._channels}
            activity = data["worker_activity_sid"]
            self._workers[sid or ""] = {"at": ms, "slots": slots, "activity": activity}
        elif sid in self._workers:
            self._change(kind, data, ms, sid)

    def _change(self, kind: str, data: dict[str, Any], ms: int, sid: str) -> None:
        state = self._workers[sid]
        noun, _, verb = kind.partition(".")
        if kind == "worker.deleted":
            self._spend(sid, ms)
            del self._workers[sid]
        elif kind == "worker.activity.update":
            self._spend(sid, ms)
            state["activity"] = data["worker_activity_sid"]
        elif kind in ("worker.capacity.update", "worker.channel.availability.update"):
            self._spend(sid, ms)
            slot = state["slots"][data["task_channel_sid"]]
            slot[0] = int(data["worker_channel_available_capacity"])
            changes = json.loads(data["changes"])
            if "available" in changes:
                slot[1] = changes["available"][1] == "true"
        elif noun == "reservation" and verb in ("created", "accepted", "completed", *OVER):
            self._spend(sid, ms)
            slot = state["slots"][data["task_channel_sid"]]
            slot[3] += (verb == "created") - (verb == "accepted") - (verb in OVER)
            slot[2] += (verb == "accepted") - (verb == "completed")

    def _spend(self, worker: str, ms: int) -> None:
        """Add up a worker's time until now, in which nothing changed."""
        state = self._workers[worker]
        in_hand = sum(slot[2] for slot in state["slots"].values())
        takes_work = self._takes_work[state["activity"]]
        while state["at"] < ms:
            quarter = state["at"] // QUARTER_MS
            span = min((quarter + 1) * QUARTER_MS, ms) - state["at"]
            state["at"] += span
            self.activities[quarter, worker, state["activity"]] += span
            self.cells[quarter, worker, "", "busy"] += span if in_hand else 0
            self.cells[quarter, worker, "", "free"] += span if takes_work and not in_hand else 0
            for channel, (capacity, on, busy, offered) in state["slots"].items():
                left = max(capacity - busy - offered, 0)
                self.cells[quarter, worker, channel, "busy"] += span * busy
                self.cells[quarter, worker, channel, "offered"] += span * offered
                if in_hand:
                    self.cells[quarter, worker, channel, "effort"] += span * busy / in_hand
                name = "free" if takes_work and on else "closed"
                self.cells[quarter, worker, channel, name] += span * left
