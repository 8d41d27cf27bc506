"""The window of time for cumulative figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A span from one moment to another, both included."""

    start: datetime
    end: datetime
