"""Rows by their sids: the right ones for any number, and no more queries than one."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from routing.bridge.by_sids import BySids
from tests import factories

ACTIVITIES = BySids(lambda sids: models.Activity.objects.filter(sid__in=sids, available=True))


@pytest.fixture
def sids(db: None) -> list[str]:
    floor = factories.workspace()
    return [factories.activity(floor, f"Activity {number}").sid for number in range(30)]


@pytest.mark.parametrize("count", [1, 2, 3, BySids.most, BySids.most + 1])
def test_any_number_of_rows_takes_one_query(
    sids: list[str], count: int, django_assert_num_queries: Any
) -> None:
    for wanted in (sids[:count], sids[-count:], sids[:count]):
        with django_assert_num_queries(1):
            found = ACTIVITIES(wanted)
        assert sorted(row.sid for row in found) == sorted(wanted)


def test_no_sids_take_no_query(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert ACTIVITIES([]) == []


def test_a_sid_given_twice_is_one_row(sids: list[str]) -> None:
    assert [row.sid for row in ACTIVITIES([sids[3], sids[3]])] == [sids[3]]


def test_what_is_not_there_or_not_asked_for_is_left_out(sids: list[str]) -> None:
    models.Activity.objects.filter(sid=sids[1]).update(available=False)
    found = ACTIVITIES([sids[0], sids[1], "WA" + "0" * 32])
    assert [row.sid for row in found] == [sids[0]]
