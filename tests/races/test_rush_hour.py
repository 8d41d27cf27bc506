"""A rush hour: eight router processes and fifty workers in one workspace on PostgreSQL.

`RACE_SECONDS` in the environment is its length (2 by default); `make races` runs a minute.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import redis
from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
SEED = 3
FIGURES = ("offers", "offers at creation", "tasks", "events")
HARMLESS = ("done", "nothing to do")


@pytest.fixture
def redis_url() -> Iterator[str]:
    """Return the URL of a private Redis."""
    with (
        tempfile.TemporaryDirectory(prefix="cb-rush-", dir="/tmp") as home,
        redis.private_server(Path(home) / "redis.sock") as url,
    ):
        yield url


def summarize(report: dict[str, Any], seconds: str) -> str:
    """Return the summary of the report: operations and their outcomes, lost races, cycles."""
    outcomes: dict[str, Counter[str]] = {}
    lost: Counter[str] = Counter()
    for name, count in report["acted"].items():
        operation, _, outcome = name.partition(": ")
        outcomes.setdefault(operation, Counter())[outcome] += count
        if outcome not in HARMLESS:
            lost[outcome] += count
    lines = [f"A rush hour of {seconds} s: {sum(report['acted'].values())} operations"]
    for operation, found in sorted(outcomes.items()):
        each = ", ".join(f"{count} {outcome}" for outcome, count in found.most_common())
        lines.append(f"  {operation:<20} {found.total():>6}: {each}")
    lines.append(f"Lost races and refusals: {lost.total()}")
    lines += [f"  {outcome:<40} {count:>6}" for outcome, count in lost.most_common()]
    lines.append("Routers")
    lines += [f"  {what:<40} {count:>6}" for what, count in sorted(report["routed"].items())]
    lines += [f"  {what:<40} {report[what]:>6}" for what in FIGURES]
    return "\n".join(lines)


def test_no_rule_is_broken_after_a_rush_hour_of_many_processes(
    postgres_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slots, owners, counters and events agree, and no free worker is left beside eligible work."""
    seconds = os.environ.get("RACE_SECONDS", "2")
    report = run_program(
        postgres_url, "tests.races.rush_hour", seconds, str(SEED), RACES_REDIS_URL=redis_url
    )
    with capsys.disabled():
        print(f"\n{summarize(report, seconds)}")  # noqa: T201 - the figures are what it is for
    assert report["crashes"] == []
    assert report["wrong"] == []
    assert report["routed"]["cycles"] > 0
    assert report["acted"]["accept: done"] > 0
    assert report["acted"]["grab: done"] > 0
    assert any(name.startswith("begin_transfer: ") for name in report["acted"])
