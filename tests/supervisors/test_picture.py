"""The picture: what it counts, and that one that was kept up to date equals one read whole."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models
from routing.actions import (
    activities,
    reservations,
    task_queues,
    task_transitions,
    transfers,
    workers,
)
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from routing.events.floor_marks import Mark
from supervisors import pictures, reading
from supervisors.dirt import Dirt
from supervisors.picture import (
    Load,
    Picture,
    State,
    Tasks,
    Worker,
    count_slots,
    find_state,
    free_channels,
)
from tests import factories

BY: dict[str, Any] = {"actor": SYSTEM}


def read(workspace: models.Workspace) -> Picture:
    """Return the picture of a workspace, read whole."""
    workspace = models.Workspace.objects.get(pk=workspace.pk)
    return reading.read_whole(workspace, number=1, now=timezone.now())


# --- States and slots of one worker ---------------------------------------------------------------


def worker(*loads: Load, available: bool = True) -> Worker:
    """Return a worker with these loads."""
    return Worker(
        id=1, sid="WK1", name="Ada", activity=1, available=available, since_us=0, loads=loads,
        serves=frozenset(),
    )  # fmt: skip


def load(capacity: int, busy: int = 0, offered: int = 0, kept: int = 0, on: bool = True) -> Load:
    """Return the load of a channel."""
    return Load(1, capacity, on, kept, busy, offered)


@pytest.mark.parametrize(
    ("given", "slots"),
    [
        (load(4, busy=1, offered=1), (1, 1, 2, 0, 0, 0)),
        (load(4, busy=3, kept=2), (3, 0, 1, 1, 0, 0)),
        (load(2, busy=3), (3, 0, 0, 0, 0, 1)),
        (load(3, busy=1, on=False), (1, 0, 0, 0, 2, 0)),
        (load(0), (0, 0, 0, 0, 0, 0)),
    ],
)
def test_slots_of_an_available_worker_add_up(given: Load, slots: tuple[int, ...]) -> None:
    assert count_slots(given, available=True) == slots


def test_slots_of_a_worker_who_takes_no_work_are_closed() -> None:
    assert count_slots(load(4, busy=1), available=False) == (1, 0, 0, 0, 3, 0)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (worker(load(1), available=False), State.AWAY),
        (worker(load(1, offered=1), available=False), State.AWAY),
        (worker(load(1, busy=1), available=False), State.FINISHING),
        (worker(load(2, busy=2)), State.FULL),
        (worker(load(2, busy=1, offered=1)), State.FULL),
        (worker(load(2, on=False)), State.FULL),
        (worker(load(2, busy=1)), State.WORKING),
        (worker(load(2)), State.IDLE),
        (worker(load(2, offered=1)), State.IDLE),
    ],
)
def test_the_first_state_that_holds_counts(given: Worker, state: State) -> None:
    assert find_state(given, multi_task=True) is state


def test_with_one_task_at_a_time_a_worker_is_one_slot_over_all_channels() -> None:
    one = worker(load(5), Load(2, 3, True, 0, 1, 0))
    assert find_state(one, multi_task=False) is State.FULL
    assert free_channels(one, multi_task=False) == frozenset()
    idle = worker(load(5), Load(2, 0, False, 0, 0, 0))
    assert free_channels(idle, multi_task=False) == {1, 2}


def test_slots_kept_for_grabbing_are_not_free_for_the_router() -> None:
    assert free_channels(worker(load(2, kept=2)), multi_task=True) == frozenset()
    assert free_channels(worker(load(2, kept=1)), multi_task=True) == {1}


# --- Tasks ----------------------------------------------------------------------------------------


def test_tasks_count_by_status_and_one_in_transfer_is_not_on_offer(db: None) -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    workflow = factories.workflow(workspace, default=queue)
    factories.worker(workspace, "Ada", capacity={"chat": 9})
    for _ in range(2):
        factories.task(workspace, workflow=workflow)
    held = factories.accepted(workspace, workflow=workflow)
    channel = factories.channel(workspace)
    before = read(workspace).tasks[queue.pk, channel.pk]
    factories.worker(workspace, "Ben", capacity={"chat": 9})
    transfers.begin_transfer(
        reservation=held, to=queue.sid, mode=TransferMode.COLD, now=timezone.now(), **BY
    )
    after = read(workspace).tasks[queue.pk, channel.pk]
    assert before == Tasks(waiting=0, offered=2, in_work=1)
    assert after == Tasks(waiting=0, offered=2, in_work=0)


def test_a_task_for_one_worker_counts_on_the_floor_but_in_no_queue(db: None) -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    ada = factories.worker(workspace, "Ada", available=False)
    factories.task(workspace, routing_target=ada.sid)
    found = read(workspace)
    assert found.tasks_of(None) == Tasks(waiting=1)
    assert found.tasks_of(queue.pk) == Tasks()
    assert found.longest_of(None) is not None


def test_the_longest_wait_is_since_creation_and_beside_it_since_entering(db: None) -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    workflow = factories.workflow(workspace, default=queue)
    for seconds in (30, 10, 20):
        oldest = factories.task(workspace, workflow=workflow, now=factories.later(seconds))
    found = read(workspace).longest_of(queue.pk)
    assert found is not None
    first = models.Task.objects.order_by("date_created").first()
    assert first is not None
    assert found.task_sid == first.sid != oldest.sid
    assert found.entered_us == found.since_us


def test_the_cost_of_a_picture_does_not_depend_on_the_backlog(db: None) -> None:
    workspace = factories.workspace()
    workflow = factories.workflow(workspace, default=factories.queue(workspace))
    counts = []
    for more in (1, 40):
        for _ in range(more):
            factories.task(workspace, workflow=workflow)
        read(workspace)
        with CaptureQueriesContext(connection) as queries:
            read(workspace)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 18


# --- Renewal --------------------------------------------------------------------------------------


class Floor:
    """A floor that random changes happen to."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.workspace = factories.workspace()
        self.queues = [
            factories.queue(self.workspace, target_workers=text)
            for text in ("1==1", "skill == 'law'", "worker.channel.chat.assigned_tasks < 2", "")
        ]
        self.workflows = [
            factories.workflow(self.workspace, default=queue) for queue in self.queues
        ]
        for _ in range(5):
            self.add_worker()

    def add_worker(self) -> None:
        skill = self.random.choice(["law", "art"])
        factories.worker(
            self.workspace,
            available=self.random.random() < 0.7,
            attributes={"skill": skill},
            capacity={"chat": self.random.randint(0, 3), "voice": 1},
        )

    def pick_worker(self) -> models.Worker:
        return self.random.choice(list(self.workspace.workers.order_by("pk")))

    def pick_reservation(self, status: str) -> models.Reservation | None:
        rows = models.Reservation.objects.filter(
            workspace=self.workspace, reservation_status=status
        ).order_by("pk")
        return self.random.choice(list(rows)) if rows else None

    def change(self) -> None:
        """Make one change of a random kind."""
        self.random.choice(self.CHANGES)(self)

    def create_task(self) -> None:
        workflow = self.random.choice(self.workflows)
        channel = self.random.choice(["chat", "voice"])
        factories.task(self.workspace, workflow=workflow, channel=channel)

    def run_router(self) -> None:
        factories.run(self.workspace, factories.NOW)

    def accept(self) -> None:
        if offer := self.pick_reservation("pending"):
            reservations.accept_reservation(reservation=offer, now=factories.NOW, **BY)

    def reject(self) -> None:
        if offer := self.pick_reservation("pending"):
            reservations.reject_reservation(reservation=offer, now=factories.NOW, **BY)

    def complete(self) -> None:
        if held := self.pick_reservation("accepted"):
            task_transitions.complete_task(task=held.task, now=factories.NOW, **BY)

    def wrap_up(self) -> None:
        if held := self.pick_reservation("accepted"):
            task_transitions.wrap_up_task(task=held.task, now=factories.NOW, **BY)

    def move(self) -> None:
        activity = self.random.choice(list(self.workspace.activities.order_by("pk")))
        workers.set_activity(
            worker=self.pick_worker(),
            activity=activity,
            reject_pending_reservations=not activity.available,
            now=factories.NOW,
            **BY,
        )

    def change_slots(self) -> None:
        factories.set_capacity(
            self.pick_worker(),
            self.random.choice(["chat", "voice"]),
            configured_capacity=self.random.randint(0, 4),
            available=self.random.random() < 0.8,
            reserved_for_manual=self.random.randint(0, 2),
        )

    def teach(self) -> None:
        text = self.random.choice(['{"skill": "law"}', '{"skill": "art"}', "{}"])
        workers.update_worker(worker=self.pick_worker(), attributes=text, now=factories.NOW, **BY)

    def rename(self) -> None:
        name = f"Name {self.random.random()}"
        workers.update_worker(
            worker=self.pick_worker(), friendly_name=name, now=factories.NOW, **BY
        )

    def delete_worker(self) -> None:
        one = self.pick_worker()
        if not models.Reservation.objects.open().filter(worker=one).exists():
            workers.delete_worker(worker=one, now=factories.NOW, **BY)
            self.add_worker()

    def change_queue(self) -> None:
        text = self.random.choice(["1==1", "skill == 'art'", ""])
        task_queues.update_task_queue(
            queue=self.random.choice(self.queues),
            target_workers=text,
            now=factories.NOW,
            **BY,
        )

    def cancel(self) -> None:
        waiting = models.Task.objects.pending().order_by("pk").first()
        if waiting is not None:
            task_transitions.cancel_task(task=waiting, now=factories.NOW, **BY)

    def add_activity(self) -> None:
        activities.create_activity(
            workspace=self.workspace,
            friendly_name=f"Activity {self.random.random()}",
            available=self.random.random() < 0.5,
            now=factories.NOW,
            **BY,
        )

    CHANGES = (
        *(create_task, create_task, run_router, run_router, accept, accept, reject),
        *(complete, wrap_up, move, move, change_slots, change_slots, teach, rename),
        *(delete_worker, change_queue, cancel, add_activity, add_worker),
    )


