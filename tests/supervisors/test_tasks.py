"""The page of tasks: its filters, its orders, its pages, and the limits of a search."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models
from routing.actions import task_transitions
from routing.actors import SYSTEM
from supervisors import fragments, scanning
from supervisors.scanning import ORDERS, Found, Row
from tests import factories
from tests.supervisors.conftest import Cockpit


def add(cockpit: Cockpit, title: str, *, age: int = 0, **given: Any) -> models.Task:
    """Make a waiting task of an age in seconds, with a title."""
    values: dict[str, Any] = {
        "workflow": cockpit.workflow,
        "attributes": {"title": title},
        "now": timezone.now() - timedelta(seconds=age),
    } | given
    return cockpit.task(**values)


def titles(cockpit: Cockpit, **query: Any) -> list[str]:
    """Return the titles of the rows, in their order."""
    fragments.forget_fragments()
    text = cockpit.read("panels/tasks", **query)
    parts = text.split('<th scope="row">')[1:]
    return [part.split("<bdi>")[1].split("</bdi>")[0] for part in parts]


def next_page(cockpit: Cockpit, **query: Any) -> str:
    """Return the place after which the next page begins."""
    text = cockpit.read("panels/tasks", **query)
    return text.split("after=")[1].split("&")[0] if 'rel="next"' in text else ""


def test_a_row_shows_title_person_queue_channel_and_status(cockpit: Cockpit) -> None:
    add(cockpit, "Parcel", attributes={"title": "Parcel", "name": "Mia <b>"}, priority=7)
    text = cockpit.read("tasks")
    for part in ("Parcel", "Mia &lt;b&gt;", "Chats", "Waiting", ">7<"):
        assert part in text
    assert "<b>" not in text


def test_orders_of_waiting_tasks(cockpit: Cockpit) -> None:
    add(cockpit, "old", age=300, timeout=9000)
    add(cockpit, "urgent", age=200, priority=5, timeout=8000)
    add(cockpit, "dying", age=100, timeout=1000)
    assert titles(cockpit) == ["old", "urgent", "dying"]
    assert titles(cockpit, sort="newest") == ["dying", "urgent", "old"]
    assert titles(cockpit, sort="served") == ["urgent", "old", "dying"]
    assert titles(cockpit, sort="lifetime") == ["dying", "urgent", "old"]
    assert titles(cockpit, sort="in_queue") == ["old", "urgent", "dying"]
    assert titles(cockpit, sort="step") == []


def test_a_step_with_a_timeout_is_ordered_by_its_end(cockpit: Cockpit) -> None:
    for name, seconds in (("slow", 500), ("quick", 60)):
        steps = (factories.target(cockpit.queue, timeout=seconds), factories.target(cockpit.queue))
        found = factories.filter_("1 == 1", *steps)
        workflow = factories.workflow(cockpit.workspace, found)
        add(cockpit, name, workflow=workflow)
    assert titles(cockpit, sort="step") == ["quick", "slow"]


@pytest.mark.parametrize("sort", ["oldest", "newest", "served", "lifetime", "in_queue"])
def test_pages_follow_each_other_without_gap_or_double(cockpit: Cockpit, sort: str) -> None:
    for number in range(60):
        add(cockpit, f"t{number}", age=number // 7, priority=number % 3)
    first = titles(cockpit, sort=sort, size=25)
    after = next_page(cockpit, sort=sort, size=25)
    second = titles(cockpit, sort=sort, size=25, after=after)
    last = titles(
        cockpit, sort=sort, size=25, after=next_page(cockpit, sort=sort, size=25, after=after)
    )
    assert (len(first), len(second), len(last)) == (25, 25, 10)
    assert len({*first, *second, *last}) == 60


def test_filters_limit_the_rows(cockpit: Cockpit) -> None:
    other = factories.queue(cockpit.workspace, friendly_name="Mail")
    mails = factories.workflow(cockpit.workspace, default=other)
    add(cockpit, "Parcel lost", age=600, priority=10)
    add(cockpit, "Refund", workflow=mails, attributes={"title": "Refund", "lang": "es"})
    assert titles(cockpit, queue=other.sid) == ["Refund"]
    assert titles(cockpit, queue=other.sid, status="pending") == ["Refund"]
    assert titles(cockpit, workflow=cockpit.workflow.sid) == ["Parcel lost"]
    assert titles(cockpit, priority=">=10") == ["Parcel lost"]
    assert titles(cockpit, priority="0") == ["Refund"]
    assert titles(cockpit, older=300) == ["Parcel lost"]
    assert titles(cockpit, q="PARCEL lost") == ["Parcel lost"]
    assert titles(cockpit, where='task.lang == "es"') == ["Refund"]
    assert titles(cockpit, channel="voice") == []
    assert titles(cockpit, status="assigned") == []
    assert titles(cockpit, worker=cockpit.ben.sid) == []


def test_a_task_in_hand_shows_with_which_agent_it_is(cockpit: Cockpit) -> None:
    held = factories.accepted(
        cockpit.workspace, workflow=cockpit.workflow, attributes={"title": "Held"}
    )
    assert held.worker == cockpit.ada
    assert titles(cockpit, worker=cockpit.ada.sid) == ["Held"]
    assert titles(cockpit, status="assigned") == ["Held"]
    assert "<bdi>Ada</bdi>" in cockpit.read("panels/tasks")


def test_finished_tasks_are_ordered_by_when_they_finished(cockpit: Cockpit) -> None:
    first, second = add(cockpit, "first", age=10), add(cockpit, "second", age=20)
    for place, task in enumerate((first, second)):
        task_transitions.cancel_task(
            task=task,
            reason="gone",
            actor=SYSTEM,
            now=timezone.now() + timedelta(seconds=place),
        )
    add(cockpit, "alive")
    assert titles(cockpit, status="canceled") == ["second", "first"]
    after = next_page(cockpit, status="canceled")
    assert after == ""
    assert titles(cockpit, sort="newest") == ["alive", "first", "second"]
    assert titles(cockpit) == ["alive"]


def test_a_sid_as_text_leads_to_the_task(cockpit: Cockpit) -> None:
    task = add(cockpit, "Parcel")
    answer = cockpit.get("tasks", q=f" {task.sid} ")
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/supervisor/tasks/{task.sid}?")


def test_a_sid_of_another_workspace_leads_nowhere(cockpit: Cockpit) -> None:
    foreign = factories.task(factories.workspace())
    assert "No task matches" in cockpit.read("tasks", q=foreign.sid)
    assert cockpit.get(f"tasks/{foreign.sid}").status_code == 404


def test_an_invalid_expression_is_named_and_ignored(cockpit: Cockpit) -> None:
    add(cockpit, "Parcel")
    text = cockpit.read("tasks", where="language ==")
    assert "is no expression" in text
    assert "Parcel" in text


def test_a_malformed_place_begins_with_the_first_row(cockpit: Cockpit) -> None:
    add(cockpit, "Parcel")
    for after in ("x", "1", "1.2.3", "9" * 18 + ".1", "-.1"):
        assert titles(cockpit, after=after) == ["Parcel"]


def test_an_order_over_too_many_queues_asks_for_a_choice(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cockpit, "Parcel")
    monkeypatch.setattr(scanning, "MOST_PARTS", 0)
    assert "Choose a queue" in cockpit.read("panels/tasks", sort="in_queue")


def test_a_search_ends_at_its_limit_and_goes_on_from_there(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        add(cockpit, f"t{number}", age=100 - number)
    monkeypatch.setattr(scanning, "MOST_ROWS", 4)
    text = cockpit.read("panels/tasks", q="t5")
    assert "Searched the next 4 tasks" in text
    assert titles(cockpit, q="t5") == []
    after = text.split("after=")[1].split("&")[0]
    assert titles(cockpit, q="t5", after=after) == ["t5"]


def test_a_search_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MOST_SECONDS", -1.0)
    row: Any = None

    def load(after: Any, count: int) -> list[tuple[tuple[int, ...], Row | None]]:
        start = after[0] if after else 0
        return [((start + one + 1,), row) for one in range(count)]

    found = scanning.scan_tasks(load, lambda _: True, after=None, size=10)
    assert found == Found(rows=[], next=(11,), looked_at=11, is_cut=True)


def test_queries_do_not_grow_with_the_backlog(cockpit: Cockpit) -> None:
    counts = []
    for number in (3, 40):
        for each in range(number):
            add(cockpit, f"t{each}")
        cockpit.read("tasks")
        fragments.forget_fragments()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            cockpit.read("panels/tasks")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_each_order_has_a_title_and_reads_the_key_of_its_columns(cockpit: Cockpit) -> None:
    from supervisors.tasks import ORDER_TITLES

    assert set(ORDER_TITLES) == set(ORDERS)
    task = add(cockpit, "x")
    values = models.Task.objects.filter(pk=task.pk).values_list(*scanning._COLUMNS).get()
    row = Row._make(values)
    assert json.loads(row.attributes) == {"title": "x"}
    for order in ORDERS.values():
        assert order.name == "finished" or len(order.read(row)) == len(order.columns)


def test_an_address_with_ten_filters_shows_a_colleague_the_same_rows(cockpit: Cockpit) -> None:
    for number in range(12):
        cockpit.task(
            workflow=cockpit.workflow,
            priority=number,
            attributes={"title": f"Parcel {number}", "language": "es" if number % 2 else "de"},
            now=timezone.now() - timedelta(minutes=number),
        )
    query = {
        "status": ["pending", "reserved"],
        "queue": cockpit.queue.sid,
        "workflow": cockpit.workflow.sid,
        "channel": "chat",
        "priority": ">=3",
        "older": "60",
        "q": "parcel",
        "where": 'task.language == "es"',
        "sort": "served",
        "size": "25",
        "tz": "Asia/Tokyo",
    }
    found = []
    for who in ("member", "superuser"):
        text = cockpit.get("tasks", who=who, **query).content.decode()
        found.append([part.split('"')[0] for part in text.split('data-row="')[1:]])
    assert found[0] == found[1]
    assert len(found[0]) == 5
