"""Errors are shown at their place, to the character."""

from __future__ import annotations

import pickle
import sys

import pytest

from workflows.expressions import (
    MAXIMUM_DEPTH,
    MAXIMUM_LENGTH,
    ExpressionSyntaxError,
    Subject,
    compile_expression,
)
from workflows.expressions.nodes import And, Comparison, ListOf, Literal, Or, Path
from workflows.expressions.parser import parse

A, B, C = (
    Comparison(Path("task", (name,)), "==", Literal(number))
    for number, name in enumerate("abc", start=1)
)


def message(source: str, subject: Subject = "task") -> str:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression(source, subject=subject)
    return str(caught.value)


@pytest.mark.parametrize(
    ("subject", "source", "expected"),
    [
        (
            "task",
            "vip",
            """\
Expected an operator after vip (one of ==, !=, <, <=, >, >=, HAS, IN, NOT IN, CONTAINS)
    vip
       ^""",
        ),
        (
            "worker",
            "region == 'eu' AND skill-level > 3",
            """\
A hyphen cannot be part of an attribute name; rename the attribute, for example skill_level
    region == 'eu' AND skill-level > 3
                       ^~~~~~~~~~~""",
        ),
        (
            "task",
            "(vip == true AND (age > 5 OR manual == 1)",
            """\
This parenthesis is never closed
    (vip == true AND (age > 5 OR manual == 1)
    ^""",
        ),
        (
            "task",
            "language == 'en",
            """\
The text that begins here has no closing '
    language == 'en
                ^""",
        ),
        (
            "task",
            "language IN ['en', 'de'",
            """\
This list is never closed
    language IN ['en', 'de'
                ^""",
        ),
        (
            "target",
            "task.language IN Worker.languages AND worker.level > 2",
            """\
Worker.languages begins with no known prefix; an attribute needs its prefix here: \
worker or task, in lower case
    task.language IN Worker.languages AND worker.level > 2
                     ^~~~~~~~~~~~~~~~""",
        ),
        (
            "target",
            "taskrouter.hour > 8",
            """\
taskrouter has only currentTime, currentHour, currentMin, dayOfWeek
    taskrouter.hour > 8
    ^~~~~~~~~~~~~~~""",
        ),
        (
            "workers",
            "workers.busy > 2",
            """\
workers has only workers.available, workers.unavailable and workers.WA… (an activity's sid)
    workers.busy > 2
    ^~~~~~~~~~~~""",
        ),
        (
            "task",
            "a == 1 &&\tb == 2",
            """\
Write AND to join conditions
    a == 1 && b == 2
           ^~""",
        ),
        (
            "task",
            "a == 1\n  AND b ==\n  OR c == 3",
            """\
Expected a value: an attribute, a text, a number or a list
      OR c == 3 (line 3)
      ^~""",
        ),
        ("task", "", "The expression is empty"),
    ],
)
def test_an_error_is_shown_at_its_position(subject: Subject, source: str, expected: str) -> None:
    assert message(source, subject) == expected


def test_an_error_in_a_long_line_is_shown_with_its_context() -> None:
    shown = message(" OR ".join(["a == 1"] * 400 + ["b"] + ["c == 1"] * 400)).splitlines()
    assert len(shown) == 3
    assert all(len(line) <= 110 for line in shown)
    line, pointer = shown[1:]
    assert line.startswith("    …")
    assert line.endswith("…")
    assert line[: pointer.index("^")].endswith("OR b ")


def test_an_error_carries_message_source_and_span() -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression("a ==  ", subject="task")
    error = caught.value
    assert (error.source, error.span) == ("a ==  ", (4, 4))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_and_binds_tighter_than_or() -> None:
    source = "a == 1 OR b == 2 AND c == 3"
    assert parse(source, subject="task") == Or((A, And((B, C))))
    assert parse("(a == 1 OR b == 2) AND c == 3", subject="task") == And((Or((A, B)), C))


def test_chains_are_flat_whatever_their_parentheses() -> None:
    flat = And((A, B, C))
    for source in (
        "a==1 AND b==2 AND c==3",
        "(a==1 AND b==2) AND c==3",
        "a==1 AND (b==2 AND c==3)",
    ):
        assert parse(source, subject="task") == flat


def test_a_list_holds_literals_of_every_kind() -> None:
    node = parse("a IN ['x', 1, -2.5, true, False, NULL]", subject="task")
    values = [Literal("x"), Literal(1), Literal(-2.5), Literal(True), Literal(False), Literal(None)]
    assert node == Comparison(Path("task", ("a",)), "IN", ListOf(tuple(values)))


def test_keywords_may_name_attributes_after_a_prefix() -> None:
    assert parse("task.in == task.null", subject="task") == Comparison(
        Path("task", ("in",)), "==", Path("task", ("null",))
    )


def test_ten_thousand_characters_are_read_and_one_more_is_refused() -> None:
    source = "a == 1".ljust(MAXIMUM_LENGTH)
    assert compile_expression(source, subject="task").source == "task.a == 1"
    assert "The text has 10,001 characters; at most 10,000 are allowed" in message(source + " ")


def test_a_residual_may_be_longer_than_a_source_text() -> None:
    source = f'worker.a == "{"x" * 20_000}"'
    assert compile_expression(source, subject="residual").source == source


def test_a_hundred_parentheses_are_read_and_one_more_is_refused() -> None:
    def nested(depth: int) -> str:
        return "(" * depth + "a == 1" + ")" * depth

    assert compile_expression(nested(MAXIMUM_DEPTH), subject="task").source == "task.a == 1"
    assert "More than 100 parentheses are nested" in message(nested(101))
    assert "More than 100" in message("(" * 9_000)


def test_the_deepest_valid_expression_can_be_evaluated() -> None:
    source = "a == 1"
    for level in range(MAXIMUM_DEPTH):
        source = f"b{level} == 1 {'AND' if level % 2 else 'OR'} ({source})"
    expression = compile_expression(source, subject="task")
    assert expression.matches() is expression.function() is False
    assert compile_expression(expression.source, subject="residual") == expression


def test_long_flat_chains_do_not_count_as_depth() -> None:
    assert sys.getrecursionlimit() <= 1_000
    for word in ("AND", "OR"):
        source = f" {word} ".join(f"a=={number}" for number in range(800))
        expression = compile_expression(source, subject="task")
        assert expression.matches() is expression.function() is False


def test_a_number_has_at_most_as_many_digits_as_python_reads() -> None:
    assert compile_expression(f"a == {'9' * 4_300}", subject="task").is_constant is None
    assert "at most 4,300 digits" in message(f"a == {'9' * 4_301}")
