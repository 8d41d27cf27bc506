"""Offer tasks in the transactions that create them, while others act; print a report as JSON.

See `runner`. In each scene another connection acts after the creation has read, and before it
writes. The report has for each scene what became of the task, and what is wrong in the tables.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import zip_longest
from typing import Any
from unittest import mock

from tests.races.cached_rows import elsewhere  # isort: skip - it sets Django up

from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import setup_test_environment
from django.utils import timezone

from routing import diagnosis, models, wakeups
from routing.actions import offers, reservations, task_queues, tasks, workers
from routing.actions.support import claiming, first_offers
from routing.actions.support.errors import ActionError
from routing.actors import SYSTEM
from routing.db import guarded
from routing.router import rounds
from routing.snapshots import due_work
from tests import factories
from tests.factories import NOW

Change = Callable[["Floor"], object]


class Floor:
    """A workspace with two queues and an agent, who has a slot for chats and one for calls."""

    def __init__(self, **given: Any) -> None:
        first_offers.forget_pauses()
        self.workspace = factories.workspace(friendly_name="Floor", **given)
        self.queue = factories.queue(self.workspace, friendly_name="Support")
        factories.workflow(self.workspace, default=self.queue, friendly_name="Chats")
        for channel in ("chat", "voice"):
            # The first task of each kind is left to the router.
            first = factories.task(self.workspace, channel=channel)
            act(tasks.delete_task, task=first)
        self.alice = factories.worker(self.workspace, "Alice", capacity={"chat": 1, "voice": 1})

    def create(self, **given: Any) -> models.Task:
        """Create a task as a request does."""
        reads = guarded.Reads()

        def act() -> models.Task:
            return factories.task(self.workspace, **given)

        return reads.run(act, again=act)

    def describe(self, task: models.Task) -> dict[str, Any]:
        """Return what became of a task, and what is wrong."""
        row = models.Task.objects.get(pk=task.pk)
        return {
            "status": row.assignment_status,
            "answered": task.assignment_status,
            "offers": row.reservations.count(),
            "wrong": self.find_wrong(),
        }

    def find_wrong(self) -> list[str]:
        """Return which rows do not agree, and which agents have more tasks than slots."""
        slots = models.WorkerChannel.objects.filter(worker__workspace=self.workspace)
        over = [each.sid for each in slots if each.consumed > each.configured_capacity]
        return [*diagnosis.find_problems(), *over]


def act(action: Callable[..., object], **given: Any) -> None:
    """Run an action as the system does."""
    action(actor=SYSTEM, now=NOW, **given)


def grab(floor: Floor) -> None:
    """Alice grabs a task that has just come."""
    act(offers.grab_task, task=factories.task(floor.workspace), worker=floor.alice)


def route(floor: Floor) -> None:
    """A router offers Alice a task that has just come."""
    factories.task(floor.workspace)
    factories.run(floor.workspace)


def leave(floor: Floor) -> None:
    """Alice goes away."""
    away = factories.activity(floor.workspace, "Unavailable")
    act(workers.set_activity, worker=floor.alice, activity=away)


CHANGES: dict[str, Change] = {
    "nothing": lambda floor: None,
    "she goes away": leave,
    "she grabs a task": grab,
    "a router offers her a task": route,
    "another creation offers her a task": lambda floor: floor.create(),
    "her capacity goes": lambda floor: factories.set_capacity(floor.alice, configured_capacity=0),
    "her queue admits her no more": lambda floor: act(
        task_queues.update_task_queue, queue=floor.queue, target_workers="1 == 2"
    ),
    "she is deleted": lambda floor: act(workers.delete_worker, worker=floor.alice),
}


@contextlib.contextmanager
def before_writing(change: Callable[[], object]) -> Iterator[None]:
    """Run a change once, before the first offer of a creation is written."""
    write, changes = first_offers._write, [change]

    def write_later(*given: Any, **more: Any) -> bool:
        if changes:
            changes.pop()()
        return write(*given, **more)

    with mock.patch.object(first_offers, "_write", write_later), without_turns():
        yield


def without_turns() -> contextlib.AbstractContextManager[object]:
    """Let creations of this process run at the same time, as those of several processes do."""
    turns = [threading.Semaphore(100)] * len(first_offers._turns)
    return mock.patch.object(first_offers, "_turns", turns)


def change_within(change: Change) -> dict[str, Any]:
    """Create a task while another connection makes a change."""
    floor = Floor()
    with before_writing(lambda: elsewhere(lambda _: change(floor), None)):  # type: ignore[arg-type]
        return floor.describe(floor.create())


def find_locked() -> dict[str, Any]:
    """Create a task while another transaction holds the lock of the agent."""
    floor, is_locked, is_over = Floor(), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            models.Worker.objects.select_for_update().get(pk=floor.alice.pk)
            is_locked.set()
            is_over.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    is_locked.wait(60)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20s'")
    task = floor.create()
    is_over.set()
    holder.join()
    return floor.describe(task)


def find_older(channel: str) -> dict[str, Any]:
    """Create a task beside an older one that the agent may take, and run the router."""
    floor = Floor()
    with override_settings(OFFER_AT_CREATION=False):
        older = floor.create(channel=channel)
    newer = floor.describe(floor.create())
    factories.run(floor.workspace)
    return newer | {"older": floor.describe(older)["status"]}


def fail_to_write() -> dict[str, Any]:
    """Create two tasks whose offers the database refuses."""
    floor, built = Floor(), []
    build = claiming.build_reservation

    def build_broken(*given: Any) -> models.Reservation:
        built.append(build(*given))
        built[-1].worker_channel_id = -1
        return built[-1]

    with mock.patch.object(claiming, "build_reservation", build_broken):
        made = [floor.create(), floor.create()]
    return floor.describe(made[1]) | {"tries": len(built)}


def compare(**given: Any) -> dict[str, Any]:
    """Compare all rows with those of a creation and a cycle, on floors that are alike."""
    written = []
    for is_on in (True, False):
        with override_settings(OFFER_AT_CREATION=is_on):
            floor = Floor(**given)
            task = floor.create()
            assert (floor.describe(task)["status"] == "reserved") is is_on
            factories.run(floor.workspace)
        written.append(describe_rows(floor))
    return {
        "differences": [
            (name, before, after)
            for name, rows in written[1].items()
            for before, after in zip_longest(rows, written[0][name])
            if before != after
        ],
        "rows": {name: len(rows) for name, rows in written[0].items()},
    }


def describe_rows(floor: Floor) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of a workspace, with a number in order in place of each sid and key."""
    names: dict[str, str] = {}

    def rename(found: re.Match[str]) -> str:
        return names.setdefault(found.group(), f"{found.group()[:2]} {len(names)}")

    rows = {
        "tasks": floor.workspace.tasks.all(),
        "reservations": floor.workspace.reservations.all(),
        "workers": floor.workspace.workers.all(),
        "slots": models.WorkerChannel.objects.filter(worker__workspace=floor.workspace),
        "events": models.Event.objects.filter(workspace_sid=floor.workspace.sid),
        "deliveries": models.CallbackDelivery.objects.filter(workspace_sid=floor.workspace.sid),
    }
    left_out = re.compile(r"id$|_id$|_key$|^transaction_id$|^sid$|^delivered$")
    return {
        name: [
            {
                column: re.sub(r"[A-Z]{2}[0-9a-f]{32}", rename, str(value))
                for column, value in row.items()
                if not left_out.search(column)
            }
            for row in each.order_by("pk").values()
        ]
        for name, each in rows.items()
    }


