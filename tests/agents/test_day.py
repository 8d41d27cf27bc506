"""My day: the agent's own figures and last tasks, and nothing of others."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import time_machine
from django.utils import timezone

from agents import day
from routing.actions import workspaces
from routing.actors import SYSTEM
from routing.time_zones import find_zone
from tests import factories
from tests.agents.conftest import Floor

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def text(page: str) -> str:
    """Return a page's text in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_a_day_counts_what_was_handled_missed_rejected_and_grabbed(floor: Floor) -> None:
    factories.set_capacity(floor.alice.worker, configured_capacity=9)
    with time_machine.travel(NOON, tick=False) as clock:
        offers = [floor.offered(), floor.offered()]
        clock.shift(5)
        for offer in offers:
            floor.alice.press("reservation.accept", reservation=offer.sid)
        wrapped, handled = (offer.task for offer in offers)
        grabbed = floor.task()
        floor.alice.press("task.grab", task=grabbed.sid)
        clock.shift(60)
        floor.alice.press("task.wrap_up", task=wrapped.sid)
        clock.shift(40)
        for task in (wrapped, handled):
            floor.alice.press("task.complete", task=task.sid)
        floor.alice.press("reservation.reject", reservation=floor.offered().sid)
        found = day.load_day(floor.alice.worker, now=timezone.now())
        total = found.total
        assert (total.handled, total.rejected, total.grabbed, total.missed) == (2, 1, 1, 0)
        assert (total.average_handle, total.average_wrap_up) == (100, 40)
        # The rejected task is offered again, beside a new one; both offers expire.
        floor.offered()
        clock.shift(3600)
        floor.run()
        assert day.load_day(floor.alice.worker, now=timezone.now()).total.missed == 2


def test_figures_are_given_by_channel(floor: Floor) -> None:
    with time_machine.travel(NOON, tick=False):
        for channel in ("chat", "sms", "sms"):
            factories.set_capacity(floor.alice.worker, channel, configured_capacity=3)
            floor.alice.press("task.complete", task=floor.accepted(channel=channel).task.sid)
        found = day.load_day(floor.alice.worker, now=timezone.now())
    by_name = {channel.name: figures.handled for channel, figures in found.by_channel}
    assert by_name == {"Chat": 1, "SMS": 2}
    assert found.total.handled == 3


def test_the_day_begins_at_midnight_in_the_workspace_s_time_zone(floor: Floor) -> None:
    workspaces.update_workspace(
        workspace=floor.workspace, time_zone="Asia/Tokyo", actor=SYSTEM, now=NOON
    )
    floor.alice.worker.workspace.refresh_from_db()
    # Midnight in Tokyo is 15:00 UTC.
    for hour in (14, 15):
        with time_machine.travel(NOON.replace(hour=hour, minute=30), tick=False):
            floor.alice.press("task.complete", task=floor.accepted().task.sid)
    evening = NOON.replace(hour=16)
    found = day.load_day(floor.alice.worker, zone=find_zone("Asia/Tokyo"), now=evening)
    assert found.total.handled == 1
    assert len(found.tasks) == 2, "the last tasks are those of earlier days too"
    with time_machine.travel(evening, tick=False):
        assert "Since 3 March 2026, 00:00 (Asia/Tokyo)." in text(floor.alice.get("day"))


def test_the_last_tasks_lead_to_their_details(floor: Floor) -> None:
    attributes = {"subject": "Parcel <lost>", "customer": "Ada", "order": 4711}
    task = floor.accepted(attributes=attributes).task
    assert "In hand" in text(floor.alice.get("day"))
    floor.alice.press("task.complete", task=task.sid)
    page = floor.alice.get("day")
    assert "Parcel &lt;lost&gt;" in page
    assert "Completed" in text(page)
    assert f"/agent/day/{task.sid}" in page
    details = text(floor.alice.get(f"day/{task.sid}"))
    for words in ("Ada", "order 4711", "Completed", "Chat"):
        assert words in details


def test_an_outcome_is_shown_by_its_name_and_with_its_note(floor: Floor) -> None:
    factories.outcome_code(floor.workspace, unique_name="sold", friendly_name="Sold it")
    task = floor.accepted().task
    floor.alice.press(
        "task.complete", task=task.sid, outcome_code="sold", outcome_note="Two of them"
    )
    assert "Completed: Sold it" in text(floor.alice.get("day"))
    details = text(floor.alice.get(f"day/{task.sid}"))
    assert "Completed: Sold it" in details
    assert "Two of them" in details


def test_an_agent_sees_only_their_own_tasks(floor: Floor) -> None:
    task = floor.accepted(attributes={"subject": "Secret"}).task
    page = text(floor.bob.get("day"))
    assert "Secret" not in page
    assert "You have accepted no task yet." in page
    path = f"/agent/day/{task.sid}{floor.bob.here}"
    assert floor.bob.client.get(path).status_code == 404
    offered = floor.offered().task
    path = f"/agent/day/{offered.sid}{floor.alice.here}"
    assert floor.alice.client.get(path).status_code == 404, "an offer is not a task of theirs yet"


def test_a_transferred_task_is_listed_as_transferred(floor: Floor) -> None:
    held = floor.accepted()
    factories.transferred(held, factories.worker(floor.workspace, "Zoe"))
    assert "Transferred" in text(floor.alice.get("day"))


def test_a_day_takes_few_queries_however_much_was_done(
    floor: Floor, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        floor.alice.press("task.complete", task=floor.accepted().task.sid)
    with django_assert_max_num_queries(6):
        floor.alice.get("day")
