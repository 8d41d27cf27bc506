"""Every worker beside a task: one reason or a rank, and whether they may grab it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core import eligibility, snapshot, verdicts
from routing.core.clock import SECOND
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, Refusal
from routing.core.workflow_position import time_of_day
from workflows.expressions import compile_expression as expression
from workflows.expressions import compile_ordering

CHAT = 1
NOW = 100 * SECOND
QUEUE = snapshot.TaskQueue(id=1, sid="WQ", target_workers=expression("team == 1", subject="worker"))
LANE = snapshot.Lane(
    id=1,
    task_queue=QUEUE,
    task_channel_id=CHAT,
    expression=expression("worker.level > 3", subject="target"),
)
GRAB = eligibility.GrabTerms(waited=100)


def worker(number: int, *, available: bool = True, reserved: int = -1, **given: Any) -> Any:
    """Make a worker of the queue; `team` and `level` are attributes, the rest is of chat."""
    attributes = {"team": given.pop("team", 1), "level": given.pop("level", 5)}
    chat = snapshot.WorkerChannel(task_channel_id=CHAT, unique_name="chat", **given)
    return snapshot.Worker(
        id=number,
        sid=f"WK{number}",
        friendly_name=f"Worker {number}",
        activity_sid="WA",
        activity_name="Here",
        available=available,
        attributes=attributes,
        channels={CHAT: chat},
        last_reserved_us=reserved,
    )


def explained(
    *workers: snapshot.Worker,
    lane: snapshot.Lane = LANE,
    created_us: int = 0,
    status: AssignmentStatus = AssignmentStatus.PENDING,
    **given: Any,
) -> verdicts.Verdicts:
    waits = status == AssignmentStatus.PENDING
    task = eligibility.TaskRequirements(
        lane=lane,
        multi_task=True,
        clock=time_of_day(NOW),
        task=eligibility.build_age_view(created_us, now=NOW),
        status=status,
        **{"grab": GRAB if waits else None} | given,
    )
    return verdicts.judge_workers(task, workers)


def test_workers_are_ranked_in_the_router_s_order_and_the_refused_come_after() -> None:
    found = explained(
        worker(1, reserved=50), worker(2, available=False), worker(3, reserved=20), worker(4)
    )
    assert [(c.worker.id, c.rank) for c in found.inside] == [(4, 1), (3, 2), (1, 3), (2, None)]
    assert found.eligible == 3


def test_an_order_by_decides_before_idleness() -> None:
    ordered = replace(LANE, order_by=compile_ordering("worker.level DESC"))
    found = explained(worker(1, level=4), worker(2, level=9, reserved=7), lane=ordered)
    assert [c.worker.id for c in found.inside] == [2, 1]


@pytest.mark.parametrize(
    ("seen", "refusal"),
    [
        (worker(1), None),
        (worker(1, available=False), Refusal.WORKER_UNAVAILABLE),
        (worker(1, available=False, consumed=1), Refusal.WORKER_UNAVAILABLE),
        (worker(1, consumed=1), Refusal.NO_CAPACITY),
        (worker(1, level=1), Refusal.EXPRESSION_NOT_MET),
        (worker(1, reserved_for_manual=1), Refusal.KEPT_FOR_MANUAL),
    ],
)
def test_each_worker_has_one_reason_or_a_rank(
    seen: snapshot.Worker, refusal: Refusal | None
) -> None:
    (candidate,) = explained(seen).inside
    assert candidate.refusal == refusal
    assert candidate.rank == (1 if refusal is None else None)


def test_a_worker_of_another_queue_is_outside_and_can_be_explained() -> None:
    found = explained(worker(1), worker(2, team=2))
    assert [c.worker.id for c in found.inside] == [1]
    asked = found.find_verdict("WK2")
    assert asked is not None
    assert (asked.refusal, asked.grab_refusal) == (Refusal.NOT_IN_QUEUE, Refusal.NOT_IN_QUEUE)
    assert found.find_verdict("WK9") is None


def test_a_worker_that_the_router_refuses_may_still_grab() -> None:
    found = explained(worker(1, level=1), worker(2, reserved_for_manual=1), worker(3, consumed=1))
    by_hand = {c.worker.id: c.grab_refusal for c in found.inside}
    assert by_hand == {1: None, 2: None, 3: Refusal.NO_CAPACITY}


def test_the_queue_and_the_target_may_forbid_grabbing() -> None:
    closed = replace(LANE, task_queue=replace(QUEUE, grab_policy=GrabPolicy.OFF))
    (candidate,) = explained(worker(1), lane=closed).inside
    assert (candidate.rank, candidate.grab_refusal) == (1, Refusal.GRAB_NOT_ALLOWED)
    seniors = replace(GRAB, expression=expression("worker.level > 7", subject="target"))
    found = explained(worker(1), worker(2, level=9), grab=seniors)
    assert {c.worker.id: c.grab_refusal for c in found.inside} == {
        1: Refusal.EXPRESSION_NOT_MET,
        2: None,
    }


def test_reasons_are_counted_in_the_order_in_which_they_are_tested() -> None:
    found = explained(
        worker(1, level=1), worker(2, consumed=1), worker(3, available=False), worker(4, level=1)
    )
    assert list(found.reasons.items()) == [
        (Refusal.WORKER_UNAVAILABLE, 1),
        (Refusal.NO_CAPACITY, 1),
        (Refusal.EXPRESSION_NOT_MET, 2),
    ]


def test_a_task_on_offer_has_one_reason_for_its_workers_and_another_for_the_rest() -> None:
    found = explained(worker(1), worker(2), status=AssignmentStatus.RESERVED, reserved_for={2})
    assert {c.worker.id: c.refusal for c in found.inside} == {
        1: Refusal.TASK_NOT_PENDING,
        2: Refusal.ALREADY_OFFERED,
    }
    assert [c.grab_refusal for c in found.inside] == [c.refusal for c in found.inside]


def test_a_task_for_one_worker_has_that_worker_as_its_only_candidate() -> None:
    direct = snapshot.Lane(
        id=1, task_queue=None, task_channel_id=CHAT, known_worker_sid="WK2", ignore_capacity=True
    )
    found = explained(worker(1), worker(2, available=False, consumed=1), lane=direct)
    assert [(c.worker.id, c.rank) for c in found.inside] == [(2, 1)]
    other = found.find_verdict("WK1")
    assert other is not None
    assert other.refusal == Refusal.EXPRESSION_NOT_MET


def test_a_condition_on_the_task_s_age_is_evaluated() -> None:
    patient = replace(LANE, expression=expression("task.age >= 100", subject="residual"))
    assert explained(worker(1), lane=patient).eligible == 1
    assert explained(worker(1), lane=patient, created_us=SECOND).eligible == 0


@pytest.mark.parametrize("refused", list(Refusal))
def test_every_refusal_has_a_text_in_the_third_person(refused: Refusal) -> None:
    assert refused.third_person.endswith(".")
    assert "you" not in refused.third_person.lower()
