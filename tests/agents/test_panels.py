"""The content of the panels, and their number of queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from agents import waiting
from agents.selections import Selection
from agents.slots import Slot, build_gauge
from routing import models
from routing.actions import task_queues, workspaces
from routing.actors import SYSTEM
from routing.core.vocabulary import GrabPolicy, Refusal
from routing.snapshots import requirements, workers
from tests import factories
from tests.agents.conftest import Floor

NumQueries = Callable[[int], AbstractContextManager[Any]]


# --- Presence ---------------------------------------------------------------------------------


def drawn(worker: models.Worker, name: str = "chat", *, offered: int = 0) -> list[Slot]:
    """Return how a channel's slots are drawn."""
    return build_gauge(factories.worker_channel(worker, name), offered=offered).slots


def test_a_channel_is_drawn_slot_by_slot_with_a_text(floor: Floor) -> None:
    factories.set_capacity(floor.alice.worker, configured_capacity=5, reserved_for_manual=1)
    wrapping = floor.accepted().task
    floor.alice.press("task.wrap_up", task=wrapping.sid)
    floor.accepted()
    floor.offered()
    assert drawn(floor.alice.worker, offered=1) == [
        Slot.WORKING,
        Slot.WRAPPING,
        Slot.OFFERED,
        Slot.FREE,
        Slot.KEPT,
    ]
    panel = floor.alice.get("panels/presence")
    assert "1 working, 1 wrapping up, 1 offered, 1 free, 1 kept for grabbing" in panel
    assert "3 of 5 in use" in panel


def test_work_beyond_a_lowered_capacity_is_shown(floor: Floor) -> None:
    floor.accepted()
    floor.accepted()
    factories.set_capacity(floor.alice.worker, configured_capacity=1)
    assert drawn(floor.alice.worker) == [Slot.WORKING, Slot.WORKING]
    assert "1 over capacity" in floor.alice.get("panels/presence")


def test_a_channel_that_is_off_says_so_and_can_be_switched_on(floor: Floor) -> None:
    factories.set_capacity(floor.alice.worker, "sms", available=False)
    panel = floor.alice.get("panels/presence")
    assert "Off for now" in panel
    assert panel.count('aria-checked="false"') == 1


def set_single_tasking(floor: Floor) -> None:
    """Let workers have one task at a time."""
    workspaces.update_workspace(
        workspace=floor.workspace, multi_task_enabled=False, actor=SYSTEM, now=factories.NOW
    )


def test_with_multitasking_off_one_slot_of_each_channel_is_free(floor: Floor) -> None:
    assert "One task at a time" not in floor.alice.get("panels/presence")
    set_single_tasking(floor)
    factories.set_capacity(floor.alice.worker, configured_capacity=3)
    panel = floor.alice.get("panels/presence")
    assert "One task at a time, over all channels." in panel
    assert "1 free, 2 shut" in panel


def test_with_multitasking_off_a_task_shuts_the_slots_of_all_channels(floor: Floor) -> None:
    factories.set_capacity(floor.alice.worker, configured_capacity=2)
    set_single_tasking(floor)
    task = floor.accepted(attributes={"subject": "Call A"}).task
    floor.task()
    panel = floor.alice.get("panels/presence")
    assert "One task at a time: complete “<bdi>Call A</bdi>” first." in panel
    assert "1 working, 1 shut" in panel
    assert "free" not in panel.replace("jack--free", "")
    words = "You take one task at a time. Complete the one in hand first."
    assert words in floor.alice.get("panels/queue")
    floor.alice.press("task.complete", task=task.sid)
    assert "1 free" in floor.alice.get("panels/presence")
    assert words not in floor.alice.get("panels/queue")


def test_with_multitasking_off_an_open_offer_is_named_as_the_reason(floor: Floor) -> None:
    set_single_tasking(floor)
    floor.offered(attributes={"subject": "Call A"})
    panel = floor.alice.get("panels/presence")
    assert "One task at a time: answer “<bdi>Call A</bdi>” first." in panel


# --- Offers and tasks ---------------------------------------------------------------------------


def test_an_offer_shows_what_it_is_and_counts_to_the_servers_deadline(floor: Floor) -> None:
    offer = floor.offered(
        attributes={"subject": "Broken router", "customer": {"name": "Ida"}}, priority=5
    )
    panel = floor.alice.get("panels/offers")
    for words in ("Broken router", "Ida", "Chat", "Chats", "priority 5"):
        assert words in panel
    assert f'data-deadline="{offer.deadline_us // 1000}"' in panel
    now = re.search(r'data-now="(\d+)"', panel)
    assert now is not None
    assert 0 < offer.deadline_us // 1000 - int(now[1]) <= 120_000
    assert "Broken router" not in floor.bob.get("panels/offers")


