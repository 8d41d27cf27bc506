"""Laws of the language, for any expression and any JSON."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from workflows.expressions import NOTHING, View, compile_expression, compile_ordering
from workflows.expressions.codegen import generate_function
from workflows.expressions.errors import ExpressionSyntaxError
from workflows.expressions.evaluator import evaluate_node
from workflows.expressions.nodes import Comparison, Literal, Node, Path
from workflows.expressions.operators import MIRRORED, OPERATORS
from workflows.expressions.parser import parse
from workflows.expressions.residual import reduce_expression
from workflows.expressions.unparser import unparse

from .strategies import json_values, nodes, scalars, views

modest = settings(max_examples=60, deadline=None)


def scope(task: View, worker: View, taskrouter: View) -> dict[str, View | None]:
    return {"task": task, "worker": worker, "taskrouter": taskrouter}


@modest
@given(nodes)
def test_canonical_text_parses_to_the_same_tree(node: Node) -> None:
    assert parse(unparse(node), subject="residual") == node


@modest
@given(nodes)
def test_canonical_text_can_be_stored_and_read_back(node: Node) -> None:
    text = unparse(node)
    assert text.encode().decode() == text
    assert "\x00" not in text


@modest
@given(nodes, views, views, views)
def test_reducing_changes_no_answer(node: Node, task: View, worker: View, clock: View) -> None:
    everything = scope(task, worker, clock)
    assert evaluate_node(reduce_expression(node, {}), everything) is evaluate_node(node, everything)


@modest
@given(nodes)
def test_reducing_an_expression_twice_changes_nothing(node: Node) -> None:
    once = reduce_expression(node, {})
    assert reduce_expression(once, {}) == once
    assert reduce_expression(parse(unparse(once), subject="residual"), {}) == once


@modest
@given(nodes, views, views, views)
def test_binding_the_task_first_does_not_change_the_answer(
    node: Node, task: View, worker: View, clock: View
) -> None:
    expression = compile_expression(unparse(node), subject="residual")
    residual = expression.bind(task=task)
    at_once = expression.matches(task=task, worker=worker, taskrouter=clock)
    assert at_once is evaluate_node(node, scope(task, worker, clock))
    assert residual.matches(task=task, worker=worker, taskrouter=clock) is at_once
    stored = compile_expression(residual.source, subject="residual")
    assert stored == residual
    assert stored.matches(task=task, worker=worker, taskrouter=clock) is at_once
    assert residual.paths("task") <= {("age",)}
    if "task" not in residual.roots:
        assert residual.matches(worker=worker, taskrouter=clock) is at_once


@modest
@given(nodes, views, views)
def test_binding_task_and_worker_leaves_only_the_clock_and_the_age(
    node: Node, task: View, worker: View
) -> None:
    residual = compile_expression(unparse(node), subject="residual").bind(task=task, worker=worker)
    assert residual.roots <= {"task", "taskrouter"}
    assert residual.roots or residual.is_constant is not None


@settings(max_examples=150, deadline=None)
@given(nodes, views, views, views)
def test_generated_code_answers_as_the_walked_tree(
    node: Node, task: View, worker: View, clock: View
) -> None:
    expected = evaluate_node(node, scope(task, worker, clock))
    assert generate_function(node)(worker, task, clock) is expected
    assert generate_function(reduce_expression(node, {}))(worker, task, clock) is expected


@given(json_values, json_values)
@modest
def test_operators_answer_for_any_two_values(left: Any, right: Any) -> None:
    for name, operator in OPERATORS.items():
        answer = operator(left, right)
        assert isinstance(answer, bool)
        if name in MIRRORED:
            assert OPERATORS[MIRRORED[name]](right, left) is answer


def test_every_operator_on_every_pair_of_kinds_is_the_same_in_every_engine() -> None:
    values: list[Any] = [
        None, True, False, 0, 1, 8, 8.0, 0.5, 10**30, "", "en", "8", "08", "8.0", "x8", ":",
        [], [None], ["en"], [8], ["8"], [True, "en"], [[8]], [{}], {}, {"a": 1},
    ]  # fmt: skip
    one, other = Path("worker", ("a",)), Path("task", ("a",))
    codes = {name: generate_function(Comparison(one, name, other)) for name in OPERATORS}
    for name, left, right in product(OPERATORS, values, values):
        worker, task = View({"a": left}, {}), View({"a": right}, {})
        expected = OPERATORS[name](left, right)
        assert codes[name](worker, task) is expected, (name, left, right)
        node = Comparison(one, name, other)
        for known in {"task": task}, {"worker": worker}:
            residual = reduce_expression(node, known)
            views = {"task": task, "worker": worker} | dict.fromkeys(known, NOTHING)
            assert generate_function(residual)(**views) is expected, (
                name,
                left,
                right,
                unparse(residual),
            )


@modest
@given(st.text(max_size=40) | st.text(alphabet="ab1.[]()=<>-!\"' ,NOTINHAS", max_size=30))
@example("(" * 5_000)
@example("[" * 5_000)
@example('"' + "\\" * 4_999)
@example("1" * 9_999)
def test_any_text_compiles_or_is_refused_with_a_place(source: str) -> None:
    for subject in ("worker", "task", "target", "workers", "residual"):
        try:
            expression = compile_expression(source, subject=subject)
        except ExpressionSyntaxError as error:
            refused = error
        else:
            assert compile_expression(expression.source, subject="residual") == expression
            continue
        start, end = refused.span
        assert 0 <= start <= end <= len(source)
        assert str(refused).startswith(refused.message)


@modest
@given(st.lists(st.tuples(scalars, scalars), max_size=6))
def test_an_order_sorts_any_values(rows: list[tuple[Any, Any]]) -> None:
    ordering = compile_ordering("worker.a DESC, worker.b ASC")
    ranked = sorted((View({"a": a, "b": b}, {}) for a, b in rows), key=ordering.key)
    whole = [type(view.attributes["a"]) is int for view in ranked]
    assert whole == sorted(whole, reverse=True)


def test_the_tree_keeps_true_and_one_apart() -> None:
    assert Literal(True) != Literal(1)
    assert Comparison(Literal(True), "==", Literal(1)) != Comparison(Literal(1), "==", Literal(1))
