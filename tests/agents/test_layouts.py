"""The layout of a workspace: title, subtitle, order, labels and hidden attributes of its tasks."""

from __future__ import annotations

import json
from typing import Any, Unpack

import pytest
from django.utils import timezone

from routing.actions import reservations, workspaces
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Floor
from tests.agents.test_cards import card

CALL: dict[str, Any] = {
    "subject": "Refund",
    "order": {"number": "CB-17", "note": "Fragile"},
    "customer": {"name": "Ida", "risk": "high"},
    "vip": True,
}


def lines(**layout: str) -> list[tuple[str, str]]:
    """Return the names and values of the attributes on the card of a call."""
    return [(line.name, line.value) for line in card(CALL, **layout).attributes]


@pytest.mark.parametrize(
    ("layout", "title", "person"),
    [
        ({"title_attributes": "order.number"}, "CB-17", "Ida"),
        ({"title_attributes": "absent\norder.note"}, "Fragile", "Ida"),
        ({"title_attributes": "absent"}, "Refund", "Ida"),
        ({"subtitle_attributes": "order.number"}, "Refund", "CB-17"),
        ({"title_attributes": "customer", "subtitle_attributes": "subject"}, "Ida", "Refund"),
        ({"hidden_attributes": "subject"}, "Ida", ""),
        ({"hidden_attributes": "subject\ncustomer"}, "Chat task", ""),
    ],
)
def test_a_layout_names_the_attributes_of_title_and_subtitle(
    layout: dict[str, str], title: str, person: str
) -> None:
    found = card(CALL, **layout)
    assert (found.title, found.person) == (title, person)


def test_labelled_attributes_come_first_in_the_order_of_the_layout() -> None:
    assert lines(attribute_labels="vip = VIP\norder.number = Order\ncustomer.risk") == [
        ("VIP", "yes"),
        ("Order", "CB-17"),
        ("customer › risk", "high"),
        ("order › note", "Fragile"),
    ]


def test_the_label_of_an_object_stands_before_the_names_within() -> None:
    assert lines(attribute_labels="order = Purchase")[:2] == [
        ("Purchase › number", "CB-17"),
        ("Purchase › note", "Fragile"),
    ]


def test_a_hidden_attribute_is_left_out_with_all_below_it() -> None:
    assert lines(hidden_attributes="order\ncustomer.risk") == [("vip", "yes")]
    listed = card({"items": [{"name": "Pen", "cost": 7}]}, hidden_attributes="items.cost")
    assert listed.attributes[0].value == '[{"name": "Pen"}]'


def change_layout(floor: Floor, **layout: Unpack[workspaces.WorkspaceChanges]) -> None:
    """Change the layout of the floor's workspace."""
    workspaces.update_workspace(
        workspace=floor.workspace, actor=SYSTEM, now=factories.NOW, **layout
    )


def test_no_page_of_the_desk_has_a_hidden_attribute_and_all_name_tasks_alike(floor: Floor) -> None:
    floor.alice.get()  # begins the list of what happened
    change_layout(floor, hidden_attributes="customer.risk", title_attributes="order.number")
    held = floor.accepted(attributes=CALL)
    offer = floor.offered(attributes=CALL)
    workspaces.update_workspace(
        workspace=floor.workspace, rejection_reasons="Other", actor=SYSTEM, now=factories.NOW
    )
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())
    pending = floor.offered(attributes=CALL)
    floor.task(attributes=CALL)
    sid = held.task.sid
    for path in ("", "day", f"day/{sid}", f"transfer/{sid}", f"reject/{pending.sid}"):
        page = floor.alice.get(path)
        assert "CB-17" in page
        assert "high" not in page
    assert "accepted “CB-17” for you" in floor.alice.get("panels/happened")


def test_a_search_finds_nothing_by_a_hidden_attribute(floor: Floor) -> None:
    for _ in range(2):
        floor.accepted(attributes=CALL)
    floor.task(attributes=CALL)
    assert "matches" not in floor.alice.get("panels/tasks", find="high")
    assert "matches" not in floor.alice.get("panels/queue", search="high")
    change_layout(floor, hidden_attributes="customer.risk")
    assert "matches" in floor.alice.get("panels/tasks", find="high")
    assert "matches" in floor.alice.get("panels/queue", search="high")
    assert "matches" not in floor.alice.get("panels/queue", search="fragile")


def test_a_changed_layout_changes_every_panel_that_names_tasks(floor: Floor) -> None:
    floor.accepted(attributes=json.loads('{"subject": "Refund", "order": "CB-1"}'))
    assert "CB-1</h3>" not in floor.alice.get("panels/tasks")
    change_layout(floor, title_attributes="order")
    assert "CB-1</h3>" in floor.alice.get("panels/tasks")
