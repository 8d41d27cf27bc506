"""Check slots, activities and owners by replaying the events of a workspace.

A change of a worker's slots or activity and its event are written while the worker's row is locked.
Therefore the events of one worker, in the order of their ids, are its exact history.
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


class EventReplay:
    """The replayed slots, channel switches and activities; `violations` lists what broke a rule."""

    def __init__(self, workspace: models.Workspace) -> None:
        self.workspace = workspace
        self.violations: list[str] = []
        self.offers = 0
        self._capacity: dict[Slot, int] = defaultdict(lambda: 1)
        self._switched_off: set[Slot] = set()
        self._reservations: dict[str, tuple[Slot, ReservationStatus]] = {}
        self._consumed: Counter[Slot] = Counter()
        self._activity: dict[str, str] = {}
        self._accepted_by_task: dict[str, str] = {}
        available = workspace.activities.filter(available=True)
        self._available = set(available.values_list("sid", flat=True))
        replayed = models.Event.objects.filter(workspace_sid=workspace.sid).order_by("pk")
        for event in replayed.iterator():
            self._apply(EventType(event.event_type), event.event_data)

    def _apply(self, kind: EventType, data: dict[str, Any]) -> None:
        if kind in (EventType.WORKER_CREATED, EventType.WORKER_ACTIVITY_UPDATE):
            self._activity[data["worker_sid"]] = data["worker_activity_sid"]
        elif kind in RESERVATION_EVENTS:
            self._change_reservation(data, RESERVATION_EVENTS[kind])
        elif kind == EventType.TASK_TAKEN_BACK:
            self._accepted_by_task.pop(data["task_sid"], None)
        elif kind == EventType.WORKER_CAPACITY_UPDATE:
            slot = (data["worker_sid"], data["task_channel_sid"])
            self._capacity[slot] = int(data["worker_channel_available_capacity"])
        elif kind == EventType.WORKER_CHANNEL_AVAILABILITY_UPDATE:
            slot = (data["worker_sid"], data["task_channel_sid"])
            change = {"true": self._switched_off.discard, "false": self._switched_off.add}
            change[data["worker_channel_available"]](slot)

    def _change_reservation(self, data: dict[str, Any], status: ReservationStatus) -> None:
        sid = data["reservation_sid"]
        if status == ReservationStatus.PENDING:
            slot = (data["worker_sid"], data["task_channel_sid"])
            self._consumed[slot] += 1
            self.offers += 1
            for_one = json.loads(data["task_attributes"]).get("forced")
            by_name = data.get("transfer_type") == TransferType.WORKER
            if not for_one:
                why_not = self._offer_violations(slot, ignore_capacity=by_name)
                self.violations.extend(f"reservation {sid}: {why}" for why in why_not)
        else:
            slot = self._reservations[sid][0]
            self._consumed[slot] -= status not in OPEN_RESERVATION
        self._reservations[sid] = (slot, status)
        if status == ReservationStatus.ACCEPTED:
            # Every later owner has the task from the last one, by a transfer.
            before = self._accepted_by_task.get(data["task_sid"])
            if before not in (None, data.get("transfer_initiating_reservation_sid")):
                self.violations.append(f"task {data['task_sid']} was accepted twice")
            self._accepted_by_task[data["task_sid"]] = sid

    def _offer_violations(self, slot: Slot, *, ignore_capacity: bool) -> Iterator[str]:
        """Yield the rules that the newest offer in a slot broke."""
        if not ignore_capacity:
            if self._consumed[slot] > self._capacity[slot]:
                yield f"{self._consumed[slot]} slots in use of {self._capacity[slot]}"
            if slot in self._switched_off:
                yield "the channel was switched off"
        if self._activity[slot[0]] not in self._available:
            yield "the worker was away"

    def check_rows(self) -> None:
        """Compare the replayed state with the rows."""
        assigned = Counter(
            slot
            for slot, status in self._reservations.values()
            if status == ReservationStatus.ACCEPTED
        )
        rows = models.WorkerChannel.objects.filter(worker__workspace=self.workspace)
        for row in rows.select_related("worker__activity", "task_channel"):
            slot = (row.worker.sid, row.task_channel.sid)
            replayed = (
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
            if replayed != found:
                self.violations.append(
                    f"worker channel {row.sid} is {found}; the events say {replayed}"
                )
