"""Marks of couriers: merged per floor, and nothing for floors that are not watched."""

from __future__ import annotations

from typing import Any

import pytest

from routing import floor_watches
from routing.events.floor_marks import MOST_SIDS, FloorMarks
from routing.models import Event
from supervisors.dirt import MOST_WORKERS, Dirt

WS = "WS" + "1" * 32
OTHER = "WS" + "2" * 32


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def event(event_type: str, workspace: str = WS, **data: Any) -> Event:
    """Return an event that was not stored."""
    return Event(event_type=event_type, workspace_sid=workspace, event_data=data)


@pytest.fixture
def clock(settings: Any) -> Clock:
    """Return the clock of the marks, with one floor that is watched."""
    settings.REDIS_URL = ""
    floor_watches.renew_watch(WS)
    return Clock()


def test_events_of_a_floor_become_one_mark(clock: Clock) -> None:
    marks = FloorMarks(clock)
    marks.add_events(
        [
            event("task.created", task_sid="WT1"),
            event("reservation.created", task_sid="WT1", worker_sid="WK1"),
            event("task.updated", task_sid="WT2", holder_sids="WK2,WK3"),
        ]
    )
    ((group, message),) = marks.take_messages()
    assert group == f"floor.{WS}"
    assert message == {
        "type": "floor.dirty",
        "event_types": ["reservation.created", "task.created", "task.updated"],
        "workers": ["WK1", "WK2", "WK3"],
        "tasks": ["WT1", "WT2"],
    }
    assert not marks.is_pending


def test_a_floor_gets_at_most_five_marks_a_second(clock: Clock) -> None:
    marks = FloorMarks(clock)
    sent = 0
    for _ in range(100):
        marks.add_events([event("task.created", task_sid="WT1")])
        sent += len(marks.take_messages())
        clock.now += 0.01
    assert sent == 5
    assert marks.is_pending
    clock.now += 0.2
    assert len(marks.take_messages()) == 1


def test_what_is_held_back_is_published_when_the_courier_stops(clock: Clock) -> None:
    marks = FloorMarks(clock)
    for name in ("WT1", "WT2"):
        marks.add_events([event("task.created", task_sid=name)])
        found = marks.take_messages(last=name == "WT2")
    assert [message["tasks"] for _, message in found] == [["WT2"]]


def test_events_of_a_floor_that_is_not_watched_are_passed_by(clock: Clock) -> None:
    marks = FloorMarks(clock)
    marks.add_events([event("task.created", workspace=OTHER, task_sid="WT1")])
    assert not marks.is_pending
    assert marks.take_messages() == []


def test_the_list_of_watched_floors_is_read_once_a_second(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []

    def list_watched() -> frozenset[str]:
        reads.append(clock.now)
        return frozenset()

    monkeypatch.setattr(floor_watches, "list_watched", list_watched)
    marks = FloorMarks(clock)
    for _ in range(30):
        marks.add_events([event("task.created")])
        clock.now += 0.1
    assert len(reads) == 3


def test_too_many_workers_are_not_named_and_everything_is_read(clock: Clock) -> None:
    marks = FloorMarks(clock)
    marks.add_events(
        event("reservation.created", worker_sid=f"WK{number}", task_sid=f"WT{number}")
        for number in range(MOST_SIDS + 1)
    )
    ((_, message),) = marks.take_messages()
    assert message["workers"] is None
    assert message["tasks"] is None
    dirt = Dirt()
    dirt.add_mark(message)
    assert dirt.whole


def test_many_marks_with_few_workers_each_become_one_whole_reading() -> None:
    dirt = Dirt()
    for start in range(0, MOST_WORKERS + 1, 100):
        workers = [f"WK{number}" for number in range(start, start + 100)]
        dirt.add_mark({"event_types": ["reservation.created"], "workers": workers, "tasks": []})
    assert dirt.whole
    assert "workers" not in dirt.name_sids()


@pytest.mark.parametrize(
    ("event_type", "whole"),
    [
        ("task-queue.updated", True),
        ("task-queue.expression.updated", True),
        ("activity.updated", True),
        ("task-channel.deleted", True),
        ("workspace.updated", True),
        ("worker.created", False),
        ("task.created", False),
        ("task-queue.entered", False),
    ],
)
def test_a_change_of_the_configuration_reads_everything(event_type: str, whole: bool) -> None:
    dirt = Dirt()
    dirt.add_mark({"event_types": [event_type], "workers": ["WK1"], "tasks": []})
    assert dirt.whole is whole
    assert dirt


def test_a_watch_ends_by_itself_and_renewing_says_whether_it_was_there(
    real_redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not floor_watches.renew_watch(WS)
    assert floor_watches.renew_watch(WS)
    assert floor_watches.list_watched() == {WS}
    monkeypatch.setattr(floor_watches, "WATCH_SECONDS", -1.0)
    floor_watches.renew_watch(WS)
    assert floor_watches.list_watched() == frozenset()
