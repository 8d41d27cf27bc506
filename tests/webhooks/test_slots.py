"""Silent receivers delay no others: each kind of post has slots of its own."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from routing import models
from routing.actions import callbacks
from routing.webhook_delivery import assignment_questions, event_deliveries, host_slots, loop
from routing.webhook_delivery.host_slots import (
    EVENTS,
    FAILING,
    HOST_SLOTS,
    QUESTIONS,
    SLOTS,
    SlotRequest,
    Slots,
)
from tests import factories
from tests.webhooks.conftest import Clock
from tests.webhooks.event_steps import count_pending, post_events
from tests.webhooks.receiver import Receiver


@pytest.fixture
def take_slot(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that takes a slot until the test ends, and returns if there was one."""
    monkeypatch.setattr(host_slots, "process_slots", Slots())
    with contextlib.ExitStack() as stack:
        yield lambda slot_request: stack.enter_context(
            host_slots.process_slots.hold_slot(slot_request)
        )


def slot_request(
    number: int = 0, kind: str = EVENTS, account: str = "", **given: Any
) -> SlotRequest:
    return SlotRequest(
        kind, account or f"account {number}", f"host{number}", **{"has_failed": False} | given
    )


def test_failing_receivers_have_a_quarter_of_the_threads_and_others_are_posted_to(
    take_slot: Any,
) -> None:
    found = [take_slot(slot_request(number, has_failed=True)) for number in range(20)]
    assert found.count(True) == SLOTS[FAILING] == host_slots.THREADS // 4
    assert take_slot(slot_request(100))
    assert take_slot(slot_request(100, QUESTIONS))


def test_one_account_has_half_of_each_kind_of_slot(take_slot: Any) -> None:
    for kind in (EVENTS, QUESTIONS):
        found = [take_slot(slot_request(number, kind, account="greedy")) for number in range(20)]
        assert found.count(True) == SLOTS[kind] // 2
        assert take_slot(slot_request(100, kind, account="modest"))


def test_receivers_of_one_host_share_a_few_slots(take_slot: Any) -> None:
    found = [
        take_slot(SlotRequest(EVENTS, f"account {n}", "one.example", False)) for n in range(20)
    ]
    assert found.count(True) == HOST_SLOTS
    assert take_slot(slot_request())


def test_slots_leave_threads_to_look_at_further_calls() -> None:
    assert sum(SLOTS.values()) < host_slots.THREADS


def test_a_slot_is_free_again_after_its_block(take_slot: Any) -> None:
    for _ in range(100):
        with host_slots.process_slots.hold_slot(slot_request()) as is_free:
            assert is_free
    assert not host_slots.process_slots._taken


def test_a_host_that_times_out_repeatedly_counts_as_failing_until_it_answers() -> None:
    found = Slots()
    host = "slow.example"
    for expected in (False, True):
        found.record_round(host, has_failed=True, seconds=15)
        assert found.is_suspect(host) is expected
    assert not found.is_suspect("another.example")
    found.record_round(host, has_failed=False, seconds=1)
    assert not found.is_suspect(host)
    for _ in range(5):
        # It refuses at once, which holds no thread.
        found.record_round(host, has_failed=True, seconds=0.1)
    assert not found.is_suspect(host)


def test_a_receiver_without_a_slot_is_left_for_the_next_sweep(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock, take_slot: Any
) -> None:
    factories.task(workspace)
    host = f"127.0.0.1:{notified_receiver.port}"
    for number in range(HOST_SLOTS):
        assert take_slot(SlotRequest(EVENTS, f"account {number}", host, False))
    owed = count_pending()
    post_events(workspace, clock)
    assert count_pending() == owed > 0
    assert event_deliveries.list_due_workspaces(clock()) == [workspace.sid]
    host_slots.process_slots._taken.clear()
    post_events(workspace, clock)
    assert count_pending() == 0


def test_a_failing_receiver_without_a_slot_rests_for_some_seconds(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock, take_slot: Any
) -> None:
    factories.task(workspace)
    models.CallbackReceiver.objects.filter(sid=workspace.sid).update(failures=3)
    for number in range(SLOTS[FAILING]):
        assert take_slot(slot_request(number, has_failed=True))
    post_events(workspace, clock)
    assert event_deliveries.list_due_workspaces(clock()) == []
    clock.shift(callbacks.POSTPONED.total_seconds())
    assert event_deliveries.list_due_workspaces(clock()) == [workspace.sid]


def test_the_kind_of_slot_that_a_receiver_needs(
    workspace: models.Workspace, notified_receiver: Receiver, workflow: models.Workflow
) -> None:
    host = f"127.0.0.1:{notified_receiver.port}"
    account = str(workspace.account_id)
    assert loop._slot_request(workspace.sid) == SlotRequest(EVENTS, account, host, False)
    assignment_questions.send_due_questions(workflow.sid)
    assert loop._slot_request(workflow.sid) == SlotRequest(QUESTIONS, account, host, False)
    assert loop._slot_request("WS" + "0" * 32) is None


def test_a_sweep_takes_a_bounded_number_and_failing_receivers_do_not_keep_others_out(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MOST_FRESH", 3)
    monkeypatch.setattr(loop, "MOST_FAILING", 2)
    made = [
        models.CallbackReceiver(sid=f"WS{number:032}", failures=number % 2) for number in range(20)
    ]
    models.CallbackReceiver.objects.bulk_create(made)
    failing = {row.sid for row in made if row.failures}
    found = loop.choose_receivers(models.CallbackReceiver.objects.all())
    assert [sid in failing for sid in found] == [False] * 3 + [True] * 2
