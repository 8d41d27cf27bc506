"""Repeated queries are planned once by a real PostgreSQL, or never prepared if switched off."""

from __future__ import annotations

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
# A busy machine makes cycles slow, which is no subject here.
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.races.settings", "SLOW_CYCLE_SECONDS": "0"}


def test_statements_of_every_cycle_are_prepared_once_and_used_again(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.prepared_statements", "on", **SETTINGS)
    assert report["offered"] == [True] * 4
    assert report["inserts"] == [4]
    assert report["claims"] == [4]


@pytest.mark.parametrize("prepare", ["on", "off"])
def test_more_offers_than_one_cached_statement_serves_are_made_together(
    postgres_url: str, prepare: str
) -> None:
    report = run_program(postgres_url, "tests.races.prepared_statements", prepare, **SETTINGS)
    assert report["many"] == {"offers": 40, "said": ""}


def test_nothing_is_prepared_if_prepared_statements_are_off(postgres_url: str) -> None:
    report = run_program(postgres_url, "tests.races.prepared_statements", "off", **SETTINGS)
    assert report["offered"] == [True] * 4
    assert report["statements"] == 0
