"""Statistics equal what plain Python finds by reading every event and every task.

After any actions in any order, the database's figures equal an independent recomputation without
counters, keys or index windows.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from routing import models, sids
from routing.statistics import counting, cumulative, durations, realtime
from routing.statistics.windows import Window
from tests.factories import NOW, later
from tests.properties.router_transfers import TransferMachine

THRESHOLDS = (0, 10, 45)
NAMES = {
    "task.created": "tasks_created",
    "task.canceled": "tasks_canceled",
    "task.completed": "tasks_completed",
    "task.deleted": "tasks_deleted",
    "task-queue.moved": "tasks_moved",
    "workflow.timeout": "tasks_timed_out_in_workflow",
    "reservation.created": "reservations_created",
    "reservation.accepted": "reservations_accepted",
    "reservation.rejected": "reservations_rejected",
    "reservation.timeout": "reservations_timed_out",
    "reservation.canceled": "reservations_canceled",
    "reservation.rescinded": "reservations_rescinded",
}
ENTERED = {"task_queue_sid": "task-queue.entered", "workflow_sid": "workflow.entered"}


@dataclass
class Plain:
    """Recomputed figures: counts, and waits in milliseconds."""

    counts: Counter[str] = field(default_factory=Counter)
    accepted: list[int] = field(default_factory=list)
    accepted_in_queue: list[int] = field(default_factory=list)
    accepted_to_split: list[int] = field(default_factory=list)
    canceled: list[int] = field(default_factory=list)


def milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


def recount(
    events: Iterable[models.Event], window: Window, *, about: dict[str, str], entered: str
) -> Plain:
    """Read the log from its beginning, and count what lies in the window and is about that."""
    found = Plain()
    created: dict[str, datetime] = {}
    came: dict[str, datetime] = {}
    handed_on: dict[str, datetime] = {}
    for event in events:
        data, kind = event.event_data, event.event_type
        task = data.get("task_sid")
        if kind == "task.created":
            created[task] = event.event_date
        if kind == "task-queue.entered":
            came[task] = event.event_date
            created.setdefault(task, event.event_date)
        if kind == "task.transfer-initiated":
            handed_on.setdefault(task, event.event_date)
        if not window.start <= event.event_date <= window.end:
            continue
        if any(data.get(name) != value for name, value in about.items()):
            continue
        if kind == entered:
            found.counts["tasks_entered"] += 1
        found.counts[NAMES.get(kind, "")] += 1
        if kind == "reservation.accepted":
            found.accepted.append(milliseconds(event.event_date - created[task]))
            # After a transfer, only the wait before it counts for the split.
            until = handed_on[task] if data.get("transfer_sid") else event.event_date
            found.accepted_to_split.append(milliseconds(until - created[task]))
            if task in came:  # a task for one worker may be in no queue
                found.accepted_in_queue.append(milliseconds(event.event_date - came[task]))
        if kind == "task.canceled":
            found.canceled.append(milliseconds(event.event_date - created[task]))
    return found


def in_seconds(waits: list[int]) -> dict[str, int]:
    if not waits:
        return {"avg": 0, "min": 0, "max": 0, "total": 0}
    return {
        "avg": int(sum(waits) / len(waits) / 1000),
        "min": min(waits) // 1000,
        "max": max(waits) // 1000,
        "total": sum(waits) // 1000,
    }


def stays(
    events: Iterable[models.Event], window: Window, now: datetime
) -> dict[str, dict[str, int]]:
    """Follow every worker from activity to activity, and measure what lies in the window."""
    where: dict[str, tuple[str, datetime]] = {}
    found: dict[str, list[int]] = defaultdict(list)

    def leave(worker: str, until: datetime) -> None:
        activity, since = where[worker]
        inside = min(until, window.end) - max(since, window.start)
        if inside > timedelta():
            found[activity].append(milliseconds(inside))

    for event in events:
        data, worker = event.event_data, event.event_data.get("worker_sid")
        if event.event_type in ("worker.activity.update", "worker.deleted"):
            leave(worker, event.event_date)
        if event.event_type in ("worker.activity.update", "worker.created"):
            where[worker] = (data["worker_activity_sid"], event.event_date)
        if event.event_type == "worker.deleted":
            del where[worker]
    for worker in where:
        leave(worker, now)
    return {activity: in_seconds(lengths) for activity, lengths in found.items()}


class StatisticsMachine(TransferMachine):
    """The router's workspace, on which figures are compared when it closes."""

    def teardown(self) -> None:
        """Compare, then leave no trace."""
        try:
            self._compare()
        finally:
            super().teardown()

    def _compare(self) -> None:
        events = list(models.Event.objects.filter(workspace_sid=self.workspace.sid).order_by("pk"))
        for window in self._windows():
            for channel in (None, "chat"):
                self._compare_cumulative(events, window, channel)
            found = durations.measure_activities(
                self.workspace,
                window,
                workers=self.workspace.workers.all(),
                include_deleted=True,
                now=self.now,
            )
            plain = stays(events, window, self.now)
            assert {sid: each.seconds for sid, each in found.items() if each.count} == plain
        self._compare_live()

    def _windows(self) -> Iterator[Window]:
        yield Window(NOW, self.now)
        yield Window(later(self.seconds / 3), later(self.seconds * 2 / 3))
        yield Window(later(self.seconds / 2), self.now)

    def _compare_cumulative(
        self, events: list[models.Event], window: Window, channel: str | None
    ) -> None:
        narrowed = None
        about: dict[str, str] = {}
        if channel is not None:
            narrowed = self.workspace.task_channels.get(unique_name=channel).sid
            about = {"task_channel_sid": narrowed}
        key = None if narrowed is None else sids.index_key(narrowed)
        scopes: list[tuple[str, cumulative.Counted, list[str]]] = [
            ("", cumulative.OF_WORKSPACE, [""]),
            ("task_queue", cumulative.OF_TASK_QUEUE, sids_of(self.workspace.task_queues)),
            ("workflow", cumulative.OF_WORKFLOW, sids_of(self.workspace.workflows)),
            ("worker", cumulative.OF_WORKERS, sids_of(self.workspace.workers)),
        ]
        for noun, counted, whose in scopes:
            found = cumulative.count_events(
                self.workspace.sid,
                window,
                counted,
                by=f"{noun}_key" if noun else None,
                keys=[sids.index_key(sid) for sid in whose] if noun else [],
                task_channel_key=key,
                thresholds=THRESHOLDS,
            )
            for sid in whose:
                name = f"{noun}_sid"
                one = found[sids.index_key(sid) if noun else None]
                plain = recount(
                    events,
                    window,
                    about=about | ({name: sid} if noun else {}),
                    entered=ENTERED.get(name, ""),
                )
                self._same(one, plain)

    def _same(self, found: cumulative.Figures, plain: Plain) -> None:
        assert found.counts == {name: plain.counts[name] for name in found.counts}
        assert found.until_accepted.seconds == in_seconds(plain.accepted)
        assert found.in_queue_until_accepted.seconds == in_seconds(plain.accepted_in_queue)
        if "tasks_canceled" not in found.counts:
            return
        assert found.until_canceled.seconds == in_seconds(plain.canceled)
        for threshold in THRESHOLDS:
            for name, waits in (
                ("reservations_accepted", plain.accepted_to_split),
                ("tasks_canceled", plain.canceled),
            ):
                below = sum(wait <= threshold * 1000 for wait in waits)
                sides = found.split[str(threshold)]
                assert sides["below"][name] == below
                assert sides["above"][name] == len(waits) - below

    def _compare_live(self) -> None:
        assert counting.find_differences() == []
        channels = list(self.workspace.task_channels.order_by("pk"))
        rows = [row for row in self.workspace.tasks.order_by("pk") if row.date_finished is None]
        self._compare_scopes(rows, [self.workspace], "workspace_id", channels)
        self._compare_scopes(
            rows, list(self.workspace.task_queues.all()), "task_queue_id", channels
        )
        self._compare_scopes(rows, list(self.workspace.workflows.all()), "workflow_id", channels)

    def _compare_scopes(
        self,
        rows: list[models.Task],
        scopes: list[Any],
        column: str,
        channels: list[models.TaskChannel],
    ) -> None:
        found = realtime.count_tasks(self.workspace, scopes, channels=channels)
        for scope in scopes:
            mine = [row for row in rows if getattr(row, column) == scope.pk]
            check_live(found[scope.pk].all, mine, in_queue=column == "task_queue_id")
            for channel in channels:
                here = [row for row in mine if row.task_channel_id == channel.pk]
                each = found[scope.pk].by_channel[channel.pk]
                check_live(each, here, in_queue=column == "task_queue_id")


