"""Waits of transferred tasks count from the beginning, except in the split."""

from __future__ import annotations

import pytest

from routing import models, sids
from routing.actions import reservations, transfers
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from routing.statistics import cumulative
from routing.statistics.windows import Window
from tests import factories
from tests.factories import NOW, later


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    return factories.workspace()


def hand_on(held: models.Reservation, to: str, seconds: float) -> models.Transfer:
    return transfers.begin_transfer(
        reservation=held, to=to, mode=TransferMode.COLD, actor=SYSTEM, now=later(seconds)
    )


def accept(worker: models.Worker, seconds: float) -> models.Reservation:
    offer = worker.reservations.get(reservation_status="pending")
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=later(seconds))


def figures(queue: models.TaskQueue, *thresholds: int) -> cumulative.Figures:
    key = sids.index_key(queue.sid)
    return cumulative.count_events(
        queue.workspace.sid,
        Window(NOW, later(1_000)),
        cumulative.OF_TASK_QUEUE,
        by="task_queue_key",
        keys=[key],
        thresholds=thresholds,
    )[key]


def test_the_split_leaves_out_the_wait_after_a_transfer_began(
    workspace: models.Workspace,
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    alice = factories.worker(workspace, "Alice")
    factories.offered(workspace)
    held = accept(alice, 5)
    bob = factories.worker(workspace, "Bob")
    hand_on(held, bob.sid, 30)
    accept(bob, 90)
    found = figures(queue, 5, 30, 60)
    # The first acceptance came after 5 s, the second, without the wait in between, after 30.
    below = {name: sides["below"]["reservations_accepted"] for name, sides in found.split.items()}
    assert below == {"5": 1, "30": 2, "60": 2}
    above = {name: sides["above"]["reservations_accepted"] for name, sides in found.split.items()}
    assert above == {"5": 1, "30": 0, "60": 0}
    # Everything else counts from the task's creation, and from its coming into the queue.
    assert found.until_accepted.seconds == {"avg": 47, "min": 5, "max": 90, "total": 95}
    assert found.in_queue_until_accepted.seconds["max"] == 90


def test_only_the_first_transfer_of_a_task_counts(
    workspace: models.Workspace,
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    alice = factories.worker(workspace, "Alice")
    factories.offered(workspace)
    held = accept(alice, 5)
    bob, cecilia = factories.worker(workspace, "Bob"), factories.worker(workspace, "Cecilia")
    transfer = hand_on(held, cecilia.sid, 10)
    transfers.cancel_transfer(transfer=transfer, actor=SYSTEM, now=later(50))
    hand_on(held, bob.sid, 60)
    hand_on(accept(bob, 70), cecilia.sid, 80)
    accept(cecilia, 100)
    split = figures(queue, 9, 10).split
    assert split["9"]["below"]["reservations_accepted"] == 1
    assert split["10"]["below"]["reservations_accepted"] == 3


def test_a_wait_in_a_queue_after_a_transfer_counts_as_any_wait(
    workspace: models.Workspace,
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    alice = factories.worker(workspace, "Alice")
    factories.offered(workspace)
    held = accept(alice, 5)
    bob = factories.worker(workspace, "Bob", attributes={"team": "billing"})
    billing = factories.queue(workspace, target_workers="team == 'billing'")
    hand_on(held, billing.sid, 20)
    factories.run(workspace, later(40))
    accept(bob, 60)
    found = figures(queue, 20)
    assert found.until_accepted.seconds["max"] == 60
    assert found.in_queue_until_accepted.seconds["max"] == 60
    assert found.split["20"]["below"]["reservations_accepted"] == 2
