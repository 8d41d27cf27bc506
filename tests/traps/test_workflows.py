"""Traps of workflows: filters, targets, deadlines, skips."""

from __future__ import annotations

import json
from typing import Any

from routing.core.vocabulary import Refusal
from tests.factories import filter_
from tests.worlds.world import World


def test_a_targets_priority_overrides_an_explicit_one_and_none_preserves_it(
    office: World,
) -> None:
    queue = office.queue("support")
    office.workflow(filter_("vip == true", {"queue": queue, "priority": 10}), default=queue)
    office.worker("alice", available=False)
    office.tasks("lowered", priority=50, vip=True)
    office.tasks("kept", priority=20)
    office.tasks("plain")
    office.sign("alice", available=True)
    served = []
    for _ in range(3):
        office.run()
        served += office.offers("alice")
        office.cancel(served[-1])
    assert served == ["kept", "lowered", "plain"]


def test_targets_inherit_the_queue_and_nothing_else(office: World) -> None:
    queue = office.queue("support")
    first = {
        "queue": queue,
        "expression": "worker.level > 5",
        "timeout": 10,
        "order_by": "worker.level DESC",
        "skip_if": "workers.available == 2",
    }
    office.workflow(filter_("1==1", first, {}))
    office.worker("junior", available=False, capacity={"video": 0}, level=1)
    office.worker("middle", available=False, capacity={"video": 0}, level=2)
    office.task("a")
    office.task("unserved", channel="video")
    office.run()
    office.sign("junior", available=True)
    office.sign("middle", available=True)
    office.wait(9)
    assert office.status("a") == "pending"
    office.wait(1)
    assert office.queue_of("a") == queue
    # Neither the expression nor the order: the worker who was idle longest has it.
    assert office.offers("junior") == ["a"]
    # Neither skip_if, which is true by now, nor the timeout: this was the last target.
    office.wait(1000)
    assert office.status("unserved") == "pending"


def test_the_default_filter_is_not_used_after_a_timeout(office: World) -> None:
    first, default = office.queue("first"), office.queue("default")
    office.workflow(filter_("vip == true", {"queue": first, "timeout": 5}), default=default)
    office.task("timed out", vip=True)
    office.task("unmatched")
    office.wait(5)
    assert office.status("timed out") == "canceled"
    assert office.queue_of("unmatched") == default


def test_the_default_filter_is_used_when_all_that_matched_was_skipped(
    office: World,
) -> None:
    first, default = office.queue("first"), office.queue("default")
    office.workflow(filter_("1==1", {"queue": first, "skip_if": "1==1"}), default=default)
    office.task("skipped")
    office.run()
    assert office.queue_of("skipped") == default


def test_after_the_last_timeout_a_later_filter_is_tried_before_canceling(
    office: World,
) -> None:
    first, between, later = office.queue("1"), office.queue("2"), office.queue("3")
    office.workflow(
        filter_("1==1", {"queue": first, "timeout": 5}),
        filter_("never == true", {"queue": between}),
        filter_("1==1", {"queue": later, "timeout": 5}),
    )
    office.task("a")
    office.wait(5)
    assert office.queue_of("a") == later
    office.wait(4)
    assert office.status("a") == "pending"
    office.wait(1)
    assert office.status("a") == "canceled"


def test_several_deadlines_may_pass_during_one_offer(office: World) -> None:
    queues = [office.queue(name) for name in "abcd"]
    steps: list[dict[str, Any]] = [{"queue": queue, "timeout": 10} for queue in queues]
    routing = {"task_routing": {"filters": [filter_("1==1", *steps)]}}
    office.configure(json.dumps(routing), reservation_timeout=25)
    office.worker("alice")
    office.task("a")
    office.run()
    office.wait(24)
    assert office.queue_of("a") == queues[0]
    office.wait(1)
    assert office.queue_of("a") == queues[2]
    office.wait(5)
    assert office.queue_of("a") == queues[3]
    office.wait(10)
    assert office.status("a") == "canceled"


def test_a_step_never_interrupts_an_offer_but_the_end_of_the_lifetime_does(
    office: World,
) -> None:
    first, second = office.queue("first"), office.queue("second")
    steps: list[dict[str, Any]] = [{"queue": first, "timeout": 20}, {"queue": second}]
    routing = {"task_routing": {"filters": [filter_("1==1", *steps)]}}
    office.configure(json.dumps(routing), reservation_timeout=86_400)
    office.worker("alice", available=False)
    office.task("a")
    office.wait(10)
    office.sign("alice", available=True)
    office.run()
    office.wait(20)
    assert office.offers("alice") == ["a"]
    office.seconds = 86_399
    office.run()
    assert office.offers("alice") == ["a"]
    office.wait(1)
    assert office.offers("alice") == []
    assert office.status("a") == "canceled"


def test_skip_if_is_not_evaluated_when_entering_the_step_made_an_offer(
    office: World,
) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(filter_("1==1", {"queue": first, "skip_if": "1==1"}, {"queue": second}))
    office.worker("alice")
    office.tasks("found", "not found")
    office.run()
    assert office.offers("alice") == ["found"]
    assert office.queue_of("found") == first
    assert office.queue_of("not found") == second


