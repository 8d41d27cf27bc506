"""Who may take a task: one reason for a refusal, in a fixed order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.core import eligibility, snapshot
from routing.core.vocabulary import GrabPolicy, Refusal
from routing.core.workflow_position import time_of_day
from workflows.expressions import compile_expression as expression

CHAT, VOICE = 1, 2
CLOCK = time_of_day(0)
QUEUE = snapshot.TaskQueue(
    id=1, sid="WQ", target_workers=expression('skill == "yes"', subject="worker")
)
LANE = snapshot.Lane(
    id=1,
    task_queue=QUEUE,
    task_channel_id=CHAT,
    expression=expression("worker.level > 3", subject="target"),
)


def worker(**given: Any) -> snapshot.Worker:
    """Make a worker who may take a task of `LANE`."""
    channels = {
        CHAT: snapshot.WorkerChannel(
            task_channel_id=CHAT, unique_name="chat", configured_capacity=4
        ),
        VOICE: snapshot.WorkerChannel(task_channel_id=VOICE, unique_name="voice"),
    }
    values: dict[str, Any] = {
        "id": 1,
        "sid": "WK1",
        "friendly_name": "Alice",
        "activity_sid": "WA1",
        "activity_name": "Available",
        "available": True,
        "attributes": {"skill": "yes", "level": 5},
        "channels": channels,
    }
    return snapshot.Worker(**values | given)


def on_chat(**given: Any) -> snapshot.Worker:
    """Make a worker whose chat channel is so."""
    seen = worker()
    return replace(seen, channels={**seen.channels, CHAT: replace(seen.channels[CHAT], **given)})


def refusal(seen: snapshot.Worker, lane: snapshot.Lane = LANE, **given: Any) -> Refusal | None:
    return eligibility.router_refusal(eligibility.Candidate(seen), requirements(lane, **given))


def requirements(lane: snapshot.Lane = LANE, **given: Any) -> eligibility.TaskRequirements:
    values: dict[str, Any] = {"multi_task": True, "clock": CLOCK}
    return eligibility.TaskRequirements(lane=lane, **values | given)


def test_a_fitting_worker_with_room_is_not_refused() -> None:
    assert refusal(worker()) is None


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (worker(attributes={"level": 5}), Refusal.NOT_IN_QUEUE),
        (worker(available=False), Refusal.WORKER_UNAVAILABLE),
        (on_chat(available=False), Refusal.CHANNEL_UNAVAILABLE),
        (worker(channels={}), Refusal.CHANNEL_UNAVAILABLE),
        (on_chat(consumed=4), Refusal.NO_CAPACITY),
        (on_chat(consumed=9), Refusal.NO_CAPACITY),
        (worker(attributes={"skill": "yes", "level": 1}), Refusal.EXPRESSION_NOT_MET),
        (on_chat(reserved_for_manual=4), Refusal.KEPT_FOR_MANUAL),
    ],
)
def test_each_lack_is_named(seen: snapshot.Worker, reason: Refusal) -> None:
    assert refusal(seen) == reason


def test_the_first_of_several_refusals_in_the_fixed_order_is_returned() -> None:
    away_and_full = replace(on_chat(consumed=4, available=False), available=False, attributes={})
    assert refusal(away_and_full) == Refusal.NOT_IN_QUEUE
    assert refusal(replace(away_and_full, attributes={"skill": "yes"})) == (
        Refusal.WORKER_UNAVAILABLE
    )


def test_a_queue_without_an_expression_admits_no_worker() -> None:
    unserved = replace(LANE, task_queue=replace(QUEUE, target_workers=None))
    assert refusal(worker(), unserved) == Refusal.NOT_IN_QUEUE


def test_only_the_known_worker_may_have_the_task() -> None:
    assert refusal(worker(), replace(LANE, known_worker_sid="WK1")) is None
    assert refusal(worker(), replace(LANE, known_worker_sid="WK2")) == Refusal.EXPRESSION_NOT_MET
    assert refusal(worker(), replace(LANE, known_worker_name="alice")) is None
    assert refusal(worker(), replace(LANE, known_worker_name="")) == Refusal.EXPRESSION_NOT_MET


def test_a_direct_task_may_ignore_activity_and_capacity() -> None:
    direct = snapshot.Lane(
        id=1, task_queue=None, task_channel_id=CHAT, known_worker_sid="WK1", ignore_capacity=True
    )
    assert refusal(replace(on_chat(consumed=4), available=False), direct) is None
    waiting = replace(direct, ignore_capacity=False)
    assert refusal(on_chat(consumed=4), waiting) == Refusal.NO_CAPACITY


def test_without_multitasking_any_task_in_hand_is_one_too_many() -> None:
    seen = worker()
    busy = replace(
        seen, channels={**seen.channels, VOICE: replace(seen.channels[VOICE], consumed=1)}
    )
    assert refusal(busy, multi_task=False) == Refusal.NO_CAPACITY
    assert refusal(seen, multi_task=False) is None


def test_assignments_of_a_pass_count_at_once() -> None:
    hand = eligibility.Candidate(on_chat(consumed=3))
    assert eligibility.router_refusal(hand, requirements()) is None
    hand.assign(CHAT, at=8)
    assert eligibility.router_refusal(hand, requirements()) == Refusal.NO_CAPACITY
    assert hand.view().builtins["channel"]["chat"]["available_capacity_percentage"] == 0


def test_idleness_counts_over_all_channels_unless_the_channel_says_otherwise() -> None:
    seen = worker(last_reserved_us=50)
    hand = eligibility.Candidate(seen)
    assert eligibility.rank_key(hand, LANE)[0] == 50
    assert eligibility.rank_key(hand, replace(LANE, optimized=True))[0] == -1


@pytest.mark.parametrize(
    ("policy", "rank", "waited", "allowed"),
    [
        (GrabPolicy.OFF, 0, 999, False),
        (GrabPolicy.ANYTHING, 999, 0, True),
        (GrabPolicy.OLDEST, 2, 0, True),
        (GrabPolicy.OLDEST, 3, 0, False),
        (GrabPolicy.WAITED, 0, 30, True),
        (GrabPolicy.WAITED, 0, 29, False),
    ],
)
def test_a_queue_says_what_may_be_grabbed(
    policy: GrabPolicy, rank: int, waited: int, allowed: bool
) -> None:
    queue = replace(QUEUE, grab_policy=policy, grab_limit=3, grab_after=30)
    answer = eligibility.grab_refusal(
        eligibility.Candidate(worker(attributes={"skill": "yes"})),
        requirements(
            replace(LANE, task_queue=queue),
            grab=eligibility.GrabTerms(rank=rank, waited=waited),
        ),
    )
    assert answer == (None if allowed else Refusal.GRAB_NOT_ALLOWED)


@pytest.mark.parametrize(
    ("capacity", "consumed", "free", "busy"),
    [
        (1, 0, 100, 0),
        (3, 1, 66, 33),
        (3, 2, 33, 66),
        (5, 4, 20, 80),
        (10, 8, 20, 80),
        (10, 9, 10, 90),
        (20, 11, 45, 55),
        (6, 5, 16, 83),
        (0, 0, 0, 100),
        (1, 3, 0, 100),
    ],
)
def test_percentages_are_exact_floored_and_within_bounds(
    capacity: int, consumed: int, free: int, busy: int
) -> None:
    assert snapshot.free_percentage(capacity, consumed) == free
    assert snapshot.busy_percentage(capacity, consumed) == busy


@pytest.mark.parametrize("refused", list(Refusal))
def test_every_refusal_has_words(refused: Refusal) -> None:
    assert refused.words.endswith(".")
