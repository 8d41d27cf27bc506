"""Events and counts on a real PostgreSQL, with ids taken before commits and many writers."""

from __future__ import annotations

import pytest

from tests.races.databases import play
from tests.races.reading import EACH, WRITERS

pytestmark = pytest.mark.postgres
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}


def test_who_reads_the_log_on_while_many_write_misses_nothing(postgres_url: str) -> None:
    report = play(postgres_url, "tests.races.reading", "consumer", **SETTINGS)
    assert (report["missed"], report["twice"]) == (0, 0)
    assert report["read"] > WRITERS * EACH
    assert report["rounds"] > 1
    # Or else this would prove nothing: some were read after others that have later ids.
    assert not report["by_id"]


def test_a_log_that_was_restored_elsewhere_is_read_on_where_it_stopped(postgres_url: str) -> None:
    report = play(postgres_url, "tests.races.reading", "restored", **SETTINGS)
    assert report == {"hidden": 0, "same": True, "more": 1}


def test_counts_are_right_while_they_are_merged(postgres_url: str) -> None:
    report = play(postgres_url, "tests.races.reading", "counts", **SETTINGS)
    assert (report["problems"], report["differences"]) == ([], 0)
    assert report["rows"] < 100
    assert report["left"] <= 5
