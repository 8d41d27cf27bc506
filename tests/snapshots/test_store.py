"""The router's reads: equal to what was made, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from routing import models
from routing.actions import offers, workers
from routing.actors import SYSTEM
from routing.core.clock import microseconds
from routing.core.matching import matching_pass
from routing.core.vocabulary import QueueOrder
from routing.router import rounds
from routing.router.matching import match_workspace
from routing.snapshots import due_work, lane_heads
from tests import factories
from tests.factories import NOW, later
from workflows import expressions
from workflows.expressions import View

pytestmark = pytest.mark.django_db

Assert = Callable[[int], AbstractContextManager[object]]


def test_only_the_heads_of_lanes_are_loaded(workspace: models.Workspace) -> None:
    factories.worker(workspace, attributes={"langs": ["en"]})
    for number in range(6):
        factories.task(
            workspace, attributes={"lang": "en" if number % 2 else "de"}, priority=number
        )
    seen = due_work.load_snapshot(workspace)
    assert len(seen.workers) == 1
    # No worker speaks German: that lane is not even read.
    assert len(seen.lanes) == 1
    request = next(matching_pass.match_tasks(seen, now=microseconds(NOW)))
    assert isinstance(request, matching_pass.NeedLaneTasks)
    (lane,) = request.lanes
    heads = lane_heads.load_lane_tasks([lane], size=500)
    assert [task.priority for task in heads] == [5, 3, 1]
    assert {task.lane_id for task in heads} == {lane.id}


@pytest.mark.parametrize(
    ("order", "served"),
    [(QueueOrder.FIFO, ["b", "a", "c"]), (QueueOrder.LIFO, ["c", "a", "b"])],
)
def test_lane_heads_are_loaded_in_the_order_of_service(
    order: QueueOrder, served: list[str]
) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace, default=factories.queue(workspace, task_order=order))
    factories.worker(workspace)
    made = {
        "a": factories.task(workspace, now=later(1)),
        "b": factories.task(workspace, priority=1, now=later(0)),
        "c": factories.task(workspace, now=later(2)),
    }
    names = {task.sid: name for name, task in made.items()}
    lanes = due_work.load_snapshot(workspace).lanes
    heads = lane_heads.load_lane_tasks(lanes.values(), size=500)
    assert {task.lane_id for task in heads} == set(lanes)
    assert [names[task.sid] for task in heads] == served
    rest = lane_heads.load_lane_tasks(lanes.values(), size=500, after=heads[0])
    assert rest == heads[1:]


def test_a_deep_lane_is_read_through_a_window(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_work, "BATCH", 4)
    monkeypatch.setattr(matching_pass, "MOST_TASKS", 4)
    factories.worker(workspace, attributes={"langs": ["en"]}, capacity={"chat": 10})
    for _ in range(10):
        factories.task(workspace, attributes={"lang": "en"})
    (lane,) = due_work.load_snapshot(workspace).lanes.values()
    heads = lane_heads.load_lane_tasks([lane], size=4)
    assert [task.lane_id for task in heads] == [lane.id] * 4
    assert factories.run(workspace) == 10


def test_tasks_behind_the_head_of_a_deep_lane_are_served_in_order(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loaded tasks of a lane run out before its turn ends: more are loaded first."""
    monkeypatch.setattr(matching_pass, "MOST_TASKS", 2)
    factories.worker(workspace, attributes={"langs": ["en", "de"]}, capacity={"chat": 7})
    urgent = [factories.task(workspace, attributes={"lang": "en"}, priority=9) for _ in range(6)]
    others = [factories.task(workspace, attributes={"lang": "de"}) for _ in range(6)]
    served = [
        decision.task.sid for decision in match_workspace(workspace, now=NOW, limit=50).decisions
    ]
    assert served == [task.sid for task in [*urgent, others[0]]]


def test_loading_takes_the_same_number_of_queries_for_any_number_of_rows(
    workspace: models.Workspace, django_assert_num_queries: Assert
) -> None:
    for people, tasks in ((1, 1), (9, 40)):
        for _ in range(people):
            factories.worker(workspace, attributes={"langs": ["en", "de"]})
        for number in range(tasks):
            factories.task(workspace, attributes={"lang": "en" if number % 2 else "de"})
        match_workspace(workspace, now=NOW)  # new rows are read once
        with django_assert_num_queries(6):
            match_workspace(workspace, now=NOW)


def test_the_backlog_is_not_loaded_while_no_worker_is_free(
    workspace: models.Workspace, django_assert_num_queries: Assert
) -> None:
    factories.worker(workspace, available=False, attributes={"langs": ["en"]})
    for _ in range(5):
        factories.task(workspace, attributes={"lang": "en"})
    with django_assert_num_queries(2):
        assert match_workspace(workspace, now=NOW).decisions == []


def test_a_cycle_with_nothing_to_do_is_one_query(
    workspace: models.Workspace, django_assert_num_queries: Assert
) -> None:
    factories.task(workspace, attributes={"lang": "en"})
    factories.worker(workspace, available=False, attributes={"langs": ["en"]})
    with django_assert_num_queries(1):
        rounds.run_cycle(workspace=workspace, now=NOW)


