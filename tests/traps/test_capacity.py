"""Traps of counting: what is in use, what is free, and what an expression sees of it."""

from __future__ import annotations

import pytest

from tests.factories import filter_
from tests.worlds.world import World

FREE = "worker.channel.{}.available_capacity_percentage"
VOICE_FREE = FREE.format("voice") + " == 100"
VOICE_UNASSIGNED = "worker.channel.voice.assigned_tasks == 0"


def test_the_available_percentage_is_100_for_an_idle_worker_and_0_for_a_full_one(
    office: World,
) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    assert office.percentage("alice", "chat") == 100
    office.tasks("a", "b")
    office.run()
    assert office.percentage("alice", "chat") == 0


def test_the_percentage_of_thirds_is_floored(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 3})
    seen = []
    for task in ("a", "b"):
        office.task(task)
        office.run()
        seen.append(office.percentage("alice", "chat"))
    assert seen == [66, 33]


@pytest.mark.parametrize(
    ("capacity", "used", "left"), [(5, 4, 20), (10, 8, 20), (10, 9, 10), (20, 11, 45)]
)
def test_the_percentage_is_exact_where_floating_point_is_one_too_low(
    office: World, capacity: int, used: int, left: int
) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": capacity})
    office.tasks(*(f"task {number}" for number in range(used)))
    office.run()
    assert office.percentage("alice", "chat") == left


