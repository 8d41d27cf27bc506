"""A task is offered in the transaction that creates it only where the router would do the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
OFFERED = {"status": "reserved", "answered": "pending", "offers": 1, "wrong": []}
WAITS = {"status": "pending", "answered": "pending", "offers": 0, "wrong": []}


@pytest.fixture(scope="module")
def report(postgres_url: str) -> dict[str, Any]:
    """Return what the program has found."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}
    return run_program(postgres_url, "tests.races.first_offers", **settings)


def test_a_change_between_reading_and_writing_leaves_the_task_to_the_router(
    report: dict[str, Any],
) -> None:
    changes = dict(report["changes"])
    assert changes.pop("nothing") == OFFERED
    assert len(changes) == 7
    assert changes == dict.fromkeys(changes, WAITS)


def test_a_creation_never_waits_for_a_worker(report: dict[str, Any]) -> None:
    assert report["locked"] == WAITS


def test_no_older_task_is_overtaken_on_any_channel(report: dict[str, Any]) -> None:
    assert report["older"] == dict.fromkeys(("chat", "voice"), WAITS | {"older": "reserved"})


def test_a_refused_offer_is_left_to_the_router_and_not_tried_again_at_once(
    report: dict[str, Any],
) -> None:
    assert report["refused"] == WAITS | {"tries": 1}


@pytest.mark.parametrize("scene", ["alike", "alike with callbacks"])
def test_rows_and_events_are_those_of_a_creation_and_a_cycle(
    report: dict[str, Any], scene: str
) -> None:
    found = report[scene]
    assert found["differences"] == []
    assert found["rows"]["reservations"] == 1
    assert (found["rows"]["deliveries"] > 0) is (scene == "alike with callbacks")


def test_the_router_is_woken_only_for_what_is_left_and_deadlines_are_kept(
    report: dict[str, Any],
) -> None:
    assert report["deadlines"] == {"wakes": [0, 1], "is due": True, "first offer": "timeout"}


def test_many_creations_beside_routers_and_answers_break_no_law(report: dict[str, Any]) -> None:
    found = report["crowd"]
    assert found["failures"] == []
    assert found["wrong"] == []
    assert found["made"] == 37
    assert found["at once"] > 0
