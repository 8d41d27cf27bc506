"""Several tasks at once: capacities, percentages, and the use cases of the field."""

from __future__ import annotations

import pytest

from tests.factories import filter_
from tests.worlds.world import World

VOICE_FREE = "worker.channel.voice.available_capacity_percentage == 100"


def test_a_worker_takes_as_many_tasks_as_the_channel_has_slots(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.tasks("a", "b", "c")
    office.run()
    assert office.offers("alice") == ["a", "b"]
    assert office.status("c") == "pending"


def test_a_full_channel_never_blocks_another(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.task("chat")
    office.task("call", channel="voice")
    office.run()
    assert sorted(office.offers("alice")) == ["call", "chat"]


def test_completing_a_task_gives_its_slot_to_the_oldest_waiting_one(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.tasks("a", "b", "c")
    office.run()
    office.answer("alice", "a", "accepted")
    office.run()
    assert office.offers("alice") == []
    office.answer("alice", "a", "completed")
    office.run()
    assert office.offers("alice") == ["b"]


def test_wrapping_up_keeps_the_slot(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.tasks("a", "b")
    office.run()
    office.answer("alice", "a", "accepted")
    office.answer("alice", "a", "wrapping")
    office.run()
    assert office.status("a") == "wrapping"
    assert office.percentage("alice", "chat") == 0
    assert office.status("b") == "pending"


def test_the_percentage_is_free_capacity_floored_and_exact(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 3})
    assert office.percentage("alice", "chat") == 100
    for task, left in (("a", 66), ("b", 33), ("c", 0)):
        office.task(task)
        office.run()
        assert office.percentage("alice", "chat") == left


def test_four_of_five_used_leaves_twenty_percent(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 5})
    office.tasks("a", "b", "c", "d")
    office.run()
    assert office.percentage("alice", "chat") == 20


def test_no_capacity_is_zero_percent_and_takes_nothing(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 0})
    office.task("a")
    office.run()
    assert office.percentage("alice", "chat") == 0
    assert office.status("a") == "pending"


def test_lowering_capacity_under_load_ends_nothing_and_takes_nothing_new(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 3})
    office.tasks("a", "b", "c", "d")
    office.run()
    office.set_channel("alice", "chat", configured_capacity=1)
    office.run()
    assert office.offers("alice") == ["a", "b", "c"]
    assert office.percentage("alice", "chat") == 0
    assert office.status("d") == "pending"


def test_raising_capacity_brings_the_next_task(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.tasks("a", "b")
    office.run()
    office.set_channel("alice", "chat", configured_capacity=2)
    office.run()
    assert office.offers("alice") == ["a", "b"]


def test_a_channel_switched_off_takes_nothing_and_keeps_its_percentage(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.set_channel("alice", "chat", available=False)
    office.task("a")
    office.run()
    assert office.status("a") == "pending"
    assert office.percentage("alice", "chat") == 100
    office.set_channel("alice", "chat", available=True)
    office.run()
    assert office.offers("alice") == ["a"]


def test_no_chat_while_on_voice(office: World) -> None:
    """Vector V4: use case 1."""
    queue = office.queue("support")
    office.workflow(
        filter_('task_channel_unique_name == "chat"', {"queue": queue, "expression": VOICE_FREE}),
        default=queue,
    )
    office.worker("alice", capacity={"voice": 1, "chat": 3})
    office.task("call", channel="voice")
    office.run()
    office.answer("alice", "call", "accepted")
    office.task("chat")
    office.run()
    assert office.status("chat") == "pending"
    office.answer("alice", "call", "completed")
    office.run()
    assert office.offers("alice") == ["chat"]


@pytest.mark.parametrize(
    ("condition", "offered"),
    [(VOICE_FREE, False), ("worker.channel.voice.assigned_tasks == 0", True)],
)
def test_a_wrapping_call_takes_its_slot_but_is_not_assigned_any_more(
    office: World, condition: str, offered: bool
) -> None:
    """Vector V5."""
    queue = office.queue("support")
    office.workflow(
        filter_('task_channel_unique_name == "chat"', {"queue": queue, "expression": condition}),
        default=queue,
    )
    office.worker("alice")
    office.task("call", channel="voice")
    office.run()
    office.answer("alice", "call", "accepted")
    office.answer("alice", "call", "wrapping")
    office.task("chat")
    office.run()
    assert office.offers("alice") == (["chat"] if offered else [])


def test_three_of_four_by_the_router_and_one_by_hand(office: World) -> None:
    """Vectors V1 and V2: use case 4, the right way round."""
    queue = office.queue("support")
    office.workflow(
        default={
            "queue": queue,
            "expression": "worker.channel.chat.available_capacity_percentage > 25",
        }
    )
    office.worker("alice", capacity={"chat": 4})
    office.tasks("a", "b", "c", "d", "e")
    office.run()
    assert office.offers("alice") == ["a", "b", "c"]
    assert office.grab("alice", "d") is None
    office.run()
    assert office.percentage("alice", "chat") == 0
    assert office.status("d") == "assigned"
    assert office.status("e") == "pending"


def test_the_inverted_percentage_starts_nothing(office: World) -> None:
    """Vector V3: the samples of the guide taken literally."""
    queue = office.queue("support")
    office.workflow(
        default={
            "queue": queue,
            "expression": "worker.channel.chat.available_capacity_percentage < 75",
        }
    )
    office.worker("alice", capacity={"chat": 4})
    office.tasks("a", "b")
    office.run()
    assert office.offers("alice") == []


def test_the_samples_are_right_with_the_busy_percentage(office: World) -> None:
    queue = office.queue("support")
    office.workflow(
        default={
            "queue": queue,
            "expression": "worker.channel.chat.busy_capacity_percentage < 75",
        }
    )
    office.worker("alice", capacity={"chat": 4})
    office.tasks("a", "b", "c", "d")
    office.run()
    assert office.offers("alice") == ["a", "b", "c"]


def test_slots_kept_for_grabbing_are_never_filled_by_the_router(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 4})
    office.set_channel("alice", "chat", reserved_for_manual=1)
    office.tasks("a", "b", "c", "d")
    office.run()
    assert office.offers("alice") == ["a", "b", "c"]
    assert office.grab("alice", "d") is None


def test_each_task_sees_the_counters_that_the_ones_before_it_left(office: World) -> None:
    queue = office.queue("support")
    office.workflow(
        default={
            "queue": queue,
            "expression": "worker.channel.chat.available_capacity_percentage == 100",
        }
    )
    office.worker("alice", capacity={"chat": 3})
    office.tasks("a", "b", "c")
    office.run()
    assert office.offers("alice") == ["a"]


def test_without_multitasking_a_worker_has_one_task_over_all_channels(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.set_multitasking(False)
    office.worker("alice", capacity={"chat": 3})
    office.task("chat")
    office.task("call", channel="voice")
    office.run()
    assert office.offers("alice") == ["chat"]
    office.set_multitasking(True)
    office.run()
    assert sorted(office.offers("alice")) == ["call", "chat"]