def check_live(found: realtime.TaskCounts, rows: list[models.Task], *, in_queue: bool) -> None:
    by_status = Counter(row.assignment_status for row in rows)
    assert found.by_status == {str(status): by_status[status] for status in counting.LIVE}
    assert +found.by_priority == Counter(row.priority for row in rows)
    pending = [row for row in rows if row.assignment_status == "pending"]
    assert (found.waiting is None) == (not pending)
    if found.waiting is not None:
        assert found.waiting.since == min(row.date_created for row in pending)
        assert found.waiting.sid in {
            row.sid for row in pending if row.date_created == found.waiting.since
        }
    if in_queue and found.in_queue is not None:
        entered = [row.task_queue_entered_date for row in pending]
        assert found.in_queue.since == min(moment for moment in entered if moment is not None)
    assert (found.in_queue is None) == (not pending or not in_queue)


def sids_of(rows: Any) -> list[str]:
    return list(rows.order_by("pk").values_list("sid", flat=True))


@pytest.mark.django_db
def test_after_any_actions_the_figures_equal_a_recomputation() -> None:
    run_state_machine_as_test(
        StatisticsMachine,
        settings=settings(
            max_examples=int(os.environ.get("ROUTER_EXAMPLES", "10")),
            stateful_step_count=int(os.environ.get("ROUTER_STEPS", "25")),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