def crowd() -> dict[str, Any]:
    """Let creations, a router, a grab and an answer begin together, twelve times."""
    floor, failures = Floor(), list[str]()
    others = [factories.worker(floor.workspace, capacity={"chat": 2}) for _ in range(3)]

    def create() -> None:
        floor.create(now=timezone.now())

    def route() -> None:
        rounds.run_for_a_while(floor.workspace)

    def grab_any() -> None:
        for task in floor.workspace.tasks.all().pending()[:1]:
            offers.grab_task(task=task, worker=others[0], actor=SYSTEM, now=timezone.now())

    def complete() -> None:
        for held in models.Reservation.objects.open().filter(workspace=floor.workspace)[:3]:
            for action in (reservations.accept_reservation, reservations.complete_reservation):
                with contextlib.suppress(ActionError):
                    action(reservation=held, actor=SYSTEM, now=timezone.now())

    def run(step: Callable[[], object], start: threading.Barrier) -> None:
        try:
            start.wait()
            with contextlib.suppress(ActionError):
                step()
        except Exception:
            failures.append(traceback.format_exc())
        finally:
            connection.close()

    wrong: list[str] = []
    create()  # its lane is as young as the tasks to come
    for _ in range(12):
        complete()
        route()
        first_offers.forget_pauses()
        steps = [create, create, create, route, grab_any, complete]
        start = threading.Barrier(len(steps))
        threads = [threading.Thread(target=run, args=(step, start)) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong += floor.find_wrong()
    found = models.Event.objects.filter(workspace_sid=floor.workspace.sid)
    created = found.filter(event_type="task.created").values("transaction_id")
    at_once = found.filter(event_type="reservation.created", transaction_id__in=created).count()
    made = floor.workspace.tasks.count()
    return {"failures": failures, "made": made, "at once": at_once, "wrong": wrong}


def crowd_without_turns() -> dict[str, Any]:
    """Run `crowd` as if each creation came to another process."""
    with without_turns():
        return crowd()


def find_deadlines() -> dict[str, Any]:
    """Offer a task at its creation, count the wakes, and let the offer time out."""
    floor = Floor()
    with mock.patch.object(wakeups, "wake_router") as wake:
        task = floor.create()
        wakes = [wake.call_count]
        floor.create()
        wakes.append(wake.call_count)
    late = NOW + timedelta(seconds=claiming.find_offer_timeout(task))
    is_due = floor.workspace.sid in due_work.list_due_workspaces(now=late)
    factories.run(floor.workspace, late)
    first = task.reservations.order_by("pk")[0]
    return {"wakes": wakes, "is due": is_due, "first offer": first.reservation_status}


def main() -> dict[str, Any]:
    """Run all scenes."""
    setup_test_environment()
    return {
        "changes": {name: change_within(change) for name, change in CHANGES.items()},
        "locked": find_locked(),
        "older": {channel: find_older(channel) for channel in ("chat", "voice")},
        "refused": fail_to_write(),
        "alike": compare(),
        "alike with callbacks": compare(event_callback_url="https://example.org/"),
        "deadlines": find_deadlines(),
        "crowd": crowd_without_turns(),
    }


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(main()))  # noqa: T201 - what it is run for