def test_workers_available_ignores_capacity(office: World) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(
        filter_("1==1", {"queue": first, "skip_if": "workers.available == 0"}, {"queue": second})
    )
    office.worker("alice")
    office.tasks("a", "b")
    office.run()
    assert office.queue_of("b") == first
    office.answer("alice", "a", "accepted")
    office.sign("alice", available=False)
    office.task("c")
    office.run()
    assert office.queue_of("c") == second


def test_a_null_known_worker_keeps_the_task_in_its_target_until_the_timeout(
    office: World,
) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(
        filter_(
            "1==1",
            {"queue": first, "known_worker_sid": "task.agent_sid", "timeout": 30},
            {"queue": second},
        )
    )
    office.worker("alice", capacity={"chat": 3})
    for name, agent in (("null", None), ("unknown", "WK" + "f" * 32), ("malformed", 7)):
        office.task(name, agent_sid=agent)
    office.wait(29)
    assert office.offers("alice") == []
    assert office.queue_of("null") == first
    office.wait(1)
    assert sorted(office.offers("alice")) == ["malformed", "null", "unknown"]


def test_priorities_and_timeouts_may_be_json_strings(office: World) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(
        filter_("vip == true", {"queue": first, "timeout": "10", "priority": "7"}, {}),
        default=second,
    )
    office.worker("alice", available=False)
    office.task("plain", priority=6)
    office.task("vip", vip=True)
    office.sign("alice", available=True)
    office.run()
    assert office.offers("alice") == ["vip"]


def test_new_attributes_route_a_waiting_task_again_but_none_on_offer_or_in_work(
    office: World,
) -> None:
    plain, vip = office.queue("plain"), office.queue("vip", target_workers='skill == "vip"')
    office.workflow(filter_("vip == true", {"queue": vip, "timeout": 50}), default=plain)
    office.worker("alice", capacity={"chat": 2})
    office.tasks("in work", "on offer")
    office.run()
    office.answer("alice", "in work", "accepted")
    office.tasks("waiting")
    office.run()
    for task in ("in work", "on offer", "waiting"):
        office.update(task, vip=True)
    office.run()
    assert [office.queue_of(task) for task in ("in work", "on offer", "waiting")] == [
        plain,
        plain,
        vip,
    ]
    assert office.status("in work") == "assigned"
    assert office.offers("alice") == ["on offer"]


def test_new_attributes_never_reset_the_age(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", available=False)
    office.tasks("old", "young")
    office.update("old", language="en")
    office.sign("alice", available=True)
    office.run()
    assert office.offers("alice") == ["old"]
    # Nor the end of its life: a day after creation, not after the change.
    office.answer("alice", "old", "rejected")
    office.sign("alice", available=False)
    office.seconds = 80_000
    office.update("old", language="de")
    office.seconds = 86_400
    office.run()
    assert office.status("old") == "canceled"


def test_an_empty_expression_parks_a_queue_and_none_at_all_admits_everyone(
    office: World,
) -> None:
    parked, everyone = office.queue("parked", target_workers=""), office.queue("everyone")
    office.workflow(filter_("letter == true", {"queue": parked}), default=everyone)
    office.worker("alice", capacity={"chat": 2})
    office.task("letter", letter=True)
    office.task("mail")
    office.run()
    assert office.offers("alice") == ["mail"]
    assert office.status("letter") == "pending"
    assert office.grab("alice", "letter") == Refusal.NOT_IN_QUEUE


def test_a_step_that_ended_during_an_offer_is_left_when_the_offer_ends(
    office: World,
) -> None:
    one, two = office.queue("q1"), office.queue("q2", target_workers='skill == "none"')
    steps = [{"queue": one, "timeout": 10}, {"queue": two, "timeout": 10}]
    routing = {"task_routing": {"filters": [filter_("1==1", *steps)]}}
    office.configure(json.dumps(routing), reservation_timeout=15)
    office.worker("w")
    office.task("t")
    office.run()
    assert office.offers("w") == ["t"]
    office.wait(14)
    assert office.queue_of("t") == one
    office.wait(1)
    assert not office.is_available("w")
    assert (office.queue_of("t"), office.status("t")) == (two, "pending")
    office.wait(4)
    assert office.status("t") == "pending"
    office.wait(1)
    assert office.status("t") == "canceled"


def test_a_skipped_filter_leads_to_the_default(office: World) -> None:
    first = office.queue("a", target_workers='skill == "none"')
    default = office.queue("q")
    office.workflow(filter_("1==1", {"queue": first, "skip_if": "1==1"}), default=default)
    office.task("t")
    office.run()
    assert office.queue_of("t") == default


def test_a_filter_that_timed_out_does_not(office: World) -> None:
    first = office.queue("a", target_workers='skill == "none"')
    office.workflow(filter_("1==1", {"queue": first, "timeout": 5}), default=office.queue("q"))
    office.task("t")
    office.wait(4)
    assert office.status("t") == "pending"
    office.wait(1)
    assert office.status("t") == "canceled"
