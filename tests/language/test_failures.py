"""Why a condition is false: the comparisons that fail, and what they read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from tests.properties.strategies import nodes, views
from workflows.expressions import FailedComparison, View, compile_expression, find_failures
from workflows.expressions.nodes import Node
from workflows.expressions.unparser import unparse

Failures = list[tuple[str, dict[str, Any]]]


def failures(source: str, **attributes: Any) -> Failures:
    expression = compile_expression(source, subject="task")
    found = find_failures(
        expression,
        task=View(attributes, {}),
        taskrouter=View({}, {"currentHour": "09"}),
    )
    return [(each.text, dict(each.values)) for each in found]


@pytest.mark.parametrize(
    ("source", "attributes", "expected"),
    [
        ('language == "es"', {"language": "es"}, []),
        (
            'language == "es"',
            {"language": "en"},
            [('task.language == "es"', {"task.language": "en"})],
        ),
        ("vip == true", {}, [("task.vip == true", {"task.vip": None})]),
        (
            'level > 2 AND language == "es" AND vip == true',
            {"level": 3},
            [('task.language == "es"', {"task.language": None})],
        ),
        (
            'level > 2 OR language == "es"',
            {"level": 1, "language": ["es"]},
            [
                ("task.level > 2", {"task.level": 1}),
                ('task.language == "es"', {"task.language": ["es"]}),
            ],
        ),
        (
            "vip == true OR (level > 2 AND level < 9)",
            {"vip": False, "level": 9},
            [
                ("task.vip == true", {"task.vip": False}),
                ("task.level < 9", {"task.level": 9}),
            ],
        ),
        (
            "taskrouter.currentHour >= 12",
            {},
            [("taskrouter.currentHour >= 12", {"taskrouter.currentHour": "09"})],
        ),
        ("1 == 2", {}, [("1 == 0", {})]),
    ],
)
def test_the_first_false_part_of_an_and_and_all_parts_of_an_or_are_given(
    source: str, attributes: dict[str, Any], expected: Failures
) -> None:
    assert failures(source, **attributes) == expected


@given(nodes, views)
def test_a_condition_has_failures_exactly_when_it_is_false(node: Node, task: View) -> None:
    expression = compile_expression(unparse(node), subject="residual")
    found = list(find_failures(expression, task=task))
    assert bool(found) != expression.matches(task=task)
    assert all(isinstance(each, FailedComparison) for each in found)
