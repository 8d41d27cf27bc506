"""The list of the agent's tasks: its order, the search, and compact cards for many tasks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from routing import models
from routing.actions import task_queues
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Floor


def hold(floor: Floor, title: str, now: datetime | None = None, **given: object) -> models.Task:
    """Return a task that Alice has accepted."""
    given = {"attributes": {"title": title, "number": "4711"}} | given
    return floor.accepted(now=now or timezone.now(), **given).task


def titles(floor: Floor, **query: str) -> list[str]:
    """Return the titles of Alice's cards."""
    panel = floor.alice.get("panels/tasks", **query)
    return re.findall(r'<h3 class="card__title"[^>]*>([^<]*)</h3>', panel)


@pytest.fixture
def floor(floor: Floor) -> Floor:
    """Give Alice many slots."""
    for channel in ("chat", "sms"):
        factories.set_capacity(floor.alice.worker, channel, configured_capacity=20)
    return floor


def test_tasks_are_ordered_by_age_deadline_or_channel(floor: Floor) -> None:
    now = timezone.now()
    hurried = factories.queue(floor.workspace, friendly_name="Hurried")
    task_queues.update_task_queue(
        queue=hurried, expected_handling_time=60, actor=SYSTEM, now=factories.NOW
    )
    workflow = factories.workflow(floor.workspace, default=hurried)
    with time_machine.travel(now, tick=False):
        hold(floor, "a chat", workflow=floor.workflow)
        hold(floor, "an sms", channel="sms", workflow=floor.workflow)
        hold(floor, "hurried chat", workflow=workflow)
    assert titles(floor) == ["a chat", "an sms", "hurried chat"]
    assert titles(floor, tasks="deadline") == ["hurried chat", "a chat", "an sms"]
    assert titles(floor, tasks="channel") == ["an sms", "a chat", "hurried chat"]
    assert titles(floor, tasks="nonsense") == titles(floor)


def test_the_end_of_the_wrap_up_is_a_deadline(floor: Floor) -> None:
    task_queues.update_task_queue(
        queue=floor.queue, wrap_up_limit=60, actor=SYSTEM, now=factories.NOW
    )
    hold(floor, "first")
    wrapping = hold(floor, "wrapping")
    floor.alice.press("task.wrap_up", task=wrapping.sid)
    assert titles(floor, tasks="deadline") == ["wrapping", "first"]


def test_tasks_are_found_by_words_of_their_attributes(floor: Floor) -> None:
    hold(floor, "Parcel lost")
    hold(floor, "Invoice wrong")
    assert titles(floor, find="PARCEL 4711") == ["Parcel lost"]
    panel = floor.alice.get("panels/tasks", find="nothing")
    assert "None of your tasks matches “nothing”." in panel
    assert '<span class="count count--calm">2</span>' in panel


def test_one_task_has_no_tools_for_many(floor: Floor) -> None:
    hold(floor, "only one")
    assert "Find my tasks" not in floor.alice.get("panels/tasks")


def test_many_tasks_are_compact_until_the_agent_chooses(floor: Floor) -> None:
    for number in range(6):
        hold(floor, f"task {number}")
    panel = floor.alice.get("panels/tasks")
    assert "tasks--compact" in panel
    assert panel.count("<summary>1 detail</summary>") == 6
    assert "Full cards" in panel
    full = floor.alice.get("panels/tasks", compact="0")
    assert "tasks--compact" not in full
    assert "Compact</a>" in full


def test_a_choice_leaves_the_other_choices_as_they_are(floor: Floor) -> None:
    hold(floor, "one", timezone.now() - timedelta(seconds=9))
    hold(floor, "two")
    panel = floor.alice.get("panels/tasks", tasks="channel", find="o", compact="1")
    links = re.findall(r'href="([^"]*)" data-narrows="tasks"', panel)
    assert len(links) == 4
    for link, changed in zip(links, ("tasks=", "tasks=", "tasks=", "compact="), strict=True):
        kept = {"tasks=channel", "find=o", "compact=1"} - {
            each for each in ("tasks=channel", "compact=1") if each.startswith(changed)
        }
        assert all(each in link for each in kept), link


def test_a_link_of_one_list_keeps_what_is_selected_in_the_other(floor: Floor) -> None:
    for number in range(2):
        hold(floor, f"task {number}")
    page = floor.alice.get(tasks="deadline", order="age", search="ann")
    assert f"{floor.alice.here}&amp;search=ann&amp;order=age&amp;tasks=channel" in page
    assert f"{floor.alice.here}&amp;search=ann&amp;tasks=deadline" in page
    form = page.partition('id="tasks-search"')[0].rpartition("<form")[2]
    assert 'name="search" value="ann"' in form
