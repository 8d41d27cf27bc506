"""Races about a transfer, on a real PostgreSQL: one wins, the other gets an error."""

from __future__ import annotations

from typing import Any

import pytest

from tests.races.runner import run_program

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def contests(postgres_url: str) -> dict[str, Any]:
    """Return the outcome of every contest, by its name and by who was first."""
    return run_program(postgres_url, "tests.races.transfer_contests")


ALICE_HAS_IT = (["assigned"], ["Alice: accepted"])
BOB_IS_ASKED = (["reserved"], ["Alice: accepted", "Bob: pending"])
BOB_HAS_IT = (["assigned"], ["Alice: completed", "Bob: accepted"])
STARTED = ["initiated"]


@pytest.mark.parametrize(
    ("contest", "first", "outcomes", "transfers", "tasks", "reservations"),
    [
        # Of two transfers of one task one wins.
        ("two_transfers", "bob", ["bob: done", "cecilia: NotNow"], STARTED, *BOB_IS_ASKED),
        (
            *("two_transfers", "cecilia", ["bob: NotNow", "cecilia: done"], STARTED),
            *(["reserved"], ["Alice: accepted", "Cecilia: pending"]),
        ),
        # An accepted transfer is not taken back, and one that was taken back is not accepted.
        (
            *("accept_and_cancel", "accept", ["accept: done", "cancel: NotNow"], ["complete"]),
            *BOB_HAS_IT,
        ),
        (
            *("accept_and_cancel", "cancel", ["accept: NotNow", "cancel: done"], ["canceled"]),
            *(["assigned"], ["Alice: accepted", "Bob: canceled"]),
        ),
        # An offer is answered or has timed out.
        (
            *("accept_and_timeout", "accept"),
            *(["accept: done", "timeout: StaleState"], ["complete"], *BOB_HAS_IT),
        ),
        (
            *("accept_and_timeout", "timeout"),
            *(["accept: NotNow", "timeout: done"], ["failed"]),
            *(["assigned"], ["Alice: accepted", "Bob: timeout"]),
        ),
        # A queue's turn ends with its last offer, or by its being accepted.
        (
            *("give_up_and_accept", "accept"),
            *(["accept: done", "end: StaleState"], ["complete"], *BOB_HAS_IT),
        ),
        (
            *("give_up_and_accept", "end", ["accept: NotNow", "end: done"], ["failed"]),
            *(["assigned"], ["Alice: accepted", "Bob: timeout"]),
        ),
        # A task in transfer is not ended, and an ended task is not transferred.
        (
            *("transfer_and_complete", "transfer", ["complete: NotNow", "transfer: done"]),
            *(STARTED, *BOB_IS_ASKED),
        ),
        (
            *("transfer_and_complete", "complete", ["complete: done", "transfer: NotNow"], []),
            *(["completed"], ["Alice: completed"]),
        ),
        *(
            (
                *("transfer_and_cancel", first, ["cancel: NotNow", "transfer: done"]),
                *(STARTED, *BOB_IS_ASKED),
            )
            for first in ("transfer", "cancel")
        ),
        (
            *("transfer_and_delete", "transfer", ["delete: done", "transfer: done"]),
            *([], [], []),
        ),
        (
            *("transfer_and_delete", "delete", ["delete: done", "transfer: StaleState"]),
            *([], [], []),
        ),
        # A worker who has left gets no offer, and a worker with an offer does not leave.
        (
            *("transfer_and_leave", "transfer", ["leave: NotNow", "transfer: done"]),
            *(STARTED, *BOB_IS_ASKED),
        ),
        (
            *("transfer_and_leave", "leave", ["leave: done", "transfer: NotNow"], []),
            *ALICE_HAS_IT,
        ),
        # The last slot is for one of two; only a worker who is named gets an offer beyond capacity.
        (
            *("transfer_and_grab", "transfer", ["grab: no_capacity", "transfer: done"], STARTED),
            *(["reserved", "pending"], ["Alice: accepted", "Bob: pending"]),
        ),
        (
            *("transfer_and_grab", "grab", ["grab: done", "transfer: done"], STARTED),
            *(["reserved", "assigned"], ["Alice: accepted", "Bob: accepted", "Bob: pending"]),
        ),
        (
            *("queue_and_grab", "ask", ["ask: done", "grab: no_capacity"], STARTED),
            *(["reserved", "pending"], ["Alice: accepted", "Bob: pending"]),
        ),
        (
            *("queue_and_grab", "grab", ["ask: StaleState", "grab: done"], STARTED),
            *(["reserved", "assigned"], ["Alice: accepted", "Bob: accepted"]),
        ),
        # Of two routers one makes the offer.
        ("two_routers", "one", ["one: done", "other: StaleState"], STARTED, *BOB_IS_ASKED),
        ("two_routers", "other", ["one: StaleState", "other: done"], STARTED, *BOB_IS_ASKED),
        # Leaving before the end completes one's part; after it there is nothing to leave.
        *(
            (
                *("leave_and_complete", first, outcomes, ["complete"]),
                *(["completed"], ["Alice: completed", "Bob: completed"]),
            )
            for first, outcomes in (
                ("leave", ["complete: done", "leave: done"]),
                ("complete", ["complete: done", "leave: NotNow"]),
            )
        ),
    ],
)
def test_one_of_two_contestants_wins_and_the_other_gets_an_error(
    contests: dict[str, Any],
    contest: str,
    first: str,
    outcomes: list[str],
    transfers: list[str],
    tasks: list[str],
    reservations: list[str],
) -> None:
    played = contests[contest][first]
    assert played["crashes"] == []
    assert played["outcomes"] == outcomes
    assert played["transfers"] == transfers
    assert played["tasks"] == tasks
    assert played["reservations"] == reservations


def test_every_contest_is_checked(contests: dict[str, Any]) -> None:
    looked_at = test_one_of_two_contestants_wins_and_the_other_gets_an_error.pytestmark[0].args[1]
    played = {(contest, first) for contest, found in contests.items() for first in found}
    assert {case[:2] for case in looked_at} == played


def test_the_tables_agree_and_no_transfer_is_stuck_after_every_contest(
    contests: dict[str, Any],
) -> None:
    for contest, found in contests.items():
        for first, played in found.items():
            assert (played["problems"], played["stuck"]) == ([], 0), (contest, first)
            # Only a named colleague may get an offer beyond their capacity.
            most = 1 if (contest, first) == ("transfer_and_grab", "grab") else 0
            assert played["over_capacity"] == most, (contest, first)
