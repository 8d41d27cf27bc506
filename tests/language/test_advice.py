"""A percentage compared the wrong way round is accepted, and doubted with both repairs."""

from __future__ import annotations

import pytest

from workflows.expressions import compile, warnings  # noqa: A004

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
def test_an_inverted_percentage_is_doubted_with_both_repairs(
    source: str, free: str, busy: str
) -> None:
    (doubt,) = warnings(compile(source, subject="target"))
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
def test_a_percentage_the_right_way_round_is_not_doubted(source: str) -> None:
    assert warnings(compile(source, subject="target")) == []


def test_a_doubt_shows_where_it_stands() -> None:
    expression = compile(f"worker.a == 1 AND ({FREE} < 75 OR {FREE} <= 5)", subject="target")
    first, second = warnings(expression)
    assert expression.source[slice(*first.span)] == first.text == f"{FREE} < 75"
    assert expression.source[slice(*second.span)] == second.text == f"{FREE} <= 5"


def test_a_queue_may_be_doubted_too() -> None:
    source = "channel.sms.available_capacity_percentage < 50"
    assert len(warnings(compile(source, subject="worker"))) == 1
