"""A part dies or hangs beside a healthy one of its kind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.chaos.conftest import BOTH_DATABASES, Services, server_on_services
from tests.chaos.task_load import LoadedWorkspace, Outcome, check_outcome
from tests.server import Cordboard, running_part

pytestmark = pytest.mark.chaos
LONGEST = 10.0


@BOTH_DATABASES
def test_tasks_are_offered_while_one_of_two_runners_is_killed(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    with (
        server_on_services(tmp_path / "var", services) as server,
        running_part(server, "jobs") as runner,
    ):
        outcome = LoadedWorkspace(server, rate=8).measure_fault(runner.kill, lambda: None)
    outcomes.append(outcome)
    check_outcome(outcome)
    assert outcome.longest_gap <= LONGEST


@pytest.mark.postgres
def test_tasks_are_offered_while_one_of_two_runners_hangs(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    with (
        server_on_services(tmp_path / "var", services) as server,
        running_part(server, "jobs") as runner,
    ):
        outcome = freeze(server, runner.pid, rate=8)
    outcomes.append(outcome)
    check_outcome(outcome)
    assert outcome.longest_gap <= LONGEST


@BOTH_DATABASES
def test_tasks_are_offered_while_beat_hangs(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    with server_on_services(tmp_path / "var", services) as server:
        outcome = freeze(server, server.part("beat"), rate=4)
    outcomes.append(outcome)
    check_outcome(outcome)
    assert outcome.longest_gap <= LONGEST


def freeze(server: Cordboard, process: int, *, rate: float) -> Outcome:
    """Stop a process for a while, and return the figures of that fault."""
    return LoadedWorkspace(server, rate=rate).measure_fault(
        lambda: os.kill(process, signal.SIGSTOP), lambda: os.kill(process, signal.SIGCONT)
    )
