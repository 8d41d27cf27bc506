"""Cards: a task's title, customer and attributes as an agent reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents import cards
from routing import models, task_layouts


def card(attributes: dict[str, Any], channel: str = "chat", **layout: str) -> cards.Card:
    """Return the card of an unsaved task, in a workspace with this layout."""
    return cards.build_card(
        models.Task(
            attributes=json.dumps(attributes),
            task_channel=models.TaskChannel(friendly_name=channel.title(), unique_name=channel),
        ),
        task_layouts.load_layout(models.Workspace(**layout)),
    )


@pytest.mark.parametrize(
    ("attributes", "title", "person"),
    [
        ({}, "Chat task", ""),
        ({"subject": "Refund", "name": "Ida"}, "Refund", "Ida"),
        ({"customer": {"name": "Ida", "id": 7}}, "Ida", ""),
        ({"title": "  ", "subject": "Refund"}, "Refund", ""),
        ({"subject": ["no", "text"], "from": "+49 30 1"}, "+49 30 1", ""),
        ({"subject": True, "topic": 42}, "42", ""),
    ],
)
def test_a_title_is_found_under_its_usual_attribute_names(
    attributes: dict[str, Any], title: str, person: str
) -> None:
    found = card(attributes)
    assert (found.title, found.person) == (title, person)


def test_each_attribute_is_listed_once_on_a_line_of_its_own() -> None:
    found = card(
        {
            "subject": "Refund",
            "order_id": 17,
            "customer": {"name": "Ida", "address": {"city": "Oslo"}},
            "tags": ["a", "b"],
            "vip": True,
            "none": None,
            "deep": [{"x": 1}],
        }
    )
    assert [(line.name, line.value) for line in found.attributes] == [
        ("order id", "17"),
        ("customer › address › city", "Oslo"),
        ("tags", "a, b"),
        ("vip", "yes"),
        ("none", "—"),
        ("deep", '[{"x": 1}]'),
    ]


def test_only_web_mail_and_telephone_addresses_become_links() -> None:
    page, mail = "https://example.org/1", "ada.l+1@mail.example.org"
    found = card({"a": page, "b": mail, "c": "+49 (30) 123-45"})
    assert [line.link for line in found.attributes] == [page, f"mailto:{mail}", "tel:+493012345"]
    found = card({"a": "javascript:alert(1)", "b": "ftp://example", "c": "a@b", "d": "4930123456"})
    assert [line.link for line in found.attributes] == ["", "", "", ""]


def test_long_values_and_long_lists_are_cut() -> None:
    found = card({"text": "x" * 4000} | {f"k{number}": number for number in range(60)})
    assert len(found.attributes) == cards.MOST_ATTRIBUTES + 1
    assert found.attributes[0].value == "x" * (cards.LONGEST_ATTRIBUTE - 1) + "…"


def test_a_shortened_title_is_complete_among_the_attributes() -> None:
    found = card({"subject": "y" * 200})
    assert found.title.endswith("…")
    assert found.attributes[0].value == "y" * 200


@pytest.mark.parametrize(("channel", "icon"), [("voice", "voice"), ("custom1", "default")])
def test_every_channel_has_an_icon_beside_its_name(channel: str, icon: str) -> None:
    shown = card({}, channel).channel
    assert (shown.name, shown.icon) == (channel.title(), icon)
