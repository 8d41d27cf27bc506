"""A second, naive implementation of the books: it knows the JSON of the events API alone.

It follows every task from event to event, and shares no code with the engine.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

QUARTER_MS = 15 * 60 * 1000
OVER = "Task TTL Exceeded or Max assignment count exceeded"
OUT = (
    "Task canceled on Workflow timeout",
    "Task canceled on Workflow skip",
    "Task canceled because no filter of its workflow takes it any more",
)

Cell = tuple[int, str, str, str, str]
"""Quarter, queue or worker, channel, measure, origin."""


@dataclass
class Followed:
    """A task as the events so far have left it."""

    created: int
    queue: str = ""
    channel: str = ""
    entered: int | None = None
    waits: bool = False
    was_answered: bool = False


class NaiveBooks:
    """Counts by queue and by worker, waits, and the tasks that wait at the end."""

    def __init__(self, events: Iterable[dict[str, Any]], *, withdrawn: Iterable[str] = ()) -> None:
        self.queues: Counter[Cell] = Counter()
        self.workers: Counter[Cell] = Counter()
        self.waits: dict[Cell, list[int]] = defaultdict(list)
        self.tasks: dict[str, Followed] = {}
        self._withdrawn = set(withdrawn)
        self._accepted: dict[str, int] = {}
        self._wrapped: dict[str, int] = {}
        for event in events:
            self._read(event)

    def waiting(self) -> Counter[tuple[str, str]]:
        """Return how many tasks wait now, by queue and channel."""
        return Counter((t.queue, t.channel) for t in self.tasks.values() if t.waits and t.queue)

    def _read(self, event: dict[str, Any]) -> None:
        self.ms = int(event["event_date_ms"])
        self.quarter = self.ms // QUARTER_MS
        self.actor = event["actor_type"]
        data = event["event_data"]
        if not data.get("task_sid"):
            return
        fresh = Followed(self.ms, channel=data["task_channel_sid"])
        self.task = self.tasks.setdefault(data["task_sid"], fresh)
        name = event["event_type"].replace(".", "_").replace("-", "_")
        getattr(self, f"_{name}", lambda data: None)(data)

    def _count(self, measure: str, origin: str = "", number: int = 1) -> None:
        self.queues[self.quarter, self.task.queue, self.task.channel, measure, origin] += number

    def _count_worker(
        self, data: dict[str, Any], measure: str, origin: str, number: int = 1
    ) -> None:
        worker = data["worker_sid"]
        self.workers[self.quarter, worker, self.task.channel, measure, origin] += number
        self._count(measure, origin, number)

    def _keep_wait(self, end: str, origin: str = "") -> None:
        for clock, since in (("queue", self.task.entered), ("creation", self.task.created)):
            if since is not None:
                cell = (self.quarter, self.task.queue, self.task.channel, f"{end} {clock}", origin)
                self.waits[cell].append(self.ms - since)

    def _task_queue_entered(self, data: dict[str, Any]) -> None:
        self.task.queue, self.task.channel = data["task_queue_sid"], data["task_channel_sid"]
        self.task.entered, self.task.waits = self.ms, True
        self._count("entered")

    def _task_queue_moved(self, data: dict[str, Any]) -> None:
        assert self.task.queue == data["task_queue_sid"]
        self._count("moved")

    def _task_created(self, data: dict[str, Any]) -> None:
        self.task.waits = True
        self._count("tasks_created")

    def _task_updated(self, data: dict[str, Any]) -> None:
        changes = json.loads(data.get("changes") or "{}")
        before, after = changes.get("task_channel_sid", (None, None))
        if after is None:
            return
        # A cancellation names the new channel before the event that tells of the change.
        assert self.task.channel in (before, after)
        self.task.channel = before
        self._change_channel(after)

    def _change_channel(self, channel: str) -> None:
        if self.task.queue:
            self._count("channel_left")
        self.task.channel = channel
        if self.task.queue:
            self._count("channel_entered")

    def _task_canceled(self, data: dict[str, Any]) -> None:
        changes = json.loads(data.get("changes") or "{}")
        reason = data["reason"]
        if "task_channel_sid" in changes:
            self._change_channel(changes["task_channel_sid"][1])
        elif data["task_channel_sid"] != self.task.channel:
            # An event that follows tells of the change.
            self.task.channel = data["task_channel_sid"]
        if reason == OVER:
            end = "expired"
        elif reason in OUT:
            end = "fell_out"
        elif self.actor not in ("account", "api-key"):
            end = "canceled_by_staff"
        elif reason in self._withdrawn:
            end = "withdrawn"
        elif self.task.was_answered:
            end = "canceled_later"
        else:
            end = "abandoned"
            self._keep_wait(end)
        assert data["task_stay_end"] == end
        self._count(end)
        self.task.waits = False
        self.task.entered = None

    def _task_deleted(self, data: dict[str, Any]) -> None:
        if self.task.waits:
            self._count("deleted")
            self.task.waits = False

    _task_system_deleted = _task_deleted

    def _task_completed(self, data: dict[str, Any]) -> None:
        self._count("tasks_completed")

    def _task_transfer_completed(self, data: dict[str, Any]) -> None:
        to, own = data["transfer_to"], self.task.queue
        self.task.queue = to if to.startswith("WQ") else own
        self._count("transferred_in", "transfer")
        self.task.queue = data["transfer_initiating_queue_sid"] or ""
        self._count("transferred_out", "transfer")
        self.task.queue = own

    def _reservation_created(self, data: dict[str, Any]) -> None:
        self._count_worker(data, "offers", data["reservation_origin"])

    def _reservation_accepted(self, data: dict[str, Any]) -> None:
        origin = data["reservation_origin"]
        self._accepted[data["reservation_sid"]] = self.ms
        self._count_worker(data, "accepted", origin)
        is_first = origin != "transfer" and not self.task.was_answered
        assert data["reservation_first"] == str(is_first).lower()
        if origin != "transfer":
            self._count_worker(data, "answered" if is_first else "answered_again", origin)
            if is_first:
                self._keep_wait("answered", origin)
        self.task.was_answered, self.task.waits = True, False

    def _reservation_rejected(self, data: dict[str, Any]) -> None:
        self._count_worker(data, "rejected", data["reservation_origin"])

    def _reservation_timeout(self, data: dict[str, Any]) -> None:
        self._count_worker(data, "missed", data["reservation_origin"])

    def _reservation_rescinded(self, data: dict[str, Any]) -> None:
        self._count_worker(data, "rescinded", data["reservation_origin"])

    def _reservation_canceled(self, data: dict[str, Any]) -> None:
        self._count_worker(data, "canceled_offers", data["reservation_origin"])

    def _reservation_wrapup(self, data: dict[str, Any]) -> None:
        self._wrapped[data["reservation_sid"]] = self.ms

    def _reservation_completed(self, data: dict[str, Any]) -> None:
        sid, origin = data["reservation_sid"], data["reservation_origin"]
        if data["reservation_ended_by"] == "taken_back":
            own, self.task.queue = self.task.queue, data.get("task_queue_sid") or ""
            self._count_worker(data, "taken_back", origin)
            self.task.queue = own
        elif data["reservation_ended_by"] == "deleted":
            self._count_worker(data, "deleted_work", origin)
        else:
            self._count_worker(data, "handled", origin)
            self._count_worker(data, "handled_ms", origin, self.ms - self._accepted[sid])
            if sid in self._wrapped:
                self._count_worker(data, "wrapped", origin)
                self._count_worker(data, "wrapping_ms", origin, self.ms - self._wrapped[sid])
