"""The span of time that cumulative figures are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """From one moment to another, both of them included."""

    start: datetime
    end: datetime
