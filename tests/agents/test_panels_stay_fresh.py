"""After every change, each panel that looks different was named as stale.

Every panel of every agent is rendered before and after; in between, what was published is caught.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

from agents import consumers, dashboard, frames, served_queues
from agents.dashboard import Panel
from routing import groups, models
from routing.actions import dismissals
from routing.core.event_catalog import EventType
from routing.core.vocabulary import Audience
from routing.events import courier
from tests import factories
from tests.agents.changes import CHANGES, NOW
from tests.agents.conftest import Desk, Floor


class Recorder:
    """A channel layer that remembers what was published to which group."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.published.append((group, message))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Listen to everything that is published."""
    recorder = Recorder()
    monkeypatch.setattr(courier, "get_channel_layer", lambda: recorder)
    return recorder


def draw_panels(desk: Desk) -> dict[Panel, str]:
    """Return each panel as it would be drawn; the clock stands still."""
    worker = models.Worker.objects.select_related("workspace", "activity").get(pk=desk.worker.pk)
    context = {"workspace": worker.workspace, "here": "?", "desk_url": "/agent/"}
    return {
        panel: render_to_string(
            f"agents/_{panel.value}.html", context | dashboard.load_panel(panel, worker, now=NOW)
        )
        for panel in Panel
    }


def groups_of(desk: Desk) -> set[str]:
    """Return the groups that this desk's socket is in."""
    queues = served_queues.load_served_queues(desk.worker).queues
    return {
        groups.worker_group(desk.worker.sid),
        groups.workspace_group(desk.worker.workspace.sid),
        *(groups.task_queue_group(queue.sid) for queue in queues),
    }


def parse(frame: str | None) -> Any:
    """Return a frame's content; None where there is no frame."""
    return None if frame is None else json.loads(frame)


def list_stale_panels(desk: Desk, before: set[str], recorder: Recorder) -> set[str]:
    """Return the panels that the frames of a desk's socket name as stale."""
    stale: set[str] = set()
    served = served_queues.load_served_queues(desk.worker)
    causes = consumers.REJOIN_BY_LOAD if served.by_load else consumers.REJOIN
    refreshes_groups = False
    for group, message in recorder.published:
        if group in before:
            frame = parse(frames.build_event_frame(message, worker_sid=desk.worker.sid))
            stale |= set(frame["stale"]) if frame else set()
            own = frames.is_own(message, worker_sid=desk.worker.sid)
            refreshes_groups |= own and message["event_type"] in causes
    if refreshes_groups and groups_of(desk) != before:
        stale.add(Panel.QUEUE)
    return stale


@pytest.mark.parametrize("change", CHANGES, ids=lambda function: function.__name__)
def test_a_frame_names_every_panel_that_has_changed(
    floor: Floor,
    recorder: Recorder,
    change: Callable[[Floor], Callable[[], Any]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    act = change(floor)
    desks = {"Alice": floor.alice, "Bob": floor.bob}
    for desk in desks.values():
        dismissals.begin_list(worker=desk.worker, now=NOW - timedelta(hours=1))
    before = {name: draw_panels(desk) for name, desk in desks.items()}
    joined = {name: groups_of(desk) for name, desk in desks.items()}
    recorder.published.clear()
    with django_capture_on_commit_callbacks(execute=True):
        act()
    changed_anything = False
    for name, desk in desks.items():
        after = draw_panels(desk)
        changed = {panel for panel in Panel if after[panel] != before[name][panel]}
        changed_anything |= bool(changed)
        assert changed <= list_stale_panels(desk, joined[name], recorder), name
    assert changed_anything


def test_events_of_another_workspace_reach_no_desk_here(
    floor: Floor, recorder: Recorder, django_capture_on_commit_callbacks: Any
) -> None:
    elsewhere = factories.workspace()
    factories.worker(elsewhere)
    joined = groups_of(floor.alice)
    with django_capture_on_commit_callbacks(execute=True):
        factories.accepted(elsewhere)
    assert recorder.published
    assert not list_stale_panels(floor.alice, joined, recorder)
    assert joined.isdisjoint(group for group, _ in recorder.published)


def test_every_event_that_reaches_desks_makes_a_panel_stale() -> None:
    for event_type in EventType:
        if event_type.spec.audience - {Audience.FLOOR}:
            assert dashboard.PANELS.get(event_type), (
                f"{event_type} reaches desks, so PANELS of agents/dashboard.py must name its panels"
            )


def test_a_colleague_s_offer_makes_only_the_queue_panel_stale() -> None:
    message = {
        "type": "routing.event",
        "event_type": "reservation.created",
        "task_sid": "WT1",
        "worker_sid": "WK1",
        "reservation_sid": "WR1",
        "task_queue_sid": "WQ1",
    }
    assert parse(frames.build_event_frame(message, worker_sid="WK1")) == {
        "event": "reservation.created",
        "task_sid": "WT1",
        "task_queue_sid": "WQ1",
        "reservation_sid": "WR1",
        "stale": ["offers", "presence", "queue"],
    }
    assert parse(frames.build_event_frame(message, worker_sid="WK2")) == {
        "event": "reservation.created",
        "task_queue_sid": "WQ1",
        "stale": ["queue"],
    }
