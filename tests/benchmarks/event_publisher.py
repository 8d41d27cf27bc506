"""Publish events beside a server at an even rate, and print when each was committed.

Run as a process of its own, with the server's settings: a line of JSON on its input is a command, a
line on its output the answer. Events take the usual way: at the commit they go to this process's
courier (`routing.events.courier`), which publishes them to the groups of sockets.

An action that changes a task costs both cores more than the push that is measured, so five hundred
of them a second are too many here. `publish_copies` therefore commits copies of one event first,
and passes each to `courier.publish_events` at its moment, as `transaction.on_commit` does.
`change_priorities` runs actions, at a rate that they can keep.
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

Publications = list[tuple[int, str, float]]
"""The receivers by number, the task, and the time after the commit."""
OFFER_WAIT_SECONDS: Final = 30.0
"""Seconds for an offer."""


class Publisher:
    """A workspace with changes to some of its workers."""

    def __init__(self, workspace_sid: str, worker_sids: list[str]) -> None:
        """Give each of these workers a task to hold, and one more that is over by now."""
        self._floor = models.Workspace.objects.get(sid=workspace_sid)
        self._workers = worker_sids
        self._reservations = [self._accept_task(sid) for sid in worker_sids]
        reservations.complete_reservation(
            reservation=self._accept_task(worker_sids[0]), actor=SYSTEM, now=timezone.now()
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

    def _accept_task(self, worker_sid: str) -> models.Reservation:
        """Accept a task that is for one worker alone, and so in no queue."""
        task = tasks.create_task(
            workspace=self._floor,
            task_channel=self._floor.task_channels.get(unique_name="chat"),
            routing_target=worker_sid,
            actor=SYSTEM,
            now=timezone.now(),
        )
        until = time.monotonic() + OFFER_WAIT_SECONDS
        while (offer := task.reservations.first()) is None:
            assert time.monotonic() < until, "the server's router offers nothing"
            time.sleep(0.01)
        return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())

    def publish_copies(self, rate: int, seconds: float) -> Publications:
        """Publish a completed task to each worker in turn, so many a second in all."""
        numbers = [number % len(self._workers) for number in range(int(rate * seconds))]
        events = self._copies(
            self._completed, [{"holder_sids": self._workers[number]} for number in numbers]
        )
        published: Publications = []
        for number, event, _ in zip(numbers, events, _tick_evenly(rate), strict=False):
            published.append((number, event.event_data["task_sid"], time.monotonic()))
            courier.publish_events([event])
        return published

    def change_priorities(self, rate: int, seconds: float) -> Publications:
        """Change the priority of the workers' tasks in turn, by the action that does that."""
        published: Publications = []

        def record(number: int, sid: str) -> None:
            published.append((number, sid, time.monotonic()))

        for turn, _ in zip(range(int(rate * seconds)), _tick_evenly(rate), strict=False):
            number = turn % len(self._reservations)
            task = self._reservations[number].task
            with transaction.atomic():
                # Before the action's own callback: after the commit, before publishing.
                transaction.on_commit(functools.partial(record, number, task.sid))
                tasks.update_task(task=task, priority=turn, actor=SYSTEM, now=timezone.now())
        return published

    def publish_one(self, worker_sid: str | None) -> Publications:
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
        made = [_copy_event(model, change, now) for change in changes]
        with transaction.atomic():
            for start in range(0, len(made), 500):
                bulk_insert.insert(made[start : start + 500])
            # The sweep does not publish them; the courier does at their moments.
            models.UnpublishedEvent.objects.all().delete()
        return made


def _copy_event(model: models.Event, change: dict[str, str], now: datetime) -> models.Event:
    event = copy.copy(model)
    event.pk, event.sid, event.event_date = None, sids.new_ordered_sid("EV", now), now
    event.event_data = model.event_data | change | {"task_sid": sids.new_sid("WT")}
    if "holder_sids" in change:
        event.event_data.pop("worker_sid", None)
    return event


def _tick_evenly(rate: int) -> Iterator[None]:
    """Yield at an even rate, later only if the consumer of the iterator takes longer."""
    begun, number = time.monotonic(), 0
    while True:
        time.sleep(max(begun + number / rate - time.monotonic(), 0))
        yield
        number += 1


def main() -> None:
    """Carry out the commands, line by line; the first line names the workspace."""
    publisher = Publisher(**json.loads(sys.stdin.readline()))
    _print_answer({})
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        _print_answer(getattr(publisher, command.pop("do"))(**command))
        connection.close()


def _print_answer(answer: Any) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
