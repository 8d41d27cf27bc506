"""The examples of the language reference are true: each is run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest

from workflows import configuration
from workflows.expressions import ExpressionSyntaxError, Subject, View, compile_expression
from workflows.expressions.operators import OPERATORS
from workflows.expressions.subjects import SUBJECTS, TIME_OF_DAY

TEXT = (Path(__file__).parents[2] / "docs" / "language.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[tuple[str, str]]:
    found = [(subject, text) for name, subject, text in BLOCKS if name == kind]
    assert found
    return found


EXAMPLES = [
    (subject, *(part.strip() for part in line.rsplit(" | ", 2)))
    for subject, text in blocks("cases")
    for line in text.splitlines()
]


@pytest.mark.parametrize(("subject", "source", "given", "result"), EXAMPLES)
def test_every_example_gives_the_result_in_the_reference(
    subject: str, source: str, given: str, result: str
) -> None:
    assert subject in SUBJECTS
    assert result in ("true", "false")
    views: dict[str, Any] = {root: View(value, {}) for root, value in json.loads(given).items()}
    expression = compile_expression(source, subject=cast(Subject, subject))
    assert expression.matches(**views) is (result == "true")


@pytest.mark.parametrize(("subject", "text"), blocks("refused"))
def test_every_error_message_is_as_in_the_reference(subject: str, text: str) -> None:
    source, shown = text.split("\n---\n")
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression(source, subject=cast(Subject, subject))
    assert str(caught.value) == shown.rstrip("\n")


@pytest.mark.parametrize(("_", "text"), blocks("configuration"))
def test_every_example_configuration_is_accepted_without_a_warning(_: str, text: str) -> None:
    assert configuration.parse_configuration(text).warnings == ()


def test_the_reference_has_every_operator_and_every_name() -> None:
    for word in (*OPERATORS, *TIME_OF_DAY):
        assert word in TEXT


def test_links_inside_the_reference_resolve() -> None:
    headings = {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= headings
