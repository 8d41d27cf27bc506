"""The outline of a workflow's text: every error at its line, filters and targets by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.outlines import Outline, outline_text
from workflows.positions import Positions

QUEUES = {"WQ" + "1" * 32: "Spanish", "WQ" + "2" * 32: "Everybody"}
SPANISH, EVERYBODY = QUEUES

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('ab:{,"\\\n', max_size=3), inner)
    ),
    max_leaves=20,
)


def walk(value: Any, path: str = "") -> Any:
    yield path, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from walk(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk(each, f"{path}[{index}]")


@given(_values, st.sampled_from([None, 0, 2]))
def test_every_value_is_found_at_its_line_and_column(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    positions, lines = Positions(text), text.split("\n")
    paths = [path for path, _ in walk(value)]
    for path, each in walk(value):
        if paths.count(path) > 1:
            continue  # an empty key has the path of its object
        line, column = positions.find_place(path)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == each


def outline(text: str) -> Outline:
    return outline_text(text, queue_names=QUEUES)


def places(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.message.split("\n")[0]) for each in outline(text).problems]


def test_all_errors_are_marked_at_their_lines() -> None:
    text = """{
  "task_routing": {
    "filters": [
      {
        "filter_friendly_name": "Gold",
        "expression": "tier ==",
        "targets": [
          {"queue": "%s", "timeout": "soon"},
          {"queue": "WQ9"}
        ]
      },
      {"expression": "1==1", "targets": []}
    ]
  }
}"""
    found = places(text % SPANISH)
    assert [line for line, _ in found] == [6, 8, 9, 12]
    assert found[1][1] == "Expected a whole number from 1 to 2147483647"
    assert found[3][1] == "A filter needs a list of at least one target"


def test_a_text_that_is_not_json_is_marked_where_it_ends_to_be() -> None:
    assert places('{\n  "task_routing": {\n    "filters": [,]\n  }\n}')[0][0] == 3
    assert places("")[0] == (1, "The configuration is empty")


def test_warnings_are_marked_too_and_are_no_errors() -> None:
    text = (
        f'{{"task_routing":\n {{"default_filter":\n  {{"queue": "{SPANISH}",\n   "timeot": 3}}}}}}'
    )
    found = outline(text)
    assert found.error_count == 0
    assert [(each.line, each.is_warning) for each in found.problems] == [(4, True)]


def test_filters_and_targets_are_listed_with_names_of_queues() -> None:
    text = json.dumps(
        {
            "task_routing": {
                "filters": [
                    {
                        "friendly_name": "Gold",
                        "expression": 'tier == "gold"',
                        "targets": [
                            {"queue": SPANISH, "timeout": 30, "expression": "worker.level > 1"},
                            {"priority": 5},
                            {"queue": "WQ0"},
                        ],
                    }
                ],
                "default_filter": {"queue": EVERYBODY},
            }
        },
        indent=1,
    )
    found = outline(text)
    (gold,) = found.filters
    assert (gold.line, gold.name, gold.expression) == (4, "Gold", 'tier == "gold"')
    assert [(each.queue_name, each.details) for each in gold.targets] == [
        ("Spanish", (("workers with", "worker.level > 1"), ("seconds", "30"))),
        ("Spanish", (("priority", "5"),)),
        (None, ()),
    ]
    assert found.default is not None
    assert found.default.queue_name == "Everybody"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "7",
        '"x"',
        '{"task_routing": 7}',
        '{"task_routing": {"filters": 7}}',
        "[" * 5000,
        '{"task_routing": {"filters": [7, {"targets": 7}, {"targets": [7]}]}}',
        "}",
        '{"a"}',
        "x" * 9,
        '{"task_routing": {"filters": [{"filter_friendly_name": ["x"], "expression": {}}]}}',
    ],
)
def test_any_text_has_an_outline(text: str) -> None:
    assert outline(text).error_count > 0


def test_an_outline_lists_a_limited_number_of_filters() -> None:
    one = {"expression": "1==1", "targets": [{"queue": SPANISH}]}
    text = json.dumps({"task_routing": {"filters": [one] * 300}})
    found = outline(text)
    assert (len(found.filters), found.left_out) == (250, 50)