def test_only_lanes_that_a_free_worker_may_serve_are_loaded() -> None:
    """Each customer's tasks wait for the worker of that customer."""
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    factories.workflow(
        workspace, default={"queue": queue.sid, "expression": "task.customer == worker.customer"}
    )
    for customer in ["Anna", 7, "7", True, "x" * 400, "\u2028", "\ud83d\ude00"]:
        factories.task(workspace, attributes={"customer": customer})
    factories.task(workspace, attributes={})
    looks: list[tuple[object, set[object]]] = [
        ("Anna", {"Anna"}),
        (7.0, {7, "7"}),
        ("7", {7, "7"}),
        (True, {True}),
        ("x" * 400, {"x" * 400}),
        ("\u2028", {"\u2028"}),
        ("Berta", set()),
    ]
    for customer, served in looks:
        worker = factories.worker(workspace, attributes={"customer": customer})
        seen = due_work.load_snapshot(workspace)
        found = {str(lane.expression) for lane in seen.lanes.values()}
        # A task without a customer needs a worker without one: that has no key.
        wanted = {str(compile_residual(value)) for value in served} | {"worker.customer == null"}
        assert found == wanted
        workers.delete_worker(worker=worker, actor=SYSTEM, now=NOW)


def compile_residual(customer: object) -> expressions.Expression:
    """Return the residual of the workspace's expression for a task of this customer."""
    asked = expressions.compile_expression("task.customer == worker.customer", subject="target")
    return asked.bind(task=View({"customer": customer}, {}))


@pytest.mark.parametrize("many", [0, 50])
def test_the_order_of_service_is_the_same_however_the_heads_are_read(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Over the first of all that wait, or over the first of every lane, and beyond either."""
    monkeypatch.setattr(matching_pass, "MANY_LANES", many)
    factories.worker(workspace, attributes={"langs": ["en", "de", "fr"]}, capacity={"chat": 20})
    made = [
        factories.task(workspace, attributes={"lang": lang}, priority=priority, now=later(number))
        for number, (lang, priority) in enumerate(
            zip(["en", "de", "es", "fr"] * 8, [1, 1, 9, 2, 0, 3] * 6, strict=False)
        )
    ]
    best = sorted(
        (task for task in made if "es" not in task.attributes),
        key=lambda task: (-task.priority, task.virtual_start_us),
    )
    offered = []
    while decided := match_workspace(workspace, now=later(99), limit=4).decisions:
        offered += [decision.task.sid for decision in decided]
        offers.reserve_workers(decided, now=later(99))
    assert offered == [task.sid for task in best[:20]]


def test_only_workers_with_a_possible_lane_are_read() -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    target = factories.target(queue, expression="worker.side == task.side")
    workflow = factories.workflow(workspace, default=target)
    left = factories.worker(workspace, attributes={"side": "left"})
    right = factories.worker(workspace, attributes={"side": "right"})
    nowhere = factories.worker(workspace)
    factories.task(workspace, workflow=workflow, attributes={"side": "left"})
    assert [seen.id for seen in due_work.load_snapshot(workspace).workers] == [left.pk]
    factories.task(workspace, workflow=workflow, attributes={"side": "right"})
    assert {seen.id for seen in due_work.load_snapshot(workspace).workers} == {left.pk, right.pk}
    anyone = factories.workflow(workspace, default=queue)
    factories.task(workspace, workflow=anyone)
    assert {seen.id for seen in due_work.load_snapshot(workspace).workers} == {
        *(left.pk, right.pk, nowhere.pk)
    }


def test_a_worker_is_seen_as_they_are(workspace: models.Workspace) -> None:
    made = factories.worker(
        workspace, "Alice", attributes={"langs": ["en"]}, capacity={"chat": 3, "voice": 2}
    )
    factories.offered(workspace, attributes={"lang": "en"}, now=NOW + timedelta(seconds=1))
    factories.task(workspace)  # workers without a possible lane are not read
    (seen,) = due_work.load_snapshot(workspace).workers
    assert (seen.sid, seen.friendly_name, seen.available) == (made.sid, "Alice", True)
    assert seen.attributes == {"langs": ["en"]}
    assert seen.last_reserved_us > 0
    chat = next(c for c in seen.channels.values() if c.unique_name == "chat")
    assert (chat.configured_capacity, chat.consumed, chat.assigned) == (3, 1, 0)


def test_only_overdue_rows_are_found(workspace: models.Workspace) -> None:
    factories.worker(workspace, attributes={"langs": ["en"]})
    offer = factories.offered(workspace, attributes={"lang": "en"})
    waiting = factories.task(workspace, attributes={"lang": "de"}, timeout=60)
    assert due_work.load_overdue_offers(workspace, now=later(119)) == []
    assert due_work.load_overdue_offers(workspace, now=later(120)) == [offer.sid]
    assert due_work.load_overdue_tasks(workspace, now=later(59)) == []
    assert [t.sid for t in due_work.load_overdue_tasks(workspace, now=later(60))] == [waiting.sid]
