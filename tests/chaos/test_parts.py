"""A part dies or hangs beside a healthy one of its kind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.chaos.conftest import BOTH, Services, served
from tests.chaos.floor import Floor, Outcome, check
from tests.running import Cordboard, part_beside

pytestmark = pytest.mark.chaos
LONGEST = 10.0


@BOTH
def test_tasks_are_offered_while_one_of_two_runners_is_killed(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with served(tmp_path / "var", services) as server, part_beside(server, "jobs") as runner:
        outcome = Floor(server, rate=8).endure(runner.kill, lambda: None)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


@pytest.mark.postgres
def test_tasks_are_offered_while_one_of_two_runners_hangs(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with served(tmp_path / "var", services) as server, part_beside(server, "jobs") as runner:
        outcome = freeze(server, runner.pid, rate=8)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


@BOTH
def test_tasks_are_offered_while_beat_hangs(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with served(tmp_path / "var", services) as server:
        outcome = freeze(server, server.part("beat"), rate=4)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


def freeze(server: Cordboard, process: int, *, rate: float) -> Outcome:
    """Stop a process for a while, and return the figures of that fault."""
    return Floor(server, rate=rate).endure(
        lambda: os.kill(process, signal.SIGSTOP), lambda: os.kill(process, signal.SIGCONT)
    )
