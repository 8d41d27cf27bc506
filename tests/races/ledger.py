"""Replay, from the events alone, what every worker held and could take at each moment.

Every change of what a worker holds or may take is made, and its event written, while the worker's
row is locked: in the order of their ids, the events of one worker tell exactly what happened.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from routing import models
from routing.core.event_catalog import EventType
from routing.core.lifecycle import OPEN_RESERVATION
from routing.core.vocabulary import ReservationStatus, TransferType
from tests.properties.router_laws import RESERVATION_EVENTS

Slot = tuple[str, str]
"""The sids of a worker and a task channel."""


class Ledger:
    """Slots, switches and activities, replayed; `wrong` lists the violations."""

    def __init__(self, workspace: models.Workspace) -> None:
        self.workspace = workspace
        self.wrong: list[str] = []
        self.offers = 0
        self._capacity: dict[Slot, int] = defaultdict(lambda: 1)
        self._switched_off: set[Slot] = set()
        self._held: dict[str, tuple[Slot, ReservationStatus]] = {}
        self._consumed: Counter[Slot] = Counter()
        self._activity: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        available = workspace.activities.filter(available=True)
        self._available = set(available.values_list("sid", flat=True))
        told = models.Event.objects.filter(workspace_sid=workspace.sid).order_by("pk")
        for event in told.iterator():
            self._read(EventType(event.event_type), event.event_data)

    def _read(self, kind: EventType, data: dict[str, Any]) -> None:
        if kind in (EventType.WORKER_CREATED, EventType.WORKER_ACTIVITY_UPDATE):
            self._activity[data["worker_sid"]] = data["worker_activity_sid"]
        elif kind in RESERVATION_EVENTS:
            self._move(data, RESERVATION_EVENTS[kind])
        elif kind == EventType.WORKER_CAPACITY_UPDATE:
            slot = (data["worker_sid"], data["task_channel_sid"])
            self._capacity[slot] = int(data["worker_channel_available_capacity"])
        elif kind == EventType.WORKER_CHANNEL_AVAILABILITY_UPDATE:
            slot = (data["worker_sid"], data["task_channel_sid"])
            change = {"true": self._switched_off.discard, "false": self._switched_off.add}
            change[data["worker_channel_available"]](slot)

    def _move(self, data: dict[str, Any], status: ReservationStatus) -> None:
        sid = data["reservation_sid"]
        if status == ReservationStatus.PENDING:
            slot = (data["worker_sid"], data["task_channel_sid"])
            self._consumed[slot] += 1
            self.offers += 1
            for_one = json.loads(data["task_attributes"]).get("forced")
            by_name = data.get("transfer_type") == TransferType.WORKER
            if not for_one:
                why_not = self._against(slot, whatever_they_carry=by_name)
                self.wrong.extend(f"reservation {sid}: {why}" for why in why_not)
        else:
            slot = self._held[sid][0]
            self._consumed[slot] -= status not in OPEN_RESERVATION
        self._held[sid] = (slot, status)
        if status == ReservationStatus.ACCEPTED:
            # Every later owner has the task from the last one, by a transfer.
            before = self._taken.get(data["task_sid"])
            if before not in (None, data.get("transfer_initiating_reservation_sid")):
                self.wrong.append(f"task {data['task_sid']} was accepted twice")
            self._taken[data["task_sid"]] = sid

    def _against(self, slot: Slot, *, whatever_they_carry: bool) -> Iterator[str]:
        """Yield why an offer that was just made in this slot should not have been."""
        if not whatever_they_carry:
            if self._consumed[slot] > self._capacity[slot]:
                yield f"{self._consumed[slot]} slots in use of {self._capacity[slot]}"
            if slot in self._switched_off:
                yield "the channel was switched off"
        if self._activity[slot[0]] not in self._available:
            yield "the worker was away"

    def check_rows(self) -> None:
        """Compare what the events add up to with what the rows say in the end."""
        assigned = Counter(
            slot for slot, status in self._held.values() if status == ReservationStatus.ACCEPTED
        )
        rows = models.WorkerChannel.objects.filter(worker__workspace=self.workspace)
        for row in rows.select_related("worker__activity", "task_channel"):
            slot = (row.worker.sid, row.task_channel.sid)
            told = (
                self._capacity[slot],
                slot not in self._switched_off,
                self._consumed[slot],
                assigned[slot],
                self._activity[slot[0]],
            )
            found = (
                row.configured_capacity,
                row.available,
                row.consumed,
                row.assigned,
                row.worker.activity.sid,
            )
            if told != found:
                self.wrong.append(f"worker channel {row.sid} is {found}; the events say {told}")
