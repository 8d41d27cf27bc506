"""Many workers at once: selected in the list, all changed or none, with a summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from routing import models
from tests import factories
from tests.admin.visitors import Answer, Visitor, words

Happened = Callable[[], list[str]]
KEPT = "reserved_for_manual"


@pytest.fixture
def team(workspace: models.Workspace) -> list[models.Worker]:
    """Return three workers of workspace A."""
    return [factories.worker(workspace, name) for name in ("Dora", "Emil", "Fritz")]


def act(visitor: Visitor, action: str, workers: list[models.Worker], **fields: Any) -> Answer:
    """Choose an action for these workers."""
    chosen = {"action": action, "_selected_action": [worker.pk for worker in workers]}
    return visitor.post("routing_worker_changelist", **chosen | fields)


def on(workspace: models.Workspace, channel: str, **fields: str) -> dict[str, str]:
    """Return the form fields of a channel: `capacity`, `switch`, `kept`."""
    names = {"capacity": "configured_capacity", "switch": "available", "kept": KEPT}
    pk = factories.channel(workspace, channel).pk
    return {f"{names[name]}_{pk}": value for name, value in fields.items()}


def capacities(workers: list[models.Worker]) -> list[int]:
    return [factories.worker_channel(worker).configured_capacity for worker in workers]


def test_the_intermediate_page_asks_for_channel_and_capacity(
    alice: Visitor, workspace: models.Workspace, team: list[models.Worker]
) -> None:
    answer = act(alice, "set_capacity", team)
    assert "Set capacity of 3 workers" in words(answer)
    assert "Dora, Emil, Fritz" in words(answer)
    assert capacities(team) == [1, 1, 1]


def test_a_capacity_is_set_for_all_of_them_in_one_go(
    alice: Visitor,
    workspace: models.Workspace,
    team: list[models.Worker],
    recorded_events: Happened,
) -> None:
    factories.set_capacity(team[2], "chat", configured_capacity=3)
    recorded_events()
    answer = act(alice, "set_capacity", team, apply="1", **on(workspace, "chat", capacity="3"))
    assert capacities(team) == [3, 3, 3]
    assert recorded_events() == ["worker.capacity.update"] * 2
    assert "changed: Dora, Emil. 1 of 3 had that already." in words(answer)


def test_setting_several_channels_at_once_leaves_the_others_unchanged(
    alice: Visitor,
    workspace: models.Workspace,
    team: list[models.Worker],
    recorded_events: Happened,
) -> None:
    recorded_events()
    entered = on(workspace, "chat", capacity="3") | on(workspace, "sms", capacity="6", kept="2")
    answer = act(alice, "set_capacity", team, apply="1", **entered)
    for worker in team:
        held = {c.task_channel.unique_name: c for c in worker.channels.select_related()}
        assert held["chat"].configured_capacity == 3
        assert (held["sms"].configured_capacity, held["sms"].reserved_for_manual) == (6, 2)
        assert held["voice"].configured_capacity == 1
    assert recorded_events() == ["worker.capacity.update"] * 6
    assert "Chat: capacity 3 – changed: Dora, Emil, Fritz." in words(answer)
    assert "SMS: capacity 6, kept for grabbing 2 – changed: Dora, Emil, Fritz." in words(answer)


def test_switch_and_kept_slots_are_set_without_touching_the_capacity(
    alice: Visitor, workspace: models.Workspace, team: list[models.Worker]
) -> None:
    act(alice, "set_capacity", team, apply="1", **on(workspace, "chat", switch="off", kept="1"))
    assert capacities(team) == [1, 1, 1]
    channels = [factories.worker_channel(worker) for worker in team]
    assert {(c.available, c.reserved_for_manual) for c in channels} == {(False, 1)}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"capacity": "51"}, "less than or equal to 50"),
        ({}, "Enter what to change"),
        ({"switch": "perhaps"}, "Select a valid choice"),
    ],
)
def test_an_invalid_entry_shows_the_page_again_and_changes_no_worker(
    alice: Visitor,
    workspace: models.Workspace,
    team: list[models.Worker],
    recorded_events: Happened,
    fields: dict[str, str],
    why: str,
) -> None:
    recorded_events()
    entered = on(workspace, "chat", **fields)
    assert why in words(act(alice, "set_capacity", team, apply="1", **entered))
    assert recorded_events() == []


def test_all_workers_of_the_list_can_be_selected(
    alice: Visitor, workspace: models.Workspace, team: list[models.Worker]
) -> None:
    answer = act(alice, "set_capacity", team[:1], select_across="1")
    assert "of 3 workers" in words(answer)
    act(
        alice,
        "set_capacity",
        team[:1],
        select_across="1",
        apply="1",
        **on(workspace, "chat", capacity="5"),
    )
    assert capacities(team) == [5, 5, 5]


def test_workers_of_two_workspaces_cannot_be_changed_together(
    olga: Visitor, other: models.Workspace, team: list[models.Worker]
) -> None:
    answer = act(olga, "set_capacity", [team[0], factories.worker(other)])
    assert "one workspace at a time" in words(answer)


def test_an_activity_is_set_for_all_of_them(
    alice: Visitor,
    workspace: models.Workspace,
    team: list[models.Worker],
    recorded_events: Happened,
) -> None:
    offline = factories.activity(workspace, "Offline")
    recorded_events()
    answer = act(alice, "set_activity", team, apply="1", activity=offline.pk)
    assert recorded_events() == ["worker.activity.update"] * 3
    assert "changed: Dora, Emil, Fritz." in words(answer)


def test_one_open_offer_keeps_all_of_them_where_they_are(
    alice: Visitor,
    workspace: models.Workspace,
    team: list[models.Worker],
    recorded_events: Happened,
) -> None:
    offer = factories.offered(workspace)
    offline = factories.activity(workspace, "Offline")
    recorded_events()
    answer = act(alice, "set_activity", team, apply="1", activity=offline.pk)
    assert "pending reservations" in words(answer)
    assert recorded_events() == []

    act(
        alice,
        "set_activity",
        team,
        apply="1",
        activity=offline.pk,
        reject_pending_reservations="on",
    )
    assert factories.status(offer) == "rejected"
    assert recorded_events().count("worker.activity.update") == 3
