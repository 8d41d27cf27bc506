"""The layout of tasks at the desk, set by request."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api

GIVEN = {
    "TitleAttributes": " order.subject \n\nsubject",
    "SubtitleAttributes": "customer.name",
    "AttributeLabels": "vip=VIP\norder . number =  Order number\nlanguage =",
    "HiddenAttributes": "customer.risk",
}
STORED = {
    "title_attributes": "order.subject\nsubject",
    "subtitle_attributes": "customer.name",
    "attribute_labels": "vip = VIP\norder.number = Order number\nlanguage",
    "hidden_attributes": "customer.risk",
}


def test_a_workspace_has_a_layout_that_can_be_changed_and_removed(api: Api) -> None:
    made = api.post("/v1/Workspaces", FriendlyName="New", **GIVEN)
    assert {name: made[name] for name in STORED} == STORED
    path = f"/v1/Workspaces/{made['sid']}"
    removed = api.post(path, **dict.fromkeys(GIVEN, ""))
    assert {name: removed[name] for name in STORED} == dict.fromkeys(STORED, "")
    changed = api.post(path, **GIVEN)
    assert {name: changed[name] for name in STORED} == STORED


@pytest.mark.parametrize("field", GIVEN)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("\n".join(f"a{number}" for number in range(51)), "51 lines; at most 50"),
        ("subject\norder..number", "on line 2"),
        (".subject", "such as customer.name"),
        ("a.b.c.d.e.f.g.h.i", "up to 8 names"),
        ("x" * 201, "at most 200 characters"),
        ("subject\nname\nsubject", "'subject' on lines 1 and 3"),
    ],
)
def test_an_invalid_path_is_refused_by_its_line(
    api: Api, root: str, field: str, value: str, words: str
) -> None:
    answer = api.post(root, **{field: value})
    assert (answer.status, answer["code"]) == (400, 20001)
    assert field in answer.message
    assert words in answer.message


def test_a_label_has_at_most_60_characters_and_only_labels_have_them(api: Api, root: str) -> None:
    assert api.post(root, AttributeLabels="order = " + "x" * 60).status == 200
    long = api.post(root, AttributeLabels="vip = VIP\norder = " + "x" * 61)
    assert (long.status, "61 characters on line 2" in long.message) == (400, True)
    labelled = api.post(root, HiddenAttributes="order = Order")
    assert (labelled.status, "on line 1" in labelled.message) == (400, True)
