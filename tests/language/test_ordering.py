"""order_by: who comes first, and what an order may not be."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.expressions import ExpressionSyntaxError, View, compile_ordering


def ranked(source: str, **workers: Any) -> list[str]:
    ordering = compile_ordering(source)
    return sorted(workers, key=lambda name: ordering.key(View(workers[name], {})))


def test_descending_puts_the_highest_first() -> None:
    assert ranked("worker.level DESC", a={"level": 1}, b={"level": 3}, c={"level": 2}) == [*"bca"]


def test_ascending_puts_the_lowest_first() -> None:
    assert ranked("worker.level ASC", a={"level": 1}, b={"level": -3}, c={"level": 2}) == [*"bac"]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("value", [None, True, "5", 5.5, [5], {"n": 5}])
def test_a_value_that_is_no_integer_sorts_last_in_both_directions(
    direction: str, value: Any
) -> None:
    order = ranked(f"worker.level {direction}", a={"level": value}, b={}, c={"level": 0})
    assert order == [*"cab"]


def test_later_clauses_decide_between_equals() -> None:
    order = ranked(
        "worker.skills.english DESC, worker.level ASC",
        a={"skills": {"english": 2}, "level": 9},
        b={"skills": {"english": 2}, "level": 1},
        c={"skills": {"english": 3}, "level": 5},
    )
    assert order == [*"cba"]


def test_a_built_in_value_may_order() -> None:
    ordering = compile_ordering("worker.channel.chat.available_capacity_percentage DESC")
    view = View({}, {"channel": {"chat": {"available_capacity_percentage": 75}}})
    assert ordering.key(view) == ((0, -75),)


def test_an_order_has_one_canonical_text() -> None:
    ordering = compile_ordering("  level desc ,worker.skills[0]  Asc")
    assert ordering.source == str(ordering) == "worker.level DESC, worker.skills[0] ASC"
    assert compile_ordering(ordering.source) == ordering
    assert [clause.path for clause in ordering.clauses] == [("level",), ("skills", 0)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "worker.level",
            "Expected ASC or DESC after worker.level\n    worker.level\n                ^",
        ),
        (
            "worker.level DESC worker.age ASC",
            """\
Expected a comma or the end of the order
    worker.level DESC worker.age ASC
                      ^~~~~~""",
        ),
        (
            "worker.level DESC,",
            """\
Expected an attribute of the worker, as in worker.level
    worker.level DESC,
                      ^""",
        ),
        ("", "The order is empty"),
    ],
)
def test_an_invalid_order_is_refused_at_its_position(source: str, expected: str) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_ordering(source)
    assert str(caught.value) == expected


def test_an_order_reads_only_workers() -> None:
    with pytest.raises(ExpressionSyntaxError, match="order_by sees no task"):
        compile_ordering("task.priority DESC")


def test_an_order_whose_canonical_text_cannot_be_parsed_is_refused() -> None:
    assert compile_ordering(", ".join(["a ASC"] * 500)).clauses
    with pytest.raises(ExpressionSyntaxError, match="too many clauses"):
        compile_ordering(",".join(["a ASC"] * 1_500))
