"""A creation by cached rows is what it would be by rows read now, whatever changes, and when."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres
CREATED: dict[str, Any] = {
    "status": 201,
    "workflow": "Chats",
    "queue": "Support",
    "workflow name": "Chats",
    "queue name": "Support",
}


def run_scene(postgres_url: str, scene: str) -> dict[str, Any]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.races.settings"}
    return run_program(postgres_url, "tests.races.cached_rows", scene, **settings)


@pytest.mark.parametrize("moment", ["change_between", "change_within"])
def test_a_change_by_another_process_counts_at_once(postgres_url: str, moment: str) -> None:
    report = run_scene(postgres_url, moment)
    statuses = {name: answer["status"] for name, answer in report.items()}
    assert statuses == {
        "account": 401,
        "key": 401,
        "second workflow": 400,
        "no workspace": 404,
        **dict.fromkeys(("workspace", "workflow", "queue", "channel", "lane"), 201),
    }
    changed = {
        "workspace": {"workspace name": "New"},
        "workflow": {"workflow": "New", "workflow name": "New"},
        "queue": {"queue": "New", "queue name": "New"},
        "channel": {},
        "lane": {},
    }
    for name, difference in changed.items():
        assert report[name].items() >= (CREATED | difference).items()
    # The floor's own four tasks, and the new one once.
    assert {report[name]["tasks"] for name in changed} == {5}
    assert {report[name]["tasks"] for name in ("account", "key", "second workflow")} == {4}


def test_what_was_absent_is_found_once_it_exists(postgres_url: str) -> None:
    report = run_scene(postgres_url, "find_what_was_absent")
    assert report == {"statuses": [400, 201]}


def test_an_insert_that_may_be_done_is_not_repeated(postgres_url: str) -> None:
    assert run_scene(postgres_url, "lose_the_answer") == {"status": 503, "sent": 1}


def test_a_creation_takes_one_round_trip(postgres_url: str) -> None:
    report = run_scene(postgres_url, "count_round_trips")
    assert report["account"] == report["key"] == 1


def test_a_wrong_secret_beside_a_cached_key_is_one_failure(postgres_url: str) -> None:
    report = run_scene(postgres_url, "refuse_wrong_secrets")
    assert report == {"statuses": [401] * 3, "noted": 3}
