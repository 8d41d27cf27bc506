"""`credentials.env`: what the first start writes, and what later ones keep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.server import Cordboard, running_server

pytestmark = pytest.mark.system

GIVEN = {
    "ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "AUTH_TOKEN": "a `token` with spaces, 'single', \"double\" and $dollars",
    "API_KEY_SID": "SK" + "fedcba9876543210" * 2,
    "API_KEY_SECRET": "short",
    "ADMIN_USER": "ada",
    "ADMIN_PASSWORD": "#not a comment; not a command",
}


def test_the_first_start_generates_all_credentials(cordboard: Cordboard) -> None:
    made = cordboard.credentials()
    assert made.keys() == GIVEN.keys()
    assert re.fullmatch("AC[0-9a-f]{32}", made["ACCOUNT_SID"])
    assert re.fullmatch("SK[0-9a-f]{32}", made["API_KEY_SID"])
    assert made["ADMIN_USER"] == "admin"
    assert str(cordboard.home / "credentials.env") in cordboard.said()


def test_the_first_start_reads_the_environment_and_later_starts_the_file(
    data_directory: Path,
) -> None:
    with running_server(data_directory, environment=GIVEN) as server:
        assert server.credentials() == GIVEN
        server.end()
        for name in GIVEN:
            del server.environment[name]
        server.environment["ADMIN_PASSWORD"] = "comes too late"
        server.start()
        assert server.credentials() == GIVEN


def test_a_lost_credentials_file_is_reported_and_not_replaced(data_directory: Path) -> None:
    with running_server(data_directory) as server:
        server.end()
        (data_directory / "credentials.env").unlink()
        server.start()
        assert "credentials.env is missing" in server.said()
        assert not (data_directory / "credentials.env").exists()


def test_an_invalid_sid_is_refused_before_anything_is_written(data_directory: Path) -> None:
    server = Cordboard(data_directory, environment={"ACCOUNT_SID": "not-a-sid"})
    server.launch()
    assert server.ended() == 1
    assert "'not-a-sid' is not an account sid" in server.said()
    assert "Traceback" not in server.said()
    assert not (data_directory / "credentials.env").exists()
