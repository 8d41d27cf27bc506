"""The lifecycles, pair by pair."""

from __future__ import annotations

from itertools import product

import pytest

from routing.core import lifecycle
from routing.core.vocabulary import AssignmentStatus as T
from routing.core.vocabulary import ReservationStatus as R

TASK_STEPS = {
    (T.PENDING, T.RESERVED),
    (T.PENDING, T.CANCELED),
    (T.RESERVED, T.PENDING),
    (T.RESERVED, T.ASSIGNED),
    (T.RESERVED, T.CANCELED),
    (T.ASSIGNED, T.RESERVED),
    (T.ASSIGNED, T.WRAPPING),
    (T.ASSIGNED, T.COMPLETED),
    (T.ASSIGNED, T.PENDING),
    (T.WRAPPING, T.COMPLETED),
    (T.WRAPPING, T.PENDING),
}

RESERVATION_STEPS = {
    *product([R.PENDING], [R.ACCEPTED, R.REJECTED, R.TIMEOUT, R.CANCELED, R.RESCINDED]),
    *product([R.ACCEPTED], [R.WRAPPING, R.COMPLETED]),
    *product([R.WRAPPING], [R.COMPLETED]),
}


@pytest.mark.parametrize(("current", "new"), list(product(T, T)))
def test_a_task_takes_these_steps_and_no_others(current: T, new: T) -> None:
    if (current, new) in TASK_STEPS:
        lifecycle.check_transition(current, new)
    else:
        with pytest.raises(lifecycle.InvalidTransition):
            lifecycle.check_transition(current, new)


@pytest.mark.parametrize(("current", "new"), list(product(R, R)))
def test_a_reservation_takes_these_steps_and_no_others(current: R, new: R) -> None:
    if (current, new) in RESERVATION_STEPS:
        lifecycle.check_transition(current, new)
    else:
        with pytest.raises(lifecycle.InvalidTransition):
            lifecycle.check_transition(current, new)


def test_pending_accepted_and_wrapping_reservations_take_a_slot() -> None:
    assert {R.PENDING, R.ACCEPTED, R.WRAPPING} == lifecycle.OPEN_RESERVATION


@pytest.mark.parametrize(
    ("reservations", "status"),
    [
        ([], T.PENDING),
        ([R.REJECTED, R.TIMEOUT], T.PENDING),
        ([R.PENDING, R.REJECTED], T.RESERVED),
        ([R.ACCEPTED, R.RESCINDED], T.ASSIGNED),
        ([R.WRAPPING], T.WRAPPING),
    ],
)
def test_a_live_tasks_status_follows_from_its_reservations(
    reservations: list[R], status: T
) -> None:
    assert lifecycle.derive_task_status(reservations) == status
