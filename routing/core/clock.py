"""Convert moments to whole microseconds and back; hot columns and the core use these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1_000_000
"""Microseconds in a second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return the whole microseconds from 1970-01-01 UTC to an aware `moment`."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds_: int) -> datetime:
    """Return the aware UTC moment that lies this many microseconds after 1970-01-01."""
    return _EPOCH + timedelta(microseconds=microseconds_)


def elapsed_ms(since: datetime, until: datetime) -> int:
    """Return the milliseconds between two moments, of which each is cut to its millisecond.

    So readers of events get the same value from the dates that the API shows. Never below 0.
    """
    return max(microseconds(until) // 1000 - microseconds(since) // 1000, 0)


def whole_second(microseconds_: int) -> int:
    """Return the beginning of a moment's second, in microseconds."""
    return microseconds_ - microseconds_ % SECOND
