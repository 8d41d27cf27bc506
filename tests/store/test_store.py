"""What the router reads: equal to what was made, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from routing import assignment, models, store
from routing.core import cycle
from routing.core.clock import microseconds
from routing.core.vocabulary import QueueOrder
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db

Assert = Callable[[int], AbstractContextManager[object]]


@pytest.fixture
def floor() -> models.Workspace:
    """Return a workspace with a queue for everyone and two lanes of tasks."""
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(
        floor, default={"queue": queue.sid, "expression": "task.lang IN worker.langs"}
    )
    return floor


def test_nothing_but_heads_of_lanes_is_read(floor: models.Workspace) -> None:
    factories.worker(floor, attributes={"langs": ["en"]})
    for number in range(6):
        factories.task(floor, attributes={"lang": "en" if number % 2 else "de"}, priority=number)
    seen = store.load_floor(floor)
    assert len(seen.workers) == 1
    assert len(seen.lanes) == 2
    # Nobody speaks German: that lane is not even looked into.
    (lane,) = cycle.Pass(seen, now=microseconds(NOW)).open_lanes()
    heads, deep = store.load_heads([lane])
    assert [task.priority for task in heads[lane.id]] == [5, 3, 1]
    assert deep == frozenset()


@pytest.mark.parametrize(
    ("order", "served"),
    [(QueueOrder.FIFO, ["b", "a", "c"]), (QueueOrder.LIFO, ["c", "a", "b"])],
)
def test_heads_come_in_the_order_in_which_their_queue_is_served(
    order: QueueOrder, served: list[str]
) -> None:
    floor = factories.workspace()
    factories.workflow(floor, default=factories.queue(floor, task_order=order))
    factories.worker(floor)
    made = {
        "a": factories.task(floor, now=later(1)),
        "b": factories.task(floor, priority=1, now=later(0)),
        "c": factories.task(floor, now=later(2)),
    }
    names = {task.sid: name for name, task in made.items()}
    lanes = store.load_floor(floor).lanes
    ((_, heads),) = store.load_heads(lanes.values())[0].items()
    assert [names[task.sid] for task in heads] == served
    rest, _ = store.load_heads(lanes.values(), after=heads[0])
    assert list(rest.values()) == [heads[1:]]


def test_a_deep_lane_is_read_through_a_window(
    floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BATCH", 4)
    factories.worker(floor, attributes={"langs": ["en"]}, capacity={"chat": 10})
    for _ in range(10):
        factories.task(floor, attributes={"lang": "en"})
    lanes = store.load_floor(floor).lanes
    heads, deep = store.load_heads(lanes.values())
    assert [len(tasks) for tasks in heads.values()] == [4]
    assert deep == frozenset(lanes)
    assert factories.run(floor) == 10


def test_nothing_behind_the_head_of_a_deep_lane_is_overtaken(
    floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known of one lane runs out before its turn ends: more is read, nobody else served."""
    monkeypatch.setattr(store, "BATCH", 2)
    factories.worker(floor, attributes={"langs": ["en", "de"]}, capacity={"chat": 7})
    urgent = [factories.task(floor, attributes={"lang": "en"}, priority=9) for _ in range(6)]
    others = [factories.task(floor, attributes={"lang": "de"}) for _ in range(6)]
    served = [decision.task.sid for decision in store.look(floor, now=NOW, limit=50).decisions]
    assert served == [task.sid for task in [*urgent, others[0]]]


def test_reading_takes_as_many_queries_for_many_as_for_few(
    floor: models.Workspace, django_assert_num_queries: Assert
) -> None:
    for people, tasks in ((1, 1), (9, 40)):
        for _ in range(people):
            factories.worker(floor, attributes={"langs": ["en", "de"]})
        for number in range(tasks):
            factories.task(floor, attributes={"lang": "en" if number % 2 else "de"})
        with django_assert_num_queries(4):
            store.look(floor, now=NOW)


def test_with_nobody_free_the_backlog_is_not_touched(
    floor: models.Workspace, django_assert_num_queries: Assert
) -> None:
    factories.worker(floor, available=False, attributes={"langs": ["en"]})
    for _ in range(5):
        factories.task(floor, attributes={"lang": "en"})
    with django_assert_num_queries(1):
        assert store.look(floor, now=NOW).decisions == []


def test_an_idle_cycle_is_five_queries(
    floor: models.Workspace, django_assert_num_queries: Assert
) -> None:
    factories.task(floor, attributes={"lang": "en"})
    with django_assert_num_queries(5):
        assignment.run_cycle(workspace=floor, now=NOW)


def test_a_worker_is_seen_as_they_are(floor: models.Workspace) -> None:
    made = factories.worker(
        floor, "Alice", attributes={"langs": ["en"]}, capacity={"chat": 3, "voice": 2}
    )
    factories.offered(floor, attributes={"lang": "en"}, now=NOW + timedelta(seconds=1))
    (seen,) = store.load_floor(floor).workers
    assert (seen.sid, seen.friendly_name, seen.available) == (made.sid, "Alice", True)
    assert seen.attributes == {"langs": ["en"]}
    assert seen.last_reserved_us > 0
    chat = next(c for c in seen.channels.values() if c.unique_name == "chat")
    assert (chat.configured_capacity, chat.consumed, chat.assigned) == (3, 1, 0)


def test_only_what_is_overdue_is_found(floor: models.Workspace) -> None:
    factories.worker(floor, attributes={"langs": ["en"]})
    offer = factories.offered(floor, attributes={"lang": "en"})
    waiting = factories.task(floor, attributes={"lang": "de"}, timeout=60)
    assert store.load_overdue_offers(floor, now=later(119)) == []
    assert store.load_overdue_offers(floor, now=later(120)) == [offer.sid]
    assert store.load_overdue_tasks(floor, now=later(59)) == []
    assert [t.sid for t in store.load_overdue_tasks(floor, now=later(60))] == [waiting.sid]