def test_an_offer_lowers_the_percentage_but_is_not_assigned(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("a")
    office.run()
    assert office.percentage("alice", "chat") == 50
    assert office.assigned("alice", "chat") == 0
    office.answer("alice", "a", "accepted")
    assert office.percentage("alice", "chat") == 50
    assert office.assigned("alice", "chat") == 1


def test_wrapping_up_keeps_the_slot_but_is_not_assigned(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("a")
    office.run()
    office.answer("alice", "a", "accepted")
    office.answer("alice", "a", "wrapping")
    assert office.percentage("alice", "chat") == 50
    assert office.assigned("alice", "chat") == 0


@pytest.mark.parametrize(
    "end", ["completed", "rejected", "timeout", "canceled", "rescinded", "deleted"]
)
def test_every_end_of_a_reservation_frees_its_slot_exactly_once(office: World, end: str) -> None:
    office.workflow(default=office.queue("support", max_reserved_workers=2))
    for name in ("alice", "bob"):
        office.worker(name, capacity={"chat": 3})
    office.tasks("held", "a")
    office.run()
    office.answer("bob", "held", "accepted")
    # Freed twice, the slot of the task that stays would be missing below.
    if end == "timeout":
        office.seconds += 60
        office.task("late")
        office.run()
        office.wait(60)
        assert office.status("late") == "reserved"
        assert office.percentage("alice", "chat") == 66
    else:
        office.tasks("stays")
        office.run()
        assert office.percentage("alice", "chat") == 33
        if end in ("completed", "rescinded"):
            office.answer("bob" if end == "rescinded" else "alice", "a", "accepted")
        if end in ("completed", "rejected"):
            office.answer("alice", "a", end)
        elif end == "canceled":
            office.cancel("a")
        elif end == "deleted":
            office.delete("a")
        assert office.percentage("alice", "chat") == 66
        assert office.offers("alice") == ["stays"]


def test_one_offer_fills_a_channel_of_one_slot_and_no_other_channel(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.tasks("a", "b")
    office.task("call", channel="voice")
    office.run()
    assert sorted(office.offers("alice")) == ["a", "call"]
    assert office.status("b") == "pending"


def test_no_capacity_is_0_percent_and_no_division_by_zero(office: World) -> None:
    queue = office.queue("support")
    office.workflow(default={"queue": queue, "expression": FREE.format("chat") + " == 0"})
    office.worker("alice", capacity={"chat": 0})
    office.task("a")
    office.run()
    assert office.percentage("alice", "chat") == 0
    assert office.status("a") == "pending"


def test_lowering_capacity_under_load_ends_nothing_and_reports_0(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 3})
    office.tasks("a", "b", "c")
    office.run()
    office.answer("alice", "a", "accepted")
    office.set_channel("alice", "chat", configured_capacity=1)
    office.run()
    assert office.percentage("alice", "chat") == 0
    assert [office.status(task) for task in ("a", "b", "c")] == ["assigned", "reserved", "reserved"]


def test_switching_a_channel_off_changes_neither_capacity_nor_percentage(
    office: World,
) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("a")
    office.run()
    office.set_channel("alice", "chat", available=False)
    office.task("b")
    office.run()
    assert office.percentage("alice", "chat") == 50
    assert office.status("b") == "pending"
    office.set_channel("alice", "chat", available=True)
    office.run()
    assert office.offers("alice") == ["a", "b"]
    assert office.percentage("alice", "chat") == 0


def test_multitasking_off_and_on_again_restores_every_capacity(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 3, "voice": 2})
    office.set_multitasking(False)
    office.tasks("a", "b", "c", "d")
    office.tasks("call", "ring", channel="voice")
    office.run()
    assert office.offers("alice") == ["a"]
    office.set_multitasking(True)
    office.run()
    assert sorted(office.offers("alice")) == ["a", "b", "c", "call", "ring"]


def test_every_task_sees_the_counters_that_the_one_before_it_left(office: World) -> None:
    queue = office.queue("support")
    office.workflow(default={"queue": queue, "expression": VOICE_FREE})
    office.worker("alice", capacity={"voice": 3})
    office.tasks("a", "b", "c", channel="voice")
    office.run()
    assert office.offers("alice") == ["a"]


def test_an_accepted_task_is_assigned_to_the_very_next_expression(office: World) -> None:
    """An offer alone is not assigned yet, so the next task may be offered beside it."""
    queue = office.queue("support")
    office.workflow(default={"queue": queue, "expression": VOICE_UNASSIGNED})
    office.worker("alice", capacity={"voice": 3})
    office.task("a", channel="voice")
    office.run()
    office.answer("alice", "a", "accepted")
    office.tasks("b", "c", channel="voice")
    office.run()
    assert office.offers("alice") == []


MANUAL = 'manual == 1 AND task_channel_unique_name == "chat"'


def three_of_four(office: World, expression: str) -> None:
    """Open the office of vectors 1 to 3: four chat slots, five chats, one rule for the router."""
    queue = office.queue("support")
    office.workflow(
        filter_(
            MANUAL,
            {"queue": queue, "expression": "task.worker_sid = worker.sid", "priority": 1000},
        ),
        default={"queue": queue, "expression": expression},
    )
    office.worker("w", capacity={"chat": 4})
    office.tasks("1", "2", "3", "4", "5")
    office.run()


def test_the_router_fills_three_of_four_slots(office: World) -> None:
    three_of_four(office, FREE.format("chat") + " > 25")
    assert office.offers("w") == ["1", "2", "3"]
    assert [office.status(task) for task in "45"] == ["pending", "pending"]


def test_the_fourth_slot_is_filled_by_hand(office: World) -> None:
    three_of_four(office, FREE.format("chat") + " > 25")
    office.update("4", manual=1, worker_sid=office.sid("w"))
    office.run()
    assert office.offers("w") == ["1", "2", "3", "4"]
    assert office.percentage("w", "chat") == 0
    assert office.status("5") == "pending"


def test_the_inverted_comparison_starts_nothing(office: World) -> None:
    three_of_four(office, FREE.format("chat") + " < 75")
    assert office.offers("w") == []


def on_voice(office: World, condition: str) -> None:
    """Open the office of vectors 4 and 5: a call accepted, and a chat that asks about voice."""
    queue = office.queue("support")
    office.workflow(
        filter_('task_channel_unique_name == "chat"', {"queue": queue, "expression": condition}),
        default=queue,
    )
    office.worker("w", capacity={"voice": 1, "chat": 3})
    office.task("call", channel="voice")
    office.run()
    office.answer("w", "call", "accepted")


def test_a_chat_waits_for_the_end_of_the_call(office: World) -> None:
    on_voice(office, VOICE_FREE)
    office.task("chat")
    office.run()
    assert office.status("chat") == "pending"
    office.answer("w", "call", "completed")
    office.run()
    assert office.offers("w") == ["chat"]


def test_a_call_that_is_wrapped_up_is_in_use_but_not_assigned(office: World) -> None:
    on_voice(office, VOICE_FREE)
    office.answer("w", "call", "wrapping")
    office.task("chat")
    office.run()
    assert office.status("chat") == "pending"


def test_with_the_other_condition_the_chat_is_offered(office: World) -> None:
    on_voice(office, VOICE_UNASSIGNED)
    office.answer("w", "call", "wrapping")
    office.task("chat")
    office.run()
    assert office.offers("w") == ["chat"]