def test_an_offer_shows_its_details_before_it_is_accepted(floor: Floor) -> None:
    floor.offered(attributes={"subject": "Parcel", "order": "4711", "mail": "ada@example.com"})
    panel = floor.alice.get("panels/offers")
    assert "<summary>2 details</summary>" in panel
    assert '<a dir="ltr" href="mailto:ada@example.com"' in panel
    assert "4711" in panel
    bare = floor.offered(attributes={"subject": "Bare"})
    assert f"more-{bare.sid}" not in floor.alice.get("panels/offers")


def test_an_empty_panel_says_what_will_happen_next(floor: Floor) -> None:
    assert "is offered here" in floor.alice.get("panels/offers")
    assert "an activity that takes work" in floor.bob.get("panels/offers")
    assert "until you complete it" in floor.alice.get("panels/tasks")
    assert "you can grab one yourself" in floor.alice.get("panels/queue")
    task_queues.update_task_queue(
        queue=floor.queue, target_workers="", actor=SYSTEM, now=factories.NOW
    )
    assert "You serve no queue yet." in floor.alice.get("panels/queue")


def test_a_task_in_hand_shows_its_attributes_as_text_and_not_as_markup(floor: Floor) -> None:
    floor.accepted(attributes={"note": "<script>alert(1)</script>", "link": "javascript:alert(1)"})
    panel = floor.alice.get("panels/tasks")
    assert "&lt;script&gt;" in panel
    assert "<script>" not in panel
    assert "<a href" not in panel
    assert "Working" in panel


def test_wrapping_up_is_shown_as_a_text(floor: Floor) -> None:
    floor.alice.press("task.wrap_up", task=floor.accepted().task.sid)
    assert "Wrapping up" in floor.alice.get("panels/tasks")


def clocks(panel: str) -> list[str]:
    """Return the clocks of the tasks in hand as texts, without those that style sheets hide."""
    found = re.findall(r'<span class="facts__one facts__clock( facts__clock--over)?".*', panel)
    texts = re.findall(r'<span class="facts__one facts__clock.*', panel)
    shown = []
    for over, text in zip(found, texts, strict=True):
        if not over:
            text = re.sub(r'<span class="facts__over">.*?</span>', "", text)
        shown.append(re.sub(r"<.*?>", "", text).strip())
    return shown


def test_a_card_shows_the_time_in_hand_and_in_wrap_up(floor: Floor) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        held = floor.accepted().task
        clock.shift(70)
        assert clocks(floor.alice.get("panels/tasks")) == ["1:10 in hand"]
        floor.alice.press("task.wrap_up", task=held.sid)
        clock.shift(30)
        assert clocks(floor.alice.get("panels/tasks")) == ["1:40 in hand", "0:30 wrapping up"]


def test_a_card_shows_the_limits_of_its_queue_and_says_when_one_is_passed(floor: Floor) -> None:
    task_queues.update_task_queue(
        queue=floor.queue,
        expected_handling_time=60,
        wrap_up_limit=120,
        actor=SYSTEM,
        now=factories.NOW,
    )
    with time_machine.travel(timezone.now(), tick=False) as clock:
        held = floor.accepted().task
        clock.shift(60)
        assert clocks(floor.alice.get("panels/tasks")) == ["1:00 in hand of 1:00"]
        floor.alice.press("task.wrap_up", task=held.sid)
        clock.shift(15)
        assert clocks(floor.alice.get("panels/tasks")) == [
            "1:15 in hand of 1:00, over the limit",
            "0:15 wrapping up of 2:00",
        ]


# --- What waits ---------------------------------------------------------------------------------


def test_tasks_of_one_priority_are_listed_oldest_first_with_their_number(
    floor: Floor,
) -> None:
    now = timezone.now()
    for seconds in (20, 30, 10):
        title = f"{seconds} seconds old"
        floor.task(attributes={"title": title}, now=now - timedelta(seconds=seconds))
    panel = floor.alice.get("panels/queue")
    assert re.findall(r"\d+ seconds old", panel) == [f"{age} seconds old" for age in (30, 20, 10)]
    assert '<span class="count count--calm">3</span>' in panel


def test_the_list_ends_at_fifty_but_the_number_counts_all(floor: Floor) -> None:
    other = factories.queue(floor.workspace)
    workflow = factories.workflow(floor.workspace, default=other)
    now = timezone.now()
    made = [
        floor.task(
            workflow=workflow if number % 3 else floor.workflow,
            now=now - timedelta(seconds=1000 - number),
        )
        for number in range(55)
    ]
    shown = waiting.load_queue_panel(floor.alice.worker, now=now)
    assert [row.card.sid for row in shown.rows] == [task.sid for task in made[:50]]
    assert shown.total == 55
    one = waiting.load_queue_panel(floor.alice.worker, Selection(queue=other.sid), now=now)
    assert [row.card.queue for row in one.rows] == [other.friendly_name] * one.total


