"""Effort: time that a worker shares among the tasks in hand."""

from __future__ import annotations

import random

from routing.core.effort import share_time


def test_a_second_is_divided_by_the_tasks_in_hand() -> None:
    assert share_time([]) == []
    assert share_time([(0, 60)]) == [60]
    assert share_time([(0, 60), (0, 60), (0, 60)]) == [20, 20, 20]
    # One alone for 10, two for 20, none for 10, one for 5.
    assert share_time([(0, 30), (10, 30), (40, 45), (45, 45)]) == [20, 10, 5, 0]


def test_efforts_add_up_to_the_time_with_a_task_in_hand() -> None:
    dice = random.Random(3)
    for _ in range(50):
        begins = [dice.randrange(100) for _ in range(dice.randrange(1, 8))]
        spans = [(begin, begin + dice.randrange(40)) for begin in begins]
        naive = [0.0] * len(spans)
        for second in range(140):
            here = [n for n, (begin, end) in enumerate(spans) if begin <= second < end]
            for number in here:
                naive[number] += 1 / len(here)
        shared = share_time(spans)
        assert [round(each, 6) for each in shared] == [round(each, 6) for each in naive]
