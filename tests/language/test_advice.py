"""Warnings about expressions that are valid but probably not meant, with repairs."""

from __future__ import annotations

import pytest

from workflows.expressions import Subject, View, compile_expression, find_warnings, missing_prefixes

CHAT = "worker.channel.chat"
FREE, BUSY = f"{CHAT}.available_capacity_percentage", f"{CHAT}.busy_capacity_percentage"


@pytest.mark.parametrize(
    ("source", "free", "busy"),
    [
        (f"{FREE} < 75", f"{FREE} > 25", f"{BUSY} < 75"),
        (f"{FREE} <= 50", f"{FREE} >= 50", f"{BUSY} <= 50"),
        (f"50 >= {FREE}", f"{FREE} >= 50", f"{BUSY} <= 50"),
        (f"50 > {FREE}", f"{FREE} > 50", f"{BUSY} < 50"),
        (f"{FREE} < task.limit", f"{FREE} > …", f"{BUSY} < task.limit"),
        (f"task.limit >= {FREE}", f"{FREE} >= …", f"{BUSY} <= task.limit"),
        (f"{FREE} < '50'", f"{FREE} > …", f'{BUSY} < "50"'),
    ],
)
def test_an_inverted_percentage_gets_a_warning_with_both_repairs(
    source: str, free: str, busy: str
) -> None:
    (doubt,) = find_warnings(compile_expression(source, subject="target"))
    assert f"“{free}”" in doubt.message
    assert f"“{busy}”" in doubt.message
    assert "100 for an idle worker and 0 for a full one" in doubt.message


@pytest.mark.parametrize(
    "source",
    [
        f"{FREE} > 25",
        f"{FREE} >= 50",
        f"{FREE} == 100",
        f"{FREE} != 0",
        f"25 < {FREE}",
        f"{BUSY} < 75",
        "worker.available_capacity_percentage < 75",
        "task.channel.chat.available_capacity_percentage < 75",
    ],
)
def test_a_correct_percentage_gets_no_warning(source: str) -> None:
    assert find_warnings(compile_expression(source, subject="target")) == []


def test_a_warning_shows_its_position() -> None:
    expression = compile_expression(
        f"worker.a == 1 AND ({FREE} < 75 OR {FREE} <= 5)", subject="target"
    )
    first, second = find_warnings(expression)
    assert expression.source[slice(*first.span)] == first.text == f"{FREE} < 75"
    assert expression.source[slice(*second.span)] == second.text == f"{FREE} <= 5"


def test_the_expression_of_a_queue_may_get_a_warning() -> None:
    source = "channel.sms.available_capacity_percentage < 50"
    assert len(find_warnings(compile_expression(source, subject="worker"))) == 1


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("isSurveyTask==true", ["isSurveyTask"]),
        ("vip == true AND worker.level > 1", ["vip"]),
        ("task.language IN languages", ["languages"]),
        ("sid == worker.sid OR sid == 'x'", ["sid"]),
        ("channel.chat.assigned_tasks == 0", ["channel.chat.assigned_tasks"]),
        ("skills[0].x == tags", ["skills[0].x", "tags"]),
    ],
)
def test_a_name_without_prefix_in_a_target_reads_the_task_and_its_warning_names_both_repairs(
    source: str, names: list[str]
) -> None:
    doubts = missing_prefixes(source, subject="target")
    assert [doubt.text for doubt in doubts] == names
    for doubt, name in zip(doubts, names, strict=True):
        assert source[slice(*doubt.span)] == name
        assert f"“task.{name}”" in doubt.message
        assert f"“worker.{name}”" in doubt.message
    expression = compile_expression(source, subject="target")
    assert all(f"task.{name}" in expression.source for name in names)


def test_a_name_without_prefix_never_reads_the_worker() -> None:
    expression = compile_expression("vip == true", subject="target")
    views = View({"vip": True}, {}), View({}, {})
    assert expression.matches(task=views[0], worker=views[1])
    assert not expression.matches(task=views[1], worker=views[0])


@pytest.mark.parametrize(
    ("subject", "source"),
    [
        ("target", "task.vip == true AND worker.level > 1 AND taskrouter.currentHour > 8"),
        ("target", "task.task == worker.worker"),
        ("task", "vip == true"),
        ("worker", "level > 3"),
    ],
)
def test_names_with_a_prefix_or_without_need_of_one_get_no_warning(
    subject: Subject, source: str
) -> None:
    assert missing_prefixes(source, subject=subject) == []
