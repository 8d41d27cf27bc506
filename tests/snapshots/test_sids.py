"""Sids and the keys that stand for them in indexes."""

from __future__ import annotations

from datetime import timedelta

from routing import sids
from tests.factories import NOW, later


def test_sids_in_order_are_sids_and_follow_their_moments() -> None:
    made = [sids.new_ordered_sid("WT", later(minute * 60)) for minute in range(50)]
    assert all(sids.is_valid(sid, "WT") for sid in made)
    assert made == sorted(made)


def test_index_keys_of_ordered_sids_are_adjacent_and_unique() -> None:
    made = [sids.new_ordered_sid("WT", later(second)) for second in range(50) for _ in range(20)]
    keys = [sids.index_key(sid) for sid in made]
    assert len(set(keys)) == len(keys)
    assert max(keys) - min(keys) < 60 << 40
    assert [key >> 40 for key in keys] == sorted(key >> 40 for key in keys)


def test_a_key_fits_into_the_eight_bytes_of_its_column_whenever_it_was_made() -> None:
    for days in range(0, 40_000, 997):
        assert 0 <= sids.index_key(sids.new_ordered_sid("WT", NOW + timedelta(days=days))) < 2**63
