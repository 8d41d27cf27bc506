"""PostgreSQL is cut off without a word from one part, or from all: nothing hangs with it."""

from __future__ import annotations

import http.client
import time
from pathlib import Path

import pytest

from tests.chaos.conftest import SECONDS, Services, served
from tests.chaos.floor import Floor, Outcome, check, part
from tests.chaos.proxy import Proxy
from tests.running import free_port, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]
BEFORE = 8.0
"""Seconds of load before and after a fault."""
LONGEST = 10.0


@pytest.mark.quick
def test_a_runner_is_cut_off_from_the_database_beside_a_healthy_one(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services) as server,
        part(server, "jobs", DATABASE_URL=services.through(proxy)),
    ):
        floor = Floor(server, rate=8)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            proxy.stall()
            time.sleep(SECONDS)
            proxy.resume()
            ended = time.time()
            time.sleep(BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


def test_one_of_two_web_processes_is_cut_off_from_the_database(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services) as server,
    ):
        other = free_port()
        with part(server, "web", "127.0.0.1", str(other), DATABASE_URL=services.through(proxy)):
            wait_until(lambda: answers(other), "the second web process answers")
            floor = Floor(server, rate=8)
            floor.ports.append(other)
            with floor.load():
                time.sleep(BEFORE)
                began = time.time()
                proxy.stall()
                time.sleep(SECONDS)
                proxy.resume()
                ended = time.time()
                time.sleep(BEFORE)
            floor.wait_for_offers()
            outcome = floor.outcome(began, ended)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_answer <= LONGEST
    assert set(outcome.statuses) <= {201, 503}
    assert all(answer.status == 201 for answer in floor.answers if answer.at > ended + BEFORE / 2)


def test_the_database_is_cut_off_from_everything(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services, DATABASE_URL=services.through(proxy)) as server,
    ):
        floor = Floor(server, rate=4)
        with floor.load():
            time.sleep(BEFORE)
            began = time.time()
            proxy.stall()
            time.sleep(SECONDS)
            proxy.resume()
            ended = time.time()
            time.sleep(BEFORE)
        floor.wait_for_offers()
        outcome = floor.outcome(began, ended)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_answer <= LONGEST
    assert outcome.delay_after <= LONGEST
    assert all(answer.status == 201 for answer in floor.answers if answer.at > ended + BEFORE / 2)


def answers(port: int) -> bool:
    """Return whether a web process takes requests."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/accounts/login/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
