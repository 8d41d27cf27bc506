"""PostgreSQL is cut off silently from one part, or from all: no other part hangs."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.chaos.conftest import Services, served
from tests.chaos.floor import AROUND, Floor, Outcome, check
from tests.chaos.proxy import Proxy
from tests.running import free_port, part_beside, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]
LONGEST = 10.0


@pytest.mark.quick
def test_tasks_are_offered_while_one_of_two_runners_has_no_database(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services) as server,
        part_beside(server, "jobs", DATABASE_URL=services.through(proxy)),
    ):
        outcome = Floor(server, rate=8).endure(proxy.stall, proxy.resume)
    note.append(outcome)
    check(outcome)
    assert outcome.longest_gap <= LONGEST


def test_no_task_is_lost_while_one_of_two_web_processes_has_no_database(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    other = free_port()
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services) as server,
        part_beside(server, "web", "127.0.0.1", str(other), DATABASE_URL=services.through(proxy)),
    ):
        wait_until(lambda: answers(other), "the second web process answers")
        floor = Floor(server, rate=8)
        floor.ports.append(other)
        outcome = floor.endure(proxy.stall, proxy.resume)
    note.append(outcome)
    check(outcome)
    check_answers(floor, outcome)


def test_no_task_is_lost_when_the_database_is_cut_off(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services, DATABASE_URL=services.through(proxy)) as server,
    ):
        floor = Floor(server, rate=4)
        outcome = floor.endure(proxy.stall, proxy.resume)
    note.append(outcome)
    check(outcome)
    check_answers(floor, outcome)
    assert outcome.delay_after <= LONGEST


def test_a_slow_database_does_not_count_as_silent(
    tmp_path: Path, services: Services, note: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        served(tmp_path / "var", services, DATABASE_URL=services.through(proxy)) as server,
    ):
        outcome = Floor(server, rate=1).endure(lambda: proxy.slow(0.05), proxy.resume)
        said = server.said()
    note.append(outcome)
    check(outcome)
    assert set(outcome.statuses) == {201}
    assert "database.silent" not in said


def check_answers(floor: Floor, outcome: Outcome) -> None:
    """Fail if a client waited for long, or was refused when the fault was over."""
    assert outcome.longest_answer <= LONGEST
    assert set(outcome.statuses) <= {201, 503}
    late = [answer for answer in floor.answers if answer.at > floor.ended + AROUND / 2]
    assert {answer.status for answer in late} == {201}


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
