"""Everything of TaskRouter's API is here too, or its absence is listed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.compatibility import comparison, lifecycle
from tests.compatibility.comparison import ABSENT, Fact
from tests.compatibility.page import render_page

THEIRS = comparison.reference_operations()
OURS = comparison.our_operations()
SHAPES = comparison.reference_shapes()


def test_the_facts_of_the_reference_are_complete() -> None:
    assert len(THEIRS) == 61
    assert len({fact.head.split(" ")[1] for fact in THEIRS}) == 37


@pytest.mark.parametrize("fact", THEIRS, ids=lambda fact: fact.head)
def test_an_operation_has_every_parameter_of_the_reference(fact: Fact) -> None:
    operation = OURS[comparison.path_without_names(fact.head)]
    ours = {name: (kind, must) for name, kind, must, _ in comparison.our_parameters(operation)}
    for name, kind in fact.names.items():
        bare = name.removesuffix("*")
        if (fact.head, bare) in ABSENT:
            assert bare not in ours
            continue
        assert bare in ours
        mine, must = ours[bare]
        comparison.kind_difference(mine, kind)
        assert must == name.endswith("*"), bare


@pytest.mark.parametrize("fact", THEIRS, ids=lambda fact: fact.head)
def test_an_operation_answers_with_every_property_of_the_reference(fact: Fact) -> None:
    operation = OURS[comparison.path_without_names(fact.head)]
    status, key, mine = comparison.our_answer(operation)
    told = re.fullmatch(r"(\d+)(?: (\w+))?(?: in (\w+))?( with ETag)?", fact.answers)
    assert told is not None
    assert (status, key) == (int(told[1]), told[3])
    assert not told[4] or operation.view.shape.versioned
    if told[2] is None:
        return
    for name, kind in SHAPES[told[2]].names.items():
        property_: dict[str, Any] = mine["properties"][name]
        comparison.kind_difference(comparison.kind_of_schema(property_), kind)
        if kind.startswith("links"):
            assert set(kind.split()[1:]) <= property_["properties"].keys()


def test_every_listed_absence_is_in_the_reference() -> None:
    named = {(fact.head, name.removesuffix("*")) for fact in THEIRS for name in fact.names}
    assert ABSENT.keys() <= named


def test_the_compatibility_page_is_current() -> None:
    assert comparison.PAGE.read_text() == render_page(), "run `make docs`"


def test_the_lifecycle_page_is_drawn_from_the_tables() -> None:
    assert lifecycle.PAGE.read_text() == lifecycle.render_page(), "run `make docs`"
