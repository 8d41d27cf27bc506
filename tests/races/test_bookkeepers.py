"""The bookkeeper on a real PostgreSQL, beside others and while threads write."""

from __future__ import annotations

import pytest

from tests.races.bookkeepers import TURNS, WRITERS
from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}


def test_several_bookkeepers_count_each_event_once(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.bookkeepers", "several", **SETTINGS)
    assert report.pop("dropped") > 0
    assert report == {
        "problems": [],
        "entered": 0,
        "abandoned": 0,
        "tasks": WRITERS * TURNS,
    }


def test_a_bookkeeper_goes_on_after_the_log_was_restored_on_another_server(
    postgres_url: str,
) -> None:
    report = run_program(postgres_url, "tests.races.bookkeepers", "restored", **SETTINGS)
    assert report == {"entered": 2, "problems": []}
