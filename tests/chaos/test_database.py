"""PostgreSQL is cut off silently from one part, or from all: no other part hangs."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.chaos.conftest import Services, server_on_services
from tests.chaos.proxy import Proxy
from tests.chaos.task_load import AROUND_SECONDS, LoadedWorkspace, Outcome, check_outcome
from tests.server import free_port, running_part, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.postgres]
LONGEST = 10.0


@pytest.mark.ci
@pytest.mark.quick
def test_tasks_are_offered_while_one_of_two_runners_has_no_database(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        server_on_services(tmp_path / "var", services) as server,
        running_part(server, "jobs", DATABASE_URL=services.through(proxy)),
    ):
        outcome = LoadedWorkspace(server, rate=8).measure_fault(proxy.stall, proxy.resume)
    outcomes.append(outcome)
    check_outcome(outcome)
    assert outcome.longest_gap <= LONGEST


def test_no_task_is_lost_while_one_of_two_web_processes_has_no_database(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    other = free_port()
    with (
        Proxy(services.database_socket).running() as proxy,
        server_on_services(tmp_path / "var", services) as server,
        running_part(server, "web", "127.0.0.1", str(other), DATABASE_URL=services.through(proxy)),
    ):
        wait_until(lambda: answers(other), "the second web process answers")
        floor = LoadedWorkspace(server, rate=8)
        floor.ports.append(other)
        outcome = floor.measure_fault(proxy.stall, proxy.resume)
    outcomes.append(outcome)
    check_outcome(outcome)
    check_answers(floor, outcome)


def test_no_task_is_lost_when_the_database_is_cut_off(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        server_on_services(
            tmp_path / "var", services, DATABASE_URL=services.through(proxy)
        ) as server,
    ):
        floor = LoadedWorkspace(server, rate=4)
        outcome = floor.measure_fault(proxy.stall, proxy.resume)
    outcomes.append(outcome)
    check_outcome(outcome)
    check_answers(floor, outcome)
    assert outcome.delay_after <= LONGEST


def test_a_slow_database_does_not_count_as_silent(
    tmp_path: Path, services: Services, outcomes: list[Outcome]
) -> None:
    with (
        Proxy(services.database_socket).running() as proxy,
        server_on_services(
            tmp_path / "var", services, DATABASE_URL=services.through(proxy)
        ) as server,
    ):
        outcome = LoadedWorkspace(server, rate=1).measure_fault(
            lambda: proxy.slow(0.05), proxy.resume
        )
        output = server.said()
    outcomes.append(outcome)
    check_outcome(outcome)
    assert set(outcome.statuses) == {201}
    assert "database.silent" not in output


def check_answers(floor: LoadedWorkspace, outcome: Outcome) -> None:
    """Fail if a client waited for long, or was refused when the fault was over."""
    assert outcome.longest_answer <= LONGEST
    assert set(outcome.statuses) <= {201, 503}
    late = [answer for answer in floor.answers if answer.at > floor.ended + AROUND_SECONDS / 2]
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
