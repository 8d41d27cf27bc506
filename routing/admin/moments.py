"""Write moments the way a log does: to the second, sortable, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(when: datetime | None) -> str:
    """Return a moment, or a dash for none."""
    return "–" if when is None else when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def moment_us(microseconds: int) -> str:
    """Return a moment that is kept in microseconds since 1970."""
    return moment(datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC))
