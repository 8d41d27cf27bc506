"""Measure in rounds, and print a table: bar, figure, ratio, met or not. Nothing here can fail."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Table:
    """What was measured, a line for each bar."""

    lines: list[str] = field(default_factory=list)

    def add(self, bar: str, figure: str, ratio: str = "", met: bool | None = None) -> None:
        """Add a line; `met` None is a figure without a bar."""
        word = {True: "met", False: "NOT MET", None: ""}[met]
        self.lines.append(f"{bar:<66} {figure:>22} {ratio:>12}  {word}")


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """Return the table that is printed at the end."""
    made = Table()
    yield made
    print("\n\n" + "\n".join(made.lines))  # noqa: T201 - the table is what it is for


def median_ms(act: Callable[[], object], *, rounds: int = 7) -> float:
    """Return how many milliseconds an act takes, the median of so many rounds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)
