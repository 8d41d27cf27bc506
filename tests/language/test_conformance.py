"""The language as files of cases: given, expression, and the result or the error.

Every engine answers every case: the walked tree, the generated code, and both again after the
task was bound. A case without a subject is a target's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workflows.expressions import ExpressionSyntaxError, View, compile_expression
from workflows.expressions.codegen import generate_function
from workflows.expressions.evaluator import evaluate_node
from workflows.expressions.parser import parse

FILES = sorted((Path(__file__).parent / "cases").glob("*.json"))
ROOTS = ("worker", "task", "taskrouter", "workers")


def cases(wanted: str) -> list[Any]:
    return [
        pytest.param(group, case, id=f"{file.stem}: {case['expression'][:60]}")
        for file in FILES
        for group in json.loads(file.read_text("utf-8"))
        for case in group["cases"]
        if wanted in case
    ]


@pytest.mark.parametrize(("group", "case"), cases("result"))
def test_every_engine_gives_the_result(group: dict[str, Any], case: dict[str, Any]) -> None:
    views = {
        root: View(group.get("given", {}).get(root, {}), group.get("builtins", {}).get(root, {}))
        for root in ROOTS
    }
    subject, expected = group.get("subject", "target"), case["result"]
    tree = parse(case["expression"], subject=subject)
    assert evaluate_node(tree, views) is expected
    assert generate_function(tree)(**views) is expected

    expression = compile_expression(case["expression"], subject=subject)
    assert expression.matches(**views) is expected
    assert expression.function(**views) is expected
    assert expression.matches(**views) is expected

    bound = expression.bind(task=views["task"])
    rest = {root: view for root, view in views.items() if root != "task"}
    assert bound.matches(**rest) is expected
    assert bound.function(**rest) is expected
    assert compile_expression(bound.source, subject="residual") == bound


@pytest.mark.parametrize(("group", "case"), cases("error"))
def test_an_expression_outside_the_language_is_refused(
    group: dict[str, Any], case: dict[str, Any]
) -> None:
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression(case["expression"], subject=group["subject"])
    assert case["error"] in caught.value.message
