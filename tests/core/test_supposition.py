"""A task that does not exist takes part in a matching pass as if it waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from routing.core.matching.matching_pass import NeedLaneTasks, NeedWorkspaceTasks
from routing.core.matching.supposition import SupposedOffer, Supposition
from routing.core.snapshot import Lane, Task, TaskQueue, Worker, WorkerChannel, Workspace
from routing.core.vocabulary import QueueOrder

CHAT = 1
LAST = 10**9


def queue(order: QueueOrder = QueueOrder.FIFO) -> TaskQueue:
    return TaskQueue(id=1, sid="WQ1", target_workers=None, task_order=order)


def lane(number: int, order: QueueOrder = QueueOrder.FIFO) -> Lane:
    return Lane(id=number, task_queue=queue(order), task_channel_id=CHAT)


def task(number: int, *, lane: int = 1, priority: int = 0) -> Task:
    return Task(
        id=number,
        sid=f"WT{number}",
        lane_id=lane,
        version=0,
        priority=priority,
        virtual_start_us=number,
        created_us=number,
    )


def worker(number: int, *, consumed: int = 0) -> Worker:
    chat = WorkerChannel(
        task_channel_id=CHAT, unique_name="chat", configured_capacity=3, consumed=consumed
    )
    return Worker(
        id=number,
        sid=f"WK{number}",
        friendly_name=f"Worker {number}",
        activity_sid="WA",
        activity_name="Here",
        available=True,
        attributes={},
        channels={CHAT: chat},
    )


def suppose(
    priority: int = 0,
    order: QueueOrder = QueueOrder.FIFO,
    workers: Sequence[Worker] = (),
    offers: tuple[SupposedOffer, ...] = (),
) -> Supposition:
    return Supposition(
        task=task(LAST, priority=priority), lane=lane(1, order), workers=workers, offers=offers
    )


def ids(tasks: Sequence[Task]) -> list[int]:
    return [each.id for each in tasks]


@pytest.mark.parametrize(
    ("priority", "order", "expected"),
    [
        (0, QueueOrder.FIFO, [1, 2]),
        (1, QueueOrder.FIFO, [LAST, 1]),
        (0, QueueOrder.LIFO, [LAST, 2]),
    ],
)
def test_it_stands_in_its_lane_where_it_would_be_served(
    priority: int, order: QueueOrder, expected: list[int]
) -> None:
    request = NeedLaneTasks((lane(1, order), lane(2)), 2, None)
    loaded = [*(task(n) for n in ((1, 2) if order == QueueOrder.FIFO else (2, 1)))]
    answer = suppose(priority, order).complete_answer(request, [*loaded, task(7, lane=2)])
    assert ids(answer) == [*expected, 7]


def test_it_comes_again_with_no_later_request_of_its_lane() -> None:
    supposition = suppose(priority=1)
    request = NeedLaneTasks((lane(1),), 2, supposition.task)
    assert ids(supposition.complete_answer(request, [task(1), task(2)])) == [1, 2]


def test_it_is_in_no_answer_about_other_lanes() -> None:
    request = NeedLaneTasks((lane(2),), 2, None)
    assert ids(suppose(5).complete_answer(request, [task(7, lane=2)])) == [7]


def test_it_stands_among_the_first_tasks_of_a_workspace() -> None:
    loaded = [task(1, lane=2, priority=5), task(2, lane=3)]
    assert ids(suppose(3).complete_answer(NeedWorkspaceTasks(2), loaded)) == [1, LAST]


def test_tasks_on_offer_since_an_earlier_round_are_left_out() -> None:
    supposition = suppose(offers=(SupposedOffer(1, 1, CHAT), SupposedOffer(1, 2, CHAT)))
    assert supposition.count_missing() == 1
    request = NeedLaneTasks((lane(1),), 2, None)
    loaded = [task(1), task(2), task(3)]
    assert ids(supposition.complete_answer(request, loaded)) == [2, 3]


def test_offers_of_an_earlier_round_take_slots_and_places_in_the_order() -> None:
    seen = Workspace(id=1, sid="WS", workers=[worker(1), worker(2)])
    offers = (SupposedOffer(8, 1, CHAT), SupposedOffer(9, 1, CHAT))
    supposition = suppose(workers=[worker(3)], offers=offers)
    floor = supposition.add_to_snapshot(seen, now=77)
    first, second, third = floor.workers
    assert (first.channels[CHAT].consumed, first.last_reserved_us) == (2, 77)
    assert first.channels[CHAT].last_reserved_us == 77
    assert (second, third) == (worker(2), worker(3))
    assert floor.lanes == {1: supposition.lane}
    assert replace(floor, workers=seen.workers, lanes={}) == seen
