"""Make changes beside a server, at an even rate, and print when each was committed.

Run as a process of its own, with the server's settings: a line of JSON on its input is a command, a
line on its output the answer. What happened is told the way it always is: handed to this process's
courier (`routing.events.courier`) at the commit, which publishes it to the groups of sockets.

An action that changes a task costs both cores more than the push that is measured, so five hundred
of them in a second are not to be had here. `push` therefore commits its events beforehand, copies
of one that an action wrote, and hands each to `routing.events.courier.publish_events` at its
moment, as `transaction.on_commit` does; `commit` has actions do it all, at a rate that they can
keep.
"""

from __future__ import annotations

import copy
import functools
import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - they need the settings above
from django.utils import timezone  # noqa: E402

from routing import models, sids  # noqa: E402
from routing.actions import reservations, task_transitions, tasks  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from routing.core.event_catalog import EventType as E  # noqa: E402
from routing.db import bulk_insert  # noqa: E402
from routing.events import courier  # noqa: E402

Told = list[tuple[int, str, float]]
"""The receivers by number, the task, and the time after the commit."""
LONGEST: Final = 30.0
"""Seconds for an offer."""


class Stage:
    """A workspace with changes to some of its workers."""

    def __init__(self, workspace_sid: str, worker_sids: list[str]) -> None:
        """Give each of these workers a task to hold, and one more that is over by now."""
        self._floor = models.Workspace.objects.get(sid=workspace_sid)
        self._workers = worker_sids
        self._held = [self._hold(sid) for sid in worker_sids]
        reservations.complete_reservation(
            reservation=self._hold(worker_sids[0]), actor=SYSTEM, now=timezone.now()
        )
        self._completed = self._newest(E.TASK_COMPLETED)
        created = tasks.create_task(
            workspace=self._floor,
            task_channel=self._floor.task_channels.get(unique_name="voice"),
            actor=SYSTEM,
            now=timezone.now(),
        )
        self._created = self._newest(E.TASK_CREATED)
        # Its events are not published any more.
        task_transitions.cancel_task(task=created, reason="", actor=SYSTEM, now=timezone.now())

    def _newest(self, event_type: E) -> models.Event:
        events = models.Event.objects.filter(event_type=event_type, workspace_sid=self._floor.sid)
        return events.order_by("-pk")[0]

    def _hold(self, worker_sid: str) -> models.Reservation:
        """Accept a task that is for one worker alone, and so in no queue."""
        task = tasks.create_task(
            workspace=self._floor,
            task_channel=self._floor.task_channels.get(unique_name="chat"),
            routing_target=worker_sid,
            actor=SYSTEM,
            now=timezone.now(),
        )
        until = time.monotonic() + LONGEST
        while (offer := task.reservations.first()) is None:
            assert time.monotonic() < until, "the server's router offers nothing"
            time.sleep(0.01)
        return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())

    def push(self, rate: int, seconds: float) -> Told:
        """Publish a completed task to each worker in turn, so many a second in all."""
        numbers = [number % len(self._workers) for number in range(int(rate * seconds))]
        events = self._copies(
            self._completed, [{"holder_sids": self._workers[number]} for number in numbers]
        )
        told: Told = []
        for number, event, _ in zip(numbers, events, _evenly(rate), strict=False):
            told.append((number, event.event_data["task_sid"], time.monotonic()))
            courier.publish_events([event])
        return told

    def commit(self, rate: int, seconds: float) -> Told:
        """Change the priority of the workers' tasks in turn, by the action that does that."""
        told: Told = []

        def note(number: int, sid: str) -> None:
            told.append((number, sid, time.monotonic()))

        for turn, _ in zip(range(int(rate * seconds)), _evenly(rate), strict=False):
            number = turn % len(self._held)
            task = self._held[number].task
            with transaction.atomic():
                # Before the action's own callback: after the commit, before publishing.
                transaction.on_commit(functools.partial(note, number, task.sid))
                tasks.update_task(task=task, priority=turn, actor=SYSTEM, now=timezone.now())
        return told

    def one(self, worker_sid: str | None) -> Told:
        """Publish a completed task to one worker's sockets, or a new one to a queue's."""
        if worker_sid is None:
            (event,) = self._copies(self._created, [{}])
        else:
            (event,) = self._copies(self._completed, [{"holder_sids": worker_sid}])
        at = time.monotonic()
        courier.publish_events([event])
        return [(0, event.event_data["task_sid"], at)]

    def _copies(self, model: models.Event, changes: list[dict[str, str]]) -> list[models.Event]:
        """Commit copies of an unpublished event, each about a task of its own."""
        now = timezone.now()
        made = [_copied(model, change, now) for change in changes]
        with transaction.atomic():
            for start in range(0, len(made), 500):
                bulk_insert.insert(made[start : start + 500])
        return made


def _copied(model: models.Event, change: dict[str, str], now: datetime) -> models.Event:
    event = copy.copy(model)
    event.pk, event.sid, event.event_date = None, sids.new_ordered_sid("EV", now), now
    event.event_data = model.event_data | change | {"task_sid": sids.new_sid("WT")}
    if "holder_sids" in change:
        event.event_data.pop("worker_sid", None)
    # The sweep skips delivered events; the courier marks them all the same.
    event.delivered = True
    return event


def _evenly(rate: int) -> Iterator[None]:
    """Yield at an even rate, later only if the consumer of the iterator takes longer."""
    begun, number = time.monotonic(), 0
    while True:
        time.sleep(max(begun + number / rate - time.monotonic(), 0))
        yield
        number += 1


def main() -> None:
    """Carry out the commands, line by line; the first line names the workspace."""
    stage = Stage(**json.loads(sys.stdin.readline()))
    _say({})
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        _say(getattr(stage, command.pop("do"))(**command))
        connection.close()


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
