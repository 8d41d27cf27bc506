"""`make run`: the start, the end, and the end of a single part."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from tests.server import (
    PARTS,
    Cordboard,
    are_all_ended,
    free_port,
    running_server,
    wait_until,
)

pytestmark = pytest.mark.system
LONGEST_END = 30.0
"""Seconds; six times what the contract gives an end, which `make bench` measures."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_process_in_time(data_directory: Path, number: signal.Signals) -> None:
    with running_server(data_directory) as server:
        parts = server.parts()
        asked = time.monotonic()
        assert server.end(number) == 0
        assert time.monotonic() - asked < LONGEST_END
        wait_until(lambda: are_all_ended(parts), "no part is left")
        assert server.said().endswith("Ctrl-C ends it.\n\nCordboard has ended.\n")
    assert not (data_directory / "redis").exists()


def test_a_hanging_part_is_killed_at_the_end(data_directory: Path) -> None:
    with running_server(data_directory) as server:
        parts = server.parts()
        os.kill(parts["jobs"], signal.SIGSTOP)
        assert server.end() == 0
        assert are_all_ended(parts)


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_dies_ends_the_server_and_is_named(data_directory: Path, name: str) -> None:
    with running_server(data_directory) as server:
        parts = server.parts()
        os.kill(parts[name], signal.SIGKILL)
        assert server.ended() != 0
        assert f"{name} ended unexpectedly (by SIGKILL)" in server.said()
        wait_until(lambda: are_all_ended(parts), "no part is left")


def test_a_killed_supervisor_leaves_no_process_and_loses_no_data(data_directory: Path) -> None:
    with running_server(data_directory) as server:
        before = server.credentials()
        parts = server.parts()
        server.end(signal.SIGKILL)
        wait_until(lambda: are_all_ended(parts), "the parts have followed")
        server.start()
        assert server.health()[0] == 200
        assert server.credentials() == before


def test_a_signal_during_the_start_ends_it_at_once(data_directory: Path) -> None:
    server = Cordboard(data_directory, from_nothing=True)
    process = server.launch()
    wait_until(lambda: (data_directory / "logs" / "beat.log").exists(), "the parts are starting")
    assert server.end() == 0
    assert process.returncode == 0
    assert "Cordboard is ready" not in server.said()


def test_two_servers_run_side_by_side(cordboard: Cordboard, data_directory: Path) -> None:
    with running_server(data_directory) as other:
        assert other.health()[0] == 200
        assert cordboard.health()[0] == 200
        assert other.credentials()["ACCOUNT_SID"] != cordboard.credentials()["ACCOUNT_SID"]


def test_a_second_server_on_the_same_data_is_refused_with_a_message(cordboard: Cordboard) -> None:
    assert cordboard.process is not None
    second = Cordboard(cordboard.home)
    second.launch()
    assert second.ended() == 1
    assert f"Another Cordboard (process {cordboard.process.pid}) runs on" in second.said()
    assert "Traceback" not in second.said()
    assert cordboard.health()[0] == 200


def test_a_port_in_use_is_refused_before_any_file_is_made(
    cordboard: Cordboard, data_directory: Path
) -> None:
    second = Cordboard(data_directory, environment={"PORT": cordboard.port}, from_nothing=True)
    second.launch()
    assert second.ended() == 1
    assert f"Port {cordboard.port} on 127.0.0.1 cannot be used" in second.said()
    assert not data_directory.exists()


def test_a_database_that_does_not_answer_is_named_in_one_sentence(data_directory: Path) -> None:
    url = f"postgres://cordboard@127.0.0.1:{free_port()}/none"
    server = Cordboard(data_directory, environment={"DATABASE_URL": url}, from_nothing=True)
    server.launch()
    assert server.ended() == 1
    assert "Cordboard cannot start: DATABASE_URL: PostgreSQL cannot be used" in server.said()
    assert "Traceback" not in server.said()


def test_the_data_directory_may_have_a_long_path(tmp_path: Path) -> None:
    with running_server(tmp_path / ("long" * 30)) as server:
        assert server.health()[0] == 200


def test_private_files_are_readable_only_by_their_owner(cordboard: Cordboard) -> None:
    def mode(name: str) -> int:
        return stat.S_IMODE((cordboard.home / name).stat().st_mode)

    assert mode("") == 0o700
    assert mode("credentials.env") == 0o600
    assert mode("secret-key") == 0o600
