"""Events and counts on a real PostgreSQL, with ids taken before commits and many writers."""

from __future__ import annotations

import pytest

from tests.races.event_log import EVENTS_PER_WRITER, WRITERS
from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}


def test_a_consumer_of_the_log_misses_no_event_of_concurrent_writers(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.event_log", "consumer", **SETTINGS)
    assert (report["missed"], report["twice"]) == (0, 0)
    assert report["read"] > WRITERS * EVENTS_PER_WRITER
    assert report["rounds"] > 1
    # Proof that the race happened: some events were read after others with later ids.
    assert not report["by_id"]


def test_a_consumer_continues_after_the_log_was_restored_on_another_server(
    postgres_url: str,
) -> None:
    report = run_program(postgres_url, "tests.races.event_log", "restored", **SETTINGS)
    assert report == {"hidden": 0, "same": True, "more": 1}


def test_counts_are_right_while_they_are_merged(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.event_log", "counts", **SETTINGS)
    assert (report["problems"], report["differences"]) == ([], 0)
    assert report["rows"] < 100
    assert report["left"] <= 5
