"""A part dies or hangs beside a healthy one of its kind, or the database is merely slow."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.chaos.conftest import SECONDS, Services, served
from tests.chaos.floor import Floor, Outcome, check, part
from tests.chaos.proxy import Proxy

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]
BEFORE = 8.0
"""Seconds of load before and after a fault."""
LONGEST = 10.0


@pytest.mark.parametrize(
    "services",
    [pytest.param("postgres", marks=pytest.mark.postgres), "sqlite"],
    indirect=True,
)
def test_one_of_two_runners_is_killed(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with served(tmp_path / "var", services) as server, part(server, "jobs") as runner:
        floor = Floor(server, rate=8)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            runner.kill()
            time.sleep(2 * BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, began)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


def test_one_of_two_runners_hangs(tmp_path: Path, services: Services, note: list[Outcome]) -> None:
    with served(tmp_path / "var", services) as server, part(server, "jobs") as runner:
        floor = Floor(server, rate=8)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            os.kill(runner.pid, signal.SIGSTOP)
            time.sleep(SECONDS)
            os.kill(runner.pid, signal.SIGCONT)
            ended = time.time()
            time.sleep(BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


def test_beat_hangs(tmp_path: Path, services: Services, note: list[Outcome]) -> None:
    with served(tmp_path / "var", services) as server:
        floor = Floor(server, rate=4)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            os.kill(server.part("beat"), signal.SIGSTOP)
            time.sleep(SECONDS)
            os.kill(server.part("beat"), signal.SIGCONT)
            ended = time.time()
            time.sleep(BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


def test_a_slow_database_counts_as_no_silent_one(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services, DATABASE_URL=services.through(proxy)) as server,
    ):
        floor = Floor(server, rate=1)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            proxy.slow(0.05)
            time.sleep(SECONDS)
            proxy.resume()
            ended = time.time()
            time.sleep(BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
        said = server.said()
    note.append(outcome)
    check(outcome)
    assert set(outcome.statuses) == {201}
    assert "database.silent" not in said
