"""Partial evaluation as a table: the known values, the expression, the residual."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.expressions import View, compile_expression

OBJECT = {"a": 1}


@pytest.mark.parametrize(
    ("source", "residual"),
    [
        # constants
        ("1==1", "1 == 1"),
        ("'a' == 'a'", "1 == 1"),
        ("1 > 2", "1 == 0"),
        ("worker.a == 1 AND 1 == 1", "worker.a == 1"),
        ("worker.a == 1 AND 1 == 2", "1 == 0"),
        ("worker.a == 1 OR 1 == 1", "1 == 1"),
        ("worker.a == 1 OR 1 == 2", "worker.a == 1"),
        # the path is on the left
        ("1 = worker.a", "worker.a == 1"),
        ("1 < worker.a", "worker.a > 1"),
        ("1 >= worker.a", "worker.a <= 1"),
        ("'en' IN worker.languages", 'worker.languages HAS "en"'),
        ("['a', 'b'] HAS worker.x", 'worker.x IN ["a", "b"]'),
        ("'en' NOT IN worker.languages", '"en" NOT IN worker.languages'),
        ("'text' CONTAINS worker.x", '"text" CONTAINS worker.x'),
        # one spelling
        ("worker.a == 1.0", "worker.a == 1"),
        ("worker.a == 'it\\'s'", 'worker.a == "it\'s"'),
        ("worker.a in ['b', 'a', 'b']", 'worker.a IN ["a", "b"]'),
        ("worker.a == 1 AND worker.b == 2 AND worker.a = 1.0", "worker.a == 1 AND worker.b == 2"),
        ("worker.a == 1 OR (worker.b == 2 OR worker.a == 1)", "worker.a == 1 OR worker.b == 2"),
        ("worker.a == 1 AND (worker.a == 1 OR 1 == 2)", "worker.a == 1"),
        (
            "worker.a == 1 AND (worker.b == 2 OR worker.c == 3)",
            "worker.a == 1 AND (worker.b == 2 OR worker.c == 3)",
        ),
        # conditions that never hold
        ("worker.a > null", "1 == 0"),
        ("worker.a >= true", "1 == 0"),
        ("worker.a == ['x']", "1 == 0"),
        ("worker.a != ['x']", "worker.a == null"),
        ("worker.a IN 'x'", "1 == 0"),
        ("worker.a NOT IN 'x'", "1 == 0"),
        ("'x' HAS worker.a", "1 == 0"),
        ("worker.a CONTAINS 5", "1 == 0"),
        ("worker.a HAS ['x']", "1 == 0"),
    ],
)
def test_a_residual_has_one_canonical_form(source: str, residual: str) -> None:
    assert compile_expression(source, subject="target").source == residual


@pytest.mark.parametrize(
    ("task", "source", "residual"),
    [
        ({"l": "en"}, "task.l IN worker.l", 'worker.l HAS "en"'),
        ({"l": "en"}, "worker.l HAS task.l", 'worker.l HAS "en"'),
        ({"l": "en"}, "worker.l == task.l AND task.l == 'en'", 'worker.l == "en"'),
        ({"l": "en"}, "worker.l == task.l AND task.l == 'de'", "1 == 0"),
        ({"l": "en"}, "worker.a == 1 OR task.l == 'en'", "1 == 1"),
        ({}, "task.l == worker.l", "worker.l == null"),
        ({}, "task.l != worker.l", "worker.l != null"),
        ({}, "task.l < worker.l", "1 == 0"),
        ({}, "task.l IN worker.l", "worker.l HAS null"),
        ({}, "worker.l IN task.l", "1 == 0"),
        ({"n": 5}, "task.n <= worker.n", "worker.n >= 5"),
        ({"n": 5.0}, "worker.n >= task.n", "worker.n >= 5"),
        ({"n": 1e300}, "worker.n < task.n", f"worker.n < {int(1e300)}"),
        ({"n": 1e-7}, "worker.n < task.n", "worker.n < 0.0000001"),
        ({"n": True}, "worker.n == task.n", "worker.n == true"),
        ({"l": ["b", "a", "b"]}, "worker.l IN task.l", 'worker.l IN ["a", "b"]'),
        (
            {"l": ["a", ["b"], OBJECT, None]},
            "worker.l NOT IN task.l",
            'worker.l NOT IN ["a", null]',
        ),
        ({"l": []}, "worker.l IN task.l", "worker.l IN []"),
        ({"l": ["a"]}, "worker.l == task.l", "1 == 0"),
        ({"l": ["a"]}, "worker.l != task.l", "worker.l == null"),
        ({"l": ["a"]}, "task.l IN worker.l", "1 == 0"),
        ({"o": OBJECT}, "worker.l == task.o", "1 == 0"),
        ({"o": OBJECT}, "worker.l != task.o", "worker.l == null"),
        ({"o": OBJECT}, "task.o != null", "1 == 1"),
        ({"o": OBJECT}, "task.o.a == worker.a", "worker.a == 1"),
        (
            {"t": 'a"b\\\n\x00\ud800'},
            "worker.t == task.t",
            'worker.t == "a\\"b\\\\\\n\\u0000\\ud800"',
        ),
        (
            {"x": 1},
            "worker.a == 1 AND taskrouter.currentHour > 8",
            "worker.a == 1 AND taskrouter.currentHour > 8",
        ),
    ],
)
def test_task_attributes_are_replaced_by_their_values(
    task: dict[str, Any], source: str, residual: str
) -> None:
    bound = compile_expression(source, subject="target").bind(task=View(task, {}))
    assert bound.source == residual
    assert compile_expression(residual, subject="residual") == bound
    assert "task" not in bound.roots


def test_a_built_in_value_is_bound_unless_an_attribute_hides_it() -> None:
    expression = compile_expression("task.priority == worker.p", subject="target")
    assert expression.bind(task=View({}, {"priority": 5})).source == "worker.p == 5"
    assert expression.bind(task=View({"priority": 7}, {"priority": 5})).source == "worker.p == 7"
    assert expression.bind(task=View({"priority": None}, {"priority": 5})).source == "worker.p == 5"


def test_the_age_of_a_task_is_not_bound() -> None:
    expression = compile_expression("task.age > 60 AND task.vip == true", subject="target")
    bound = expression.bind(task=View({"vip": True}, {"age": 30}))
    assert bound.source == "task.age > 60"
    assert bound.roots == {"task"}
    assert not bound.matches(task=View({}, {"age": 60}))
    assert bound.matches(task=View({}, {"age": 61}))


def test_an_attribute_called_age_is_bound_like_any_other() -> None:
    expression = compile_expression("task.age > 60", subject="target")
    assert expression.bind(task=View({"age": 61}, {"age": 1})).is_constant is True


def test_the_time_of_day_is_never_bound() -> None:
    expression = compile_expression("taskrouter.currentHour > 8", subject="target")
    assert expression.bind(taskrouter=View({}, {"currentHour": "09"})) is expression


def test_tasks_that_differ_in_unread_attributes_share_a_residual() -> None:
    expression = compile_expression("task.language IN worker.languages", subject="target")
    one = expression.bind(task=View({"language": "en", "customer": 1}, {}))
    other = expression.bind(task=View({"language": "en", "customer": 2}, {}))
    assert one == other
    assert hash(one) == hash(other)
    assert one is other
