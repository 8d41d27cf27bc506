"""Lanes: whether a lane must be checked again after an assignment."""

from __future__ import annotations

import pytest

from routing.core.lanes import may_open
from workflows.expressions import compile_expression as expression

PERCENT = "worker.channel.chat.available_capacity_percentage"
BUSY = "worker.channel.chat.busy_capacity_percentage"


@pytest.mark.parametrize(
    "source",
    [
        f"{PERCENT} > 25",
        f"50 <= {PERCENT}",
        f"{PERCENT} == 100",
        f"{BUSY} < 75",
        f"{BUSY} == 0",
        "worker.channel.voice.assigned_tasks == 0",
        "worker.channel.voice.available == true",
        f'worker.level > 3 AND (worker.language == "en" OR {PERCENT} >= 50)',
        "worker.level > 3",
    ],
)
def test_a_condition_that_more_work_only_makes_false_needs_no_second_check(source: str) -> None:
    assert not may_open(expression(source, subject="target"))


@pytest.mark.parametrize(
    "source",
    [
        f"{PERCENT} < 75",
        f"{PERCENT} != 100",
        f"{PERCENT} == 50",
        f"{BUSY} > 0",
        f"worker.level > 3 OR {BUSY} >= 50",
        f"{PERCENT} IN [50, 25]",
        f"{PERCENT} > worker.level",
    ],
)
def test_a_condition_that_more_work_may_make_true_is_checked_again(source: str) -> None:
    assert may_open(expression(source, subject="target"))
