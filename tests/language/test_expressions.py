"""An expression as a value: its paths, its equality, its evaluation."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest

from workflows.expressions import NOTHING, View, compile_expression, look_up_path, time_of_day
from workflows.expressions.compiled import WALKS_BEFORE_CODE

ALICE = View({"languages": ["en"], "level": 3}, {"sid": "WK1"})
BOB = View({"languages": ["de"], "level": 1}, {"sid": "WK2"})


def test_an_expression_lists_the_paths_it_reads() -> None:
    expression = compile_expression(
        "task.language IN worker.languages AND worker.skills[0].name == 'x' "
        "AND taskrouter.currentHour > 8",
        subject="target",
    )
    assert expression.roots == {"task", "worker", "taskrouter"}
    assert expression.paths("worker") == {("languages",), ("skills", 0, "name")}
    assert expression.paths("task") == {("language",)}
    assert expression.paths("workers") == frozenset()


def test_equal_text_makes_equal_expressions() -> None:
    one = compile_expression("level >= 2", subject="worker")
    assert one == compile_expression("2 <= worker.level", subject="target")
    assert one != compile_expression("level >= 3", subject="worker")
    assert one != "worker.level >= 2"
    assert len({one, compile_expression("worker.level>=2", subject="worker")}) == 1
    assert str(one) == one.source == "worker.level >= 2"


def test_an_expression_survives_copying_and_pickling() -> None:
    expression = compile_expression("workers.available == 0", subject="workers")
    assert pickle.loads(pickle.dumps(expression)) == expression  # noqa: S301
    assert copy.deepcopy(expression) == expression


def test_a_constant_expression_is_marked_as_constant() -> None:
    assert compile_expression("1==1", subject="worker").is_constant is True
    assert compile_expression("1==2", subject="worker").is_constant is False
    assert compile_expression("level == 1", subject="worker").is_constant is None


def test_generated_code_answers_as_the_tree_walk_does() -> None:
    expression = compile_expression(
        "'en' IN languages AND level >= 2 AND sid == 'WK1'", subject="worker"
    )
    for _ in range(WALKS_BEFORE_CODE * 2):
        assert expression.matches(worker=ALICE)
        assert not expression.matches(worker=BOB)


def test_an_expression_takes_views_by_position_and_by_name() -> None:
    function = compile_expression("task.l IN worker.languages", subject="target").function
    task = View({"l": "en"}, {})
    assert function(ALICE, task) is True
    assert function(BOB, task) is False
    assert function(worker=ALICE, task=task) is True
    assert function(ALICE) is False


def test_a_root_without_a_view_reads_null() -> None:
    assert compile_expression("task.a == null AND worker.b == null", subject="target").matches()
    assert compile_expression("worker.b == null", subject="worker").matches(worker=None)
    assert compile_expression("worker.b == null", subject="worker").function(None)


def test_built_in_values_may_be_any_mapping() -> None:
    channel = MappingProxyType({"chat": MappingProxyType({"assigned_tasks": 1})})
    worker = View(MappingProxyType({}), MappingProxyType({"channel": channel}))
    expression = compile_expression("channel.chat.assigned_tasks <= 1", subject="worker")
    assert expression.matches(worker=worker)
    assert expression.function(worker)


@pytest.mark.parametrize(
    "name", ["__import__('os')", "x\n    return True #", "{0}", "%s", "\\", "'''", "k0", "worker_a"]
)
def test_text_literals_never_become_code(name: str) -> None:
    task = View({"x": name}, {})
    residual = compile_expression("task.x == worker.x", subject="target").bind(task=task)
    assert residual.function(View({"x": name}, {})) is True
    assert residual.function(View({"x": "other"}, {})) is False


def test_attributes_may_have_names_of_the_generated_code() -> None:
    names = ("k0", "v", "x", "walk", "lookup", "worker_a", "None", "def", "$", "__class__")
    for name in names:
        function = compile_expression(
            f"task.{name} == 1 AND worker.{name} == 1", subject="target"
        ).function
        assert function(View({name: 1}, {}), View({name: 1}, {})) is True
        assert function(NOTHING, View({name: 1}, {})) is False


def test_a_null_attribute_falls_back_to_the_built_in_value() -> None:
    view = View({"a": None, "b": [1]}, {"a": 5, "b": 6})
    assert look_up_path(view, ("a",)) == 5
    assert look_up_path(view, ("b",)) == [1]
    assert look_up_path(view, ("b", 0)) == 1
    assert look_up_path(view, ("c",)) is None


def test_the_time_of_day_is_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    view = time_of_day(datetime(2024, 7, 1, 0, 5, tzinfo=berlin))
    assert view.builtins == {
        "currentTime": 2205,
        "currentHour": "22",
        "currentMin": "05",
        "dayOfWeek": "Sun",
    }
    midnight = time_of_day(datetime(2024, 7, 1, tzinfo=UTC))
    assert midnight.builtins["currentTime"] == 0
    assert midnight.builtins["currentHour"] == "00"
