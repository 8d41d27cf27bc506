"""A configuration as a text: its size, its JSON, its outermost shape."""

from __future__ import annotations

import pytest

from workflows.configuration import MAXIMUM_BYTES, ConfigurationError, parse_configuration


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(text)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("", "", "The configuration is empty"),
        ("null", "", 'Expected an object with the key "task_routing"'),
        ("[]", "", 'Expected an object with the key "task_routing"'),
        ("{}", "", 'Expected an object with the key "task_routing"'),
        ('{"task_routing": 1}', "task_routing", "Expected an object"),
        (
            '{"task_routing": {}}',
            "task_routing",
            "Expected at least one filter, or a default_filter",
        ),
        ('{"task_routing": {"filters": {}}}', "task_routing.filters", "Expected a list of filters"),
        ('{"task_routing": NaN}', "", "Not JSON: NaN is not a JSON value"),
        ("[" * 100_000, "", "The configuration is nested too deeply"),
        ("9" * 5_000, "", "A number in the configuration has too many digits"),
        (
            '{"task_routing":\n  {"filters": [,]}}',
            "",
            """\
Not JSON at line 2, column 16: Expecting value
      {"filters": [,]}} (line 2)
                   ^""",
        ),
        (
            f'{{"a": "{"ü" * 520_000}"}}',
            "",
            "The configuration has 1,040,009 bytes; at most 1,038,576 are allowed",
        ),
    ],
)
def test_a_document_of_another_shape_is_refused(text: str, path: str, message: str) -> None:
    assert problems(text) == [(path, message)]


def test_a_document_may_be_as_large_as_the_limit() -> None:
    text = '{"task_routing": {"default_filter": {"queue": "WQ1"}}}'
    assert parse_configuration(text + " " * (MAXIMUM_BYTES - len(text))).queues == {"WQ1"}
    assert problems(text + " " * (MAXIMUM_BYTES - len(text) + 1))


def test_a_duplicate_key_is_reported_at_its_path() -> None:
    text = (
        '{"task_routing": {"filters": [{"expression": "1==1", "targets": '
        '[{"queue": "WQ1", "timeout": 5, "timeout": 6}], "x": [{"y": 1, "y": 2}]}]}}'
    )
    message = "This key occurs more than once in its object"
    assert problems(text) == [
        ("task_routing.filters[0].targets[0].timeout", message),
        ("task_routing.filters[0].x[0].y", message),
    ]
