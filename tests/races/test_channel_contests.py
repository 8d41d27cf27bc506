"""A task channel that is made while people come and go, on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def contests(postgres_url: str) -> dict[str, Any]:
    """Return Bob's new channel, by whether he comes or goes and by who was first."""
    return run_program(postgres_url, "tests.races.channel_contests")


@pytest.mark.parametrize("first", ["move", "open"])
@pytest.mark.parametrize(("way", "available"), [("goes", False), ("comes", True)])
def test_a_new_channel_agrees_with_a_worker_who_changes_activity_concurrently(
    contests: dict[str, Any], way: str, first: str, available: bool
) -> None:
    played = contests[way][first]
    assert played["crashes"] == []
    assert played["outcomes"] == ["move: done", "open: done"]
    assert played["available"] is available
    assert played["problems"] == []
