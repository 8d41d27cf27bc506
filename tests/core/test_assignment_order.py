"""The order of workers by their last slot, compared with a plain list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from routing.core.matching.assignment_order import BLOCK_SIZE, AssignmentOrder


@given(st.lists(st.integers(0, 80), min_size=1, max_size=6 * BLOCK_SIZE), st.data())
def test_the_first_of_any_workers_is_the_one_whose_last_slot_is_longest_ago(
    assigned: list[int], data: st.DataObject
) -> None:
    order = AssignmentOrder()
    plain: list[int] = []
    for place in assigned:
        order.append(place, 1 << place)
        if place in plain:
            plain.remove(place)
        plain.append(place)
        some = data.draw(st.sets(st.sampled_from(plain), min_size=1))
        among = sum(1 << one for one in some)
        assert order.find_first(among) == next(one for one in plain if one in some)
