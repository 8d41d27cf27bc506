"""The page of one task: its head, its explanation and its story."""

from __future__ import annotations

from django.utils import timezone

from routing.actions import reservations, tasks
from routing.actors import Actor
from supervisors import fragments
from tests import factories
from tests.supervisors.conftest import Cockpit


def test_the_head_shows_status_holder_and_attributes_in_full(cockpit: Cockpit) -> None:
    held = factories.accepted(
        cockpit.workspace,
        workflow=cockpit.workflow,
        attributes={"title": "Parcel", "note": "<script>"},
    )
    text = cockpit.read(f"tasks/{held.task.sid}")
    for part in ("Parcel", "In work", "Ada", "Chats", "&lt;script&gt;"):
        assert part in text
    assert "<script>" not in text.split('id="content"')[1]


def test_the_explanation_gives_each_worker_one_reason(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    text = cockpit.read("panels/explanation", task=task.sid)
    assert "Will be offered to Ada" in text
    assert "The router asks this worker as number 1." in text
    assert "activity does not take work" in text
    assert "2 agents" in text


def test_the_workers_are_filtered_by_reason_and_paged(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    for number in range(30):
        factories.worker(cockpit.workspace, f"Away {number:02}", available=False)
    text = cockpit.read("panels/explanation", task=task.sid, reason="worker_unavailable", size=25)
    assert "as number 1" not in text
    assert text.count('class="list__row" id="verdict-') == 25
    assert "after=25" in text
    fragments.forget_fragments()
    text = cockpit.read(
        "panels/explanation", task=task.sid, reason="worker_unavailable", size=25, after=25
    )
    assert text.count('class="list__row" id="verdict-') == 6


def test_the_story_has_all_events_in_order_with_their_actor(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow, priority=3)
    factories.run(cockpit.workspace, timezone.now())
    offer = factories.reservation(task)
    reservations.reject_reservation(
        reservation=offer, actor=Actor(type="worker", sid=cockpit.ada.sid), now=timezone.now()
    )
    text = cockpit.read("panels/story", task=task.sid)
    parts = (
        "Created with priority 3.",
        "Entered the queue Chats.",
        "Offered to Ada.",
        "Ada rejected it.",
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "the router" in text


def test_moments_are_in_the_time_zone_of_the_view(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow, now=factories.NOW)
    assert "2026-03-02 12:00:00" in cockpit.read("panels/story", task=task.sid, tz="UTC")
    assert "2026-03-02 21:00:00" in cockpit.read("panels/story", task=task.sid, tz="Asia/Tokyo")


def test_the_story_shows_old_and_new_values_and_who_changed_them(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow, priority=3)
    tasks.update_task(
        task=task,
        priority=8,
        actor=Actor(type="user", sid="lead"),
        now=timezone.now(),
    )
    text = cockpit.read("panels/story", task=task.sid)
    assert "<bdi>3</bdi> → <bdi>8</bdi>" in text
    assert "<bdi>lead</bdi>" in text


def test_panels_of_a_task_without_or_of_another_workspace_are_not_found(cockpit: Cockpit) -> None:
    foreign = factories.task(factories.workspace())
    for name in ("task", "explanation", "story"):
        assert cockpit.get(f"panels/{name}").status_code == 404
        assert cockpit.get(f"panels/{name}", task=foreign.sid).status_code == 404
