"""The waiting list: its order, its filters and their counts, the search, and shared reasons."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from agents import waiting, waiting_tasks
from agents.selections import Selection, parse_selection
from routing import models
from routing.actions import task_queues
from routing.actors import SYSTEM
from routing.core.vocabulary import GrabPolicy, QueueOrder
from routing.snapshots import requirements, workers
from tests import factories
from tests.agents.conftest import Floor


@pytest.fixture
def now() -> datetime:
    """Return the present."""
    return timezone.now()


def titles(floor: Floor, now: datetime, **selected: str) -> list[str]:
    """Return the titles of Alice's waiting list."""
    selection = parse_selection(selected)
    shown = waiting.load_queue_panel(floor.alice.worker, selection, now=now)
    return [row.card.title for row in shown.rows]


def add(floor: Floor, title: str, now: datetime, *, age: int = 0, **given: object) -> models.Task:
    """Make a task that has waited for some seconds."""
    given = {"attributes": {"title": title}} | given
    return floor.task(now=now - timedelta(seconds=age), **given)


def test_the_list_has_the_order_in_which_the_router_serves(floor: Floor, now: datetime) -> None:
    add(floor, "old", now, age=90)
    add(floor, "urgent", now, age=10, priority=5)
    add(floor, "young", now, age=20)
    assert titles(floor, now) == ["urgent", "old", "young"]
    assert titles(floor, now, order="age") == ["old", "young", "urgent"]


def test_a_lifo_queue_is_listed_newest_first(floor: Floor, now: datetime) -> None:
    lifo = factories.queue(floor.workspace, task_order=QueueOrder.LIFO)
    workflow = factories.workflow(floor.workspace, default=lifo)
    for age in range(60, 0, -1):
        add(floor, f"{age} s", now, age=age, workflow=workflow)
    assert titles(floor, now, queue=lifo.sid)[:3] == ["1 s", "2 s", "3 s"]
    assert titles(floor, now, queue=lifo.sid, order="age")[:3] == ["60 s", "59 s", "58 s"]


def test_an_urgent_task_leads_a_list_that_is_cut(floor: Floor, now: datetime) -> None:
    for number in range(55):
        add(floor, f"old {number}", now, age=100)
    add(floor, "urgent", now, priority=5)
    assert titles(floor, now)[0] == "urgent"
    assert len(titles(floor, now)) == 50
    assert "urgent" not in titles(floor, now, order="age")


def test_channels_are_chips_with_the_number_of_waiting_tasks(floor: Floor, now: datetime) -> None:
    for channel in ("chat", "chat", "sms"):
        add(floor, channel, now, channel=channel)
    panel = floor.alice.get("panels/queue")
    chips = re.findall(r'id="channel-.*?</svg>(\w+) <span class="chip__count">(\d+)<', panel)
    assert chips == [("SMS", "1"), ("Chat", "2")]
    sms = floor.workspace.task_channels.get(unique_name="sms")
    assert titles(floor, now, channel=sms.sid) == ["sms"]
    shown = floor.alice.get("panels/queue", channel=sms.sid)
    assert re.findall(r'chip__count">(\d+)<', shown)[:2] == ["1", "2"], "counts stay"
    assert shown.count('aria-current="true"') == 2, "the channel, and the order"


def test_a_channel_s_tasks_are_found_behind_a_backlog_of_another(
    floor: Floor, now: datetime
) -> None:
    for number in range(55):
        add(floor, f"chat {number}", now, age=100)
    add(floor, "the only sms", now, channel="sms")
    sms = floor.workspace.task_channels.get(unique_name="sms")
    shown = waiting.load_queue_panel(floor.alice.worker, Selection(channel=sms.sid), now=now)
    assert [row.card.title for row in shown.rows] == ["the only sms"]
    assert shown.total == 1


def test_queues_carry_the_number_of_their_waiting_tasks(floor: Floor, now: datetime) -> None:
    other = factories.queue(floor.workspace, friendly_name="Other")
    add(floor, "one", now)
    add(floor, "two", now, workflow=factories.workflow(floor.workspace, default=other))
    for selection in (Selection(), Selection(queue=other.sid)):
        shown = waiting.load_queue_panel(floor.alice.worker, selection, now=now)
        assert [(chip.name, chip.count) for chip in shown.queue_chips] == [
            ("All queues", None),
            ("Chats", 1),
            ("Other", 1),
        ]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ada", ["parcel"]),
        ("ADA byron", ["parcel"]),
        ("byron ada", ["parcel"]),
        ("4711", ["parcel"]),
        ("ada bob", []),
        ("customer", []),
        ("müller", ["invoice"]),
        ("  ", ["invoice", "parcel"]),
        ("%", []),
    ],
)
def test_tasks_are_found_by_words_of_their_attributes(
    floor: Floor, now: datetime, search: str, found: list[str]
) -> None:
    add(
        floor, "", now, attributes={"title": "parcel", "customer": {"name": "Ada Byron"}, "n": 4711}
    )
    add(floor, "", now, attributes={"title": "invoice", "names": ["Jörg", "Müller"]})
    assert sorted(titles(floor, now, search=search)) == found
    if not found:
        assert f"No waiting task matches “{search}”" in floor.alice.get(
            "panels/queue", search=search
        )


def test_a_search_reads_a_limited_number_of_tasks_and_says_so(
    floor: Floor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (waiting, waiting_tasks):
        monkeypatch.setattr(module, "MOST_SEARCHED", 3)
    for number in range(4):
        add(floor, f"task {number}", now, age=100 - number)
    assert titles(floor, now, search="task") == ["task 0", "task 1", "task 2"]
    panel = floor.alice.get("panels/queue", search="task")
    assert "Only the 3 oldest tasks were searched." in panel
    assert "Only the" not in floor.alice.get("panels/queue")


def test_a_reason_that_holds_for_all_rows_is_shown_once(floor: Floor, now: datetime) -> None:
    for number in range(3):
        add(floor, f"task {number}", now)
    words = "Your activity does not take work."
    panel = floor.bob.get("panels/queue")
    assert panel.count(words) == 1
    assert panel.count("why-all") == 4, "the line, and the description of each button"
    assert words not in floor.alice.get("panels/queue")


def test_reasons_that_differ_are_shown_on_their_rows(floor: Floor, now: datetime) -> None:
    factories.set_capacity(floor.alice.worker, "sms", configured_capacity=0)
    add(floor, "chat", now)
    add(floor, "sms", now, channel="sms")
    panel = floor.alice.get("panels/queue")
    assert "why-all" not in panel
    assert panel.count("row__why") == 1


@pytest.mark.parametrize("search", ["", "task"])
def test_the_button_agrees_with_the_grab_in_a_list_that_is_cut(
    floor: Floor, now: datetime, search: str
) -> None:
    task_queues.update_task_queue(
        queue=floor.queue, grab_policy=GrabPolicy.OLDEST, grab_limit=2, actor=SYSTEM, now=now
    )
    for number in range(54):
        add(floor, f"task {number}", now, age=100 - number)
    add(floor, "urgent task", now, priority=5)
    shown = waiting.load_queue_panel(floor.alice.worker, Selection(search=search), now=now)
    alice = workers.load_worker(floor.alice.worker.pk)
    tasks = [models.Task.objects.get(sid=row.card.sid) for row in shown.rows]
    assert [row.refusal for row in shown.rows] == [
        requirements.find_grab_refusal(task, alice, now=now) for task in tasks
    ]
    assert [row.refusal is None for row in shown.rows[:4]] == [False, True, True, False]