def test_a_queue_that_the_agent_does_not_serve_is_not_shown(floor: Floor) -> None:
    theirs = factories.queue(floor.workspace, target_workers="skill == 'law'")
    floor.task(workflow=factories.workflow(floor.workspace, default=theirs))
    shown = waiting.load_queue_panel(
        floor.alice.worker, Selection(queue=theirs.sid), now=timezone.now()
    )
    assert (shown.total, shown.chosen, shown.queues) == (0, None, [floor.queue])


def test_a_row_that_cannot_be_grabbed_shows_the_reason_and_has_keyboard_focus(
    floor: Floor,
) -> None:
    task = floor.task()
    button = re.compile(rf'<button[^>]*id="grab-{task.sid}"[^>]*>')
    free = button.search(floor.alice.get("panels/queue"))
    assert free is not None
    assert "disabled" not in free[0]
    barred = button.search(floor.bob.get("panels/queue"))
    assert barred is not None
    assert 'aria-disabled="true"' in barred[0]
    assert f"why-{task.sid}" in barred[0]
    assert Refusal.WORKER_UNAVAILABLE.words in floor.bob.get("panels/queue")


def test_the_panel_names_the_time_when_a_task_becomes_grabbable(floor: Floor) -> None:
    task_queues.update_task_queue(
        queue=floor.queue,
        grab_policy=GrabPolicy.WAITED,
        grab_after=60,
        actor=SYSTEM,
        now=factories.NOW,
    )
    now = timezone.now()
    floor.task(now=now - timedelta(seconds=20))
    shown = waiting.load_queue_panel(floor.alice.worker, now=now)
    assert shown.rows[0].refusal == Refusal.GRAB_NOT_ALLOWED
    assert shown.refresh_at == now + timedelta(seconds=40)
    assert (
        waiting.load_queue_panel(floor.alice.worker, now=shown.refresh_at).rows[0].refusal is None
    )


@pytest.mark.parametrize("policy", list(GrabPolicy))
def test_the_button_and_the_grab_itself_agree(floor: Floor, policy: GrabPolicy) -> None:
    now = timezone.now()
    task_queues.update_task_queue(
        queue=floor.queue,
        grab_policy=policy,
        grab_limit=2,
        grab_after=60,
        actor=SYSTEM,
        now=factories.NOW,
    )
    picky = factories.workflow(
        floor.workspace,
        factories.filter_(
            "a == 1", factories.target(floor.queue, grab_expression="worker.sid == 'x'")
        ),
        default=floor.queue,
    )
    for age in (90, 70, 50, 30):
        floor.task(now=now - timedelta(seconds=age), workflow=floor.workflow)
    floor.task(now=now, attributes={"a": 1}, workflow=picky)
    grabber = workers.load_worker(floor.alice.worker.pk)
    rows = waiting.load_queue_panel(floor.alice.worker, now=now).rows
    tasks = [models.Task.objects.get(sid=row.card.sid) for row in rows]
    assert [row.refusal for row in rows] == [
        requirements.find_grab_refusal(task, grabber, now=now) for task in tasks
    ]
    assert len(rows) == 5


# --- Budgets ------------------------------------------------------------------------------------

OVERHEAD = 3  # the session, the user, their workers


@pytest.mark.parametrize(
    # The queue's has two more within the transaction of a test, where no worker is cached.
    ("panel", "queries"),
    [("presence", 3), ("offers", 1), ("tasks", 1), ("queue", 10)],
)
def test_the_number_of_queries_of_a_panel_does_not_depend_on_what_it_shows(
    floor: Floor, django_assert_num_queries: NumQueries, panel: str, queries: int
) -> None:
    factories.set_capacity(floor.alice.worker, configured_capacity=20)
    floor.task(attributes={"n": 0})
    floor.alice.get(f"panels/{panel}")
    with django_assert_num_queries(OVERHEAD + queries):
        floor.alice.get(f"panels/{panel}")
    task_queues.update_task_queue(
        queue=floor.queue, grab_policy=GrabPolicy.OLDEST, actor=SYSTEM, now=factories.NOW
    )
    for _ in range(4):
        factories.queue(floor.workspace)
        floor.accepted()
        floor.offered()
    for _ in range(30):
        floor.task(attributes={"n": 1})
    with django_assert_num_queries(OVERHEAD + queries):
        floor.alice.get(f"panels/{panel}")


def test_a_long_list_takes_two_more_queries(
    floor: Floor, django_assert_num_queries: NumQueries
) -> None:
    for _ in range(51):
        floor.task()
    floor.alice.get("panels/queue")
    with django_assert_num_queries(OVERHEAD + 12):
        floor.alice.get("panels/queue")
