"""Windows of time for figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A span from one moment to another, both included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Whole minutes: the first one, and the one before which it ends, since 1970."""

    start: int
    end: int
