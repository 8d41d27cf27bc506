"""The next cycle does what an explanation says, in many small random workspaces."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import models
from routing.actions import reservations
from routing.actors import SYSTEM
from routing.core import eligibility, snapshot, verdicts
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, QueueOrder
from routing.core.workflow_position import time_of_day
from routing.explanations import facts
from routing.explanations.explanation import Explanation
from routing.router import rounds
from routing.snapshots import lanes, requirements, workers
from tests import factories
from tests.factories import NOW, later
from tests.properties.strategies import nodes, views
from tests.worlds.matching import match_list
from workflows.expressions import View, compile_ordering
from workflows.expressions import compile_expression as expression
from workflows.expressions.nodes import Node
from workflows.expressions.unparser import unparse

CHAT = 1

_sources = st.sampled_from(
    ["", "worker.level > 1", "worker.channel.chat.available_capacity_percentage > 50"]
)


@st.composite
def _workers(draw: st.DrawFn, number: int) -> snapshot.Worker:
    few = st.integers(0, 3)
    chat = snapshot.WorkerChannel(
        task_channel_id=CHAT,
        unique_name="chat",
        configured_capacity=draw(few),
        consumed=draw(few),
        available=draw(st.sampled_from([True, True, True, False])),
        reserved_for_manual=draw(st.integers(0, 1)),
        last_reserved_us=draw(few),
    )
    return snapshot.Worker(
        id=number,
        sid=f"WK{number}",
        friendly_name=f"Worker {number}",
        activity_sid="WA",
        activity_name="Here",
        available=draw(st.sampled_from([True, True, True, False])),
        attributes={"team": draw(st.integers(1, 2)), "level": draw(few)},
        channels={CHAT: chat},
        last_reserved_us=draw(few),
    )


@st.composite
def _floors(draw: st.DrawFn) -> tuple[snapshot.Workspace, snapshot.Task]:
    """Draw a workspace on which one task waits."""
    source = draw(_sources)
    queue = snapshot.TaskQueue(
        id=1,
        sid="WQ",
        target_workers=expression(draw(st.sampled_from(["1==1", "team == 1"])), subject="worker"),
        max_reserved_workers=draw(st.integers(1, 3)),
    )
    lane = snapshot.Lane(
        id=1,
        task_queue=queue,
        task_channel_id=CHAT,
        optimized=draw(st.booleans()),
        expression=expression(source, subject="target") if source else None,
        order_by=draw(st.sampled_from([None, compile_ordering("worker.level DESC")])),
        known_worker_name=draw(st.sampled_from([None, None, None, "worker 2", ""])),
    )
    task = snapshot.Task(
        id=1, sid="WT", lane_id=1, version=0, priority=0, virtual_start_us=0, created_us=0
    )
    workspace = snapshot.Workspace(
        id=1,
        sid="WS",
        multi_task_enabled=draw(st.sampled_from([True, True, False])),
        workers=[draw(_workers(number)) for number in range(1, draw(st.integers(1, 6)) + 1)],
        lanes={1: lane},
        passed_over={1: draw(st.sets(st.integers(1, 6)))},
    )
    return workspace, task


@given(_floors())
def test_the_workers_ranked_first_are_those_who_get_the_offers(
    drawn: tuple[snapshot.Workspace, snapshot.Task],
) -> None:
    workspace, task = drawn
    lane = workspace.lanes[1]
    required = eligibility.TaskRequirements(
        lane=lane,
        multi_task=workspace.multi_task_enabled,
        clock=time_of_day(10),
        task=eligibility.build_age_view(task.created_us, now=10),
        grab=eligibility.GrabTerms(),
        rejections={
            worker_id: snapshot.Rejection(worker_id=worker_id, rejected_us=0, until_us=20)
            for worker_id in workspace.passed_over[1]
        },
    )
    found = verdicts.judge_workers(required, workspace.workers)
    assert lane.task_queue is not None
    ranked = [c.worker.id for c in found.inside if c.rank is not None]
    expected = ranked[: lane.task_queue.max_reserved_workers]
    decisions = match_list(workspace, [task], now=10).decisions
    assert [worker.id for decision in decisions for worker, _ in decision.workers] == expected


def _pick(chance: random.Random, *choices: Any) -> Any:
    return chance.choice(choices)


def _furnish(chance: random.Random) -> models.Workspace:
    """Make a workspace with workers of all kinds, two queues, several lanes, and tasks."""
    workspace = factories.workspace(rejection_pause=_pick(chance, 0, 15))
    queues = [
        factories.queue(
            workspace,
            target_workers=_pick(chance, "1==1", "team == 1", ""),
            max_reserved_workers=_pick(chance, 1, 1, 2),
            task_order=_pick(chance, QueueOrder.FIFO, QueueOrder.FIFO, QueueOrder.LIFO),
            grab_policy=chance.choice(list(GrabPolicy)),
            grab_limit=1,
        )
        for _ in range(2)
    ]
    targets = [
        factories.target(
            chance.choice(queues),
            **_pick(
                chance,
                {},
                {"expression": "worker.level >= task.level"},
                {"expression": "worker.channel.chat.available_capacity_percentage > 50"},
                {"order_by": "worker.level DESC"},
                {"known_worker_friendly_name": "task.agent"},
                {"grab_expression": "worker.level > 1"},
            ),
        )
        for _ in range(3)
    ]
    filters = [factories.filter_(f"kind == {kind}", target) for kind, target in enumerate(targets)]
    factories.workflow(workspace, *filters, default=queues[0])
    for number in range(chance.randint(2, 5)):
        worker = factories.worker(
            workspace,
            f"Worker {number}",
            available=chance.random() < 0.8,
            attributes={"team": chance.randint(1, 2), "level": chance.randint(0, 3)},
            capacity={"chat": chance.randint(0, 2)},
        )
        factories.set_capacity(
            worker, available=chance.random() < 0.9, reserved_for_manual=_pick(chance, 0, 0, 1)
        )
    return workspace


def _arrive(workspace: models.Workspace, chance: random.Random, count: int) -> None:
    for second in range(count):
        factories.task(
            workspace,
            attributes={
                "kind": chance.randint(0, 3),
                "level": chance.randint(0, 3),
                "agent": f"worker {chance.randint(0, 5)}",
            },
            channel=_pick(chance, "chat", "chat", "voice"),
            priority=chance.randint(0, 1),
            now=later(second),
        )


def _pending(workspace: models.Workspace) -> list[models.Task]:
    rows = workspace.tasks.filter(assignment_status=AssignmentStatus.PENDING.value)
    return list(rows.select_related(*facts.READ_WITH).order_by("pk"))


def _in_service_order(
    workspace: models.Workspace, explained: list[Explanation]
) -> list[Explanation]:
    first = QueueOrder(workspace.prioritize_queue_order)

    def order(each: Explanation) -> tuple[int, ...]:
        row = each.task
        assert row.lane is not None
        kind = QueueOrder.FIFO if row.task_queue is None else QueueOrder(row.task_queue.task_order)
        if kind == QueueOrder.LIFO:
            return (kind != first, -row.virtual_start_us, -row.pk)
        return (kind != first, -row.priority, row.virtual_start_us, row.pk)

    return sorted(explained, key=order)


def _got(row: models.Task) -> set[str]:
    return set(row.reservations.open().values_list("worker__sid", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(20))
def test_the_next_cycle_does_what_the_explanation_says(seed: int) -> None:
    chance = random.Random(seed)
    workspace = _furnish(chance)
    _arrive(workspace, chance, 3)
    factories.run(workspace, later(10))
    _arrive(workspace, chance, 6)
    workspace.prioritize_queue_order = _pick(chance, QueueOrder.FIFO, QueueOrder.LIFO)
    workspace.save(update_fields=["prioritize_queue_order"])
    # A slot that comes free, so that something can move.
    for offer in models.Reservation.objects.order_by("pk")[:1]:
        factories.set_capacity(offer.current_worker, configured_capacity=3, available=True)
    for offer in models.Reservation.objects.pending().order_by("pk"):
        if chance.random() < 0.5:
            reservations.reject_reservation(
                reservation=offer, actor=SYSTEM, now=later(chance.choice([3, 12]))
            )
    now = later(20)
    before = [facts.explain_task(row, now=now) for row in _pending(workspace)]
    rounds.run_cycle(workspace=workspace, now=now)
    served = [e for e in _in_service_order(workspace, before) if e.verdicts.eligible]
    for number, each in enumerate(served):
        queue = each.task.task_queue
        wanted = 1 if queue is None else queue.max_reserved_workers
        ranked = [c.worker.sid for c in each.verdicts.inside if c.rank is not None]
        got = _got(each.task)
        if number == 0:
            assert got == set(ranked[:wanted])
        assert got <= set(ranked)
        assert each.foreseen is not None
        if each.foreseen.workers:
            assert got == {worker.sid for worker in each.foreseen.workers}
    for each in before:
        if not each.verdicts.eligible:
            assert _got(each.task) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(20, 28))
def test_the_explanation_and_the_grab_give_the_same_reason(seed: int) -> None:
    chance = random.Random(seed)
    workspace = _furnish(chance)
    _arrive(workspace, chance, 5)
    factories.run(workspace, NOW)
    everyone = workers.load_workers(workspace.workers.all())
    now = later(59)
    for row in workspace.tasks.select_related(*facts.READ_WITH):
        found = facts.explain_task(row, now=now).verdicts
        for worker in everyone:
            verdict = found.find_verdict(worker.sid)
            assert verdict is not None
            assert verdict.grab_refusal == requirements.find_grab_refusal(row, worker, now=now)
            if row.lane is not None and row.assignment_status == AssignmentStatus.PENDING:
                queue = lanes.build_lane(row.lane).task_queue
                member = (
                    eligibility.membership_refusal(eligibility.Candidate(worker), queue) is None
                )
                assert (verdict in found.inside) == member


@given(nodes, views)
@settings(max_examples=200, deadline=None)
def test_a_task_rules_out_every_worker_exactly_when_its_residual_is_false(
    node: Node, task: View
) -> None:
    asked = expression(unparse(node), subject="residual")
    side = verdicts.judge_task(asked, task)
    assert bool(side.unmet) == (asked.bind(task=task).is_constant is False)
    if side.unmet:
        # The named part suffices: it is false by itself, and a part of the target's expression.
        alone = expression(side.unmet, subject="residual")
        assert alone.bind(task=task).is_constant is False
