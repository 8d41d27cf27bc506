"""Steps of a workflow: deadlines, skips, later filters, the default filter."""

from __future__ import annotations

from tests.factories import filter_
from tests.worlds.world import World


def test_a_step_that_times_out_hands_the_task_to_the_next_queue(office: World) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(filter_("1==1", {"queue": first, "timeout": 10}, {"queue": second}))
    office.task("a")
    office.wait(9)
    assert office.queue_of("a") == first
    office.wait(1)
    assert office.queue_of("a") == second


def test_deadlines_add_up_and_never_interrupt_an_offer(office: World) -> None:
    """Vector V6."""
    first = office.queue("first")
    second = office.queue("second", target_workers='other == "yes"')
    office.configure(
        '{"task_routing": {"filters": [{"expression": "1==1", "targets": ['
        f'{{"queue": "{first}", "timeout": 10}}, {{"queue": "{second}", "timeout": 10}}]}}]}}}}',
        reservation_timeout=15,
    )
    office.worker("alice")
    office.task("a")
    office.run()
    office.wait(12)
    assert office.status("a") == "reserved"
    office.wait(3)
    assert office.status("a") == "pending"
    assert office.queue_of("a") == second
    office.wait(5)
    assert office.status("a") == "canceled"


def test_a_target_may_leave_out_its_queue_and_keeps_the_one_before(office: World) -> None:
    queue = office.queue("support")
    office.workflow(
        filter_("1==1", {"queue": queue, "timeout": 10, "expression": "1==2"}, {"priority": 7})
    )
    office.worker("alice")
    office.task("a")
    office.wait(5)
    assert office.status("a") == "pending"
    office.wait(5)
    assert office.queue_of("a") == queue
    assert office.offers("alice") == ["a"]


def test_after_the_last_step_a_later_filter_is_tried_but_never_the_default(office: World) -> None:
    first, later, default = office.queue("f"), office.queue("l"), office.queue("d")
    office.workflow(
        filter_("vip == true", {"queue": first, "timeout": 5}),
        filter_("level > 3", {"queue": later}),
        default=default,
    )
    office.task("both", vip=True, level=9)
    office.task("one", vip=True, level=1)
    office.wait(5)
    assert office.queue_of("both") == later
    assert office.status("one") == "canceled"


def test_a_step_whose_skip_if_is_true_is_left_at_once(office: World) -> None:
    """Vector V7."""
    empty = office.queue("empty", target_workers='skill == "none"')
    default = office.queue("default")
    office.workflow(
        filter_("1==1", {"queue": empty, "skip_if": "workers.available == 0"}), default=default
    )
    office.worker("alice", available=False)
    office.task("a")
    office.run()
    assert office.queue_of("a") == default


def test_a_timeout_never_falls_through_to_the_default_filter(office: World) -> None:
    """Vector V8."""
    empty = office.queue("empty", target_workers='skill == "none"')
    office.workflow(
        filter_("1==1", {"queue": empty, "timeout": 5}), default=office.queue("default")
    )
    office.task("a")
    office.wait(5)
    assert office.status("a") == "canceled"


def test_skip_if_is_not_evaluated_when_the_task_can_be_offered(office: World) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(
        filter_("1==1", {"queue": first, "skip_if": "1==1"}, {"queue": second}),
    )
    office.worker("alice")
    office.task("a")
    office.run()
    assert office.queue_of("a") == first
    assert office.offers("alice") == ["a"]


def test_skip_if_counts_busy_workers_as_available(office: World) -> None:
    first, second = office.queue("first"), office.queue("second")
    office.workflow(
        filter_("1==1", {"queue": first, "skip_if": "workers.available == 0"}, {"queue": second}),
    )
    office.worker("alice")
    office.tasks("a", "b")
    office.run()
    assert office.queue_of("b") == first
    assert office.status("b") == "pending"


def test_a_target_sets_the_priority_and_one_without_keeps_it(office: World) -> None:
    queue = office.queue("support")
    office.workflow(filter_("vip == true", {"queue": queue, "priority": "10"}), default=queue)
    office.worker("alice", available=False)
    office.tasks("plain", priority=5)
    office.tasks("vip", priority=1, vip=True)
    office.sign("alice", available=True)
    office.run()
    assert office.offers("alice") == ["vip"]


def test_only_the_known_worker_gets_the_offer(office: World) -> None:
    queue = office.queue("support")
    office.workflow(filter_("1==1", {"queue": queue, "known_worker_friendly_name": "task.agent"}))
    office.worker("alice")
    office.worker("Bob")
    office.task("for-bob", agent="BOB")
    office.task("for-nobody", agent=None)
    office.run()
    assert office.offers("Bob") == ["for-bob"]
    assert office.offers("alice") == []
    assert office.status("for-nobody") == "pending"
