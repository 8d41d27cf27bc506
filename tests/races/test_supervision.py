"""Supervisors against workers, against each other, and against a process that dies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def contests(postgres_url: str) -> dict[str, Any]:
    """Return the outcome of every contest, by its name and by who was first."""
    return run_program(postgres_url, "tests.races.supervision_contests")


@pytest.mark.parametrize(
    ("contest", "first", "outcomes", "tasks", "reservations"),
    [
        # A task that is assigned is not grabbed, and the other way round.
        (
            *("assign_and_grab", "assign", ["assign: done", "grab: task_not_pending"]),
            *(["assigned", "reserved"], ["Alice: accepted", "Cecilia: pending"]),
        ),
        (
            *("assign_and_grab", "grab", ["assign: task_not_pending", "grab: done"]),
            *(["assigned", "assigned"], ["Alice: accepted", "Bob: accepted"]),
        ),
        # The last slot is given once.
        (
            *("two_assignments", "first", ["first: done", "second: no_capacity"]),
            *(["assigned", "reserved", "pending"], ["Alice: accepted", "Bob: pending"]),
        ),
        (
            *("two_assignments", "second", ["first: no_capacity", "second: done"]),
            *(["assigned", "pending", "reserved"], ["Alice: accepted", "Bob: pending"]),
        ),
        # What was completed is not taken back, and what was taken back is not completed.
        (
            *("take_back_and_complete", "take_back", ["complete: NotNow", "take_back: done"]),
            *(["pending"], ["Alice: completed"]),
        ),
        (
            *("take_back_and_complete", "complete", ["complete: done", "take_back: NotNow"]),
            *(["completed"], ["Alice: completed"]),
        ),
        *(
            (
                *("two_take_backs", first, sorted([f"{first}: done", f"{second}: NotNow"])),
                *(["pending"], ["Alice: completed"]),
            )
            for first, second in (("one", "other"), ("other", "one"))
        ),
        (
            *("take_back_and_transfer", "take_back", ["take_back: done", "transfer: NotNow"]),
            *(["pending"], ["Alice: completed"]),
        ),
        (
            *("take_back_and_transfer", "transfer", ["take_back: NotNow", "transfer: done"]),
            *(["reserved"], ["Alice: accepted", "Bob: pending"]),
        ),
        # A task that was moved may be grabbed from its new queue; a grabbed one is not moved.
        (
            *("move_and_grab", "move", ["grab: done", "move: done"]),
            *(["assigned", "assigned"], ["Alice: accepted", "Bob: accepted"]),
        ),
        (
            *("move_and_grab", "grab", ["grab: done", "move: NotNow"]),
            *(["assigned", "assigned"], ["Alice: accepted", "Bob: accepted"]),
        ),
        # Both changes by one count.
        *(
            (
                *("two_supervisors", first, ["one: done", "other: done"]),
                *(["assigned"], ["Alice: accepted"]),
            )
            for first in ("one", "other")
        ),
    ],
)
def test_one_of_two_contestants_wins_and_the_other_gets_an_error(
    contests: dict[str, Any],
    contest: str,
    first: str,
    outcomes: list[str],
    tasks: list[str],
    reservations: list[str],
) -> None:
    played = contests[contest][first]
    assert played["crashes"] == []
    assert (played["problems"], played["stuck"], played["over_capacity"]) == ([], 0, 0)
    assert played["outcomes"] == outcomes
    assert played["tasks"] == tasks
    assert played["reservations"] == reservations


def test_every_contest_is_checked(contests: dict[str, Any]) -> None:
    looked_at = test_one_of_two_contestants_wins_and_the_other_gets_an_error.pytestmark[0].args[1]
    played = {(contest, first) for contest, found in contests.items() for first in found}
    assert {case[:2] for case in looked_at} == played


def test_a_batch_whose_process_was_killed_is_finished_with_each_row_done_once(
    postgres_url: str,
) -> None:
    report = run_program(postgres_url, "tests.races.batch_deaths")
    assert report["crashes"] == []
    assert report["problems"] == []
    assert (report["ended_with"], report["done_before"]) == (9, 15)
    assert (report["state"], report["done"]) == ("finished", 40)
    assert report["capacities"] == [2]
    assert report["events_per_worker"] == [1]
