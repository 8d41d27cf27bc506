"""Figures of the floor that thresholds and tiles compare: their unit, and which side is bad."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class FigureUnit(StrEnum):
    """The unit of a figure and of its limits."""

    COUNT = "count"
    SECONDS = "seconds"
    PERCENT = "percent"


_PERCENT: Final = frozenset({"service_level", "abandonment"})
_SECONDS: Final = frozenset({"longest_wait", "oldest_wrap_up", "speed", "handle_time"})
_LOW_IS_BAD: Final = frozenset(
    {"available", "free", "slots_free", "service_level", "answered", "handled"}
)


class FloorFigure(StrEnum):
    """A figure of the floor; thresholds and tiles each have those of their own."""

    @property
    def unit(self) -> FigureUnit:
        """Return the unit of the figure and of its limits."""
        if self.value in _PERCENT:
            return FigureUnit.PERCENT
        return FigureUnit.SECONDS if self.value in _SECONDS else FigureUnit.COUNT

    @property
    def is_low_bad(self) -> bool:
        """Return whether it is bad at a limit or below it, and not at it or above."""
        return self.value in _LOW_IS_BAD

    def is_beyond(self, limit: int, value: float | None) -> bool:
        """Return whether a value is at a limit or on its bad side; no value is not."""
        if value is None:
            return False
        return value <= limit if self.is_low_bad else value >= limit

    def is_worse(self, limit: int, other: int) -> bool:
        """Return whether a limit is reached later than another one."""
        return limit < other if self.is_low_bad else limit > other