def mark_of(events: list[models.Event]) -> dict[str, Any]:
    """Return the mark that couriers would send for events."""
    mark = Mark()
    for event in events:
        mark.add(event)
    return mark.build_message()


@pytest.mark.parametrize("seed", range(3))
def test_a_picture_after_random_changes_equals_one_read_whole(db: None, seed: int) -> None:
    floor = Floor(seed)
    sid = floor.workspace.sid
    kept = pictures.renew_picture(sid, Dirt(whole=True))
    last = max(models.Event.objects.values_list("pk", flat=True))
    for _ in range(15):
        for _ in range(floor.random.randint(1, 3)):
            floor.change()
        events = list(models.Event.objects.filter(pk__gt=last).order_by("pk"))
        last = max((event.pk for event in events), default=last)
        dirt = Dirt(figures=True)
        dirt.add_mark(mark_of(events))
        kept = pictures.renew_picture(sid, dirt)
        assert kept is not None
        whole = replace(read(floor.workspace), number=kept.number, at_us=kept.at_us)
        assert kept == whole


def test_a_renewal_without_a_change_keeps_the_picture(db: None) -> None:
    floor = Floor(0)
    first = pictures.renew_picture(floor.workspace.sid, Dirt(whole=True))
    assert pictures.renew_picture(floor.workspace.sid, Dirt(whole=True)) is first
    floor.create_task()
    assert pictures.renew_picture(floor.workspace.sid, Dirt(whole=True)) is not first


def test_a_renewal_reads_changed_workers_only(db: None) -> None:
    floor = Floor(0)
    pictures.renew_picture(floor.workspace.sid, Dirt(whole=True))
    one = floor.pick_worker()
    factories.set_capacity(one, configured_capacity=7)
    counts = []
    for workers_more in (0, 20):
        for _ in range(workers_more):
            floor.add_worker()
        pictures.renew_picture(floor.workspace.sid, Dirt(whole=True))
        with CaptureQueriesContext(connection) as queries:
            pictures.renew_picture(floor.workspace.sid, Dirt(workers={one.sid}))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_picture_of_a_deleted_workspace_is_none(db: None) -> None:
    assert pictures.renew_picture("WS" + "0" * 32, Dirt(whole=True)) is None
