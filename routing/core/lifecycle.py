"""Lifecycles of tasks and reservations as transition tables, and the functions that read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from routing.core.vocabulary import AssignmentStatus as Task
from routing.core.vocabulary import ReservationStatus as Reservation

TASK_TRANSITIONS: Final[dict[Task, frozenset[Task]]] = {
    Task.PENDING: frozenset({Task.RESERVED, Task.CANCELED}),
    Task.RESERVED: frozenset({Task.PENDING, Task.ASSIGNED, Task.CANCELED}),
    # During a transfer the task is offered again while its worker still has it.
    # A supervisor may take it back from a worker who is gone: then it waits again.
    Task.ASSIGNED: frozenset({Task.RESERVED, Task.WRAPPING, Task.COMPLETED, Task.PENDING}),
    Task.WRAPPING: frozenset({Task.COMPLETED, Task.PENDING}),
    Task.COMPLETED: frozenset(),
    Task.CANCELED: frozenset(),
}

RESERVATION_TRANSITIONS: Final[dict[Reservation, frozenset[Reservation]]] = {
    Reservation.PENDING: frozenset(
        {
            Reservation.ACCEPTED,
            Reservation.REJECTED,
            Reservation.TIMEOUT,
            Reservation.CANCELED,
            Reservation.RESCINDED,
        }
    ),
    # An accepted reservation is never withdrawn; if its task is deleted, it completes.
    Reservation.ACCEPTED: frozenset({Reservation.WRAPPING, Reservation.COMPLETED}),
    Reservation.WRAPPING: frozenset({Reservation.COMPLETED}),
    Reservation.COMPLETED: frozenset(),
    Reservation.REJECTED: frozenset(),
    Reservation.TIMEOUT: frozenset(),
    Reservation.CANCELED: frozenset(),
    Reservation.RESCINDED: frozenset(),
}

FINAL_TASK: Final = frozenset(s for s, after in TASK_TRANSITIONS.items() if not after)
OPEN_RESERVATION: Final = frozenset(s for s, after in RESERVATION_TRANSITIONS.items() if after)
"""The statuses in which a reservation takes a slot of its worker's capacity."""

HELD_RESERVATION: Final = frozenset({Reservation.ACCEPTED, Reservation.WRAPPING})
"""The statuses in which a reservation's worker holds its task."""


class InvalidTransition(Exception):
    """A status cannot follow another."""

    def __init__(self, current: str, new: str) -> None:
        super().__init__(f"[{current}] cannot go to [{new}]")
        self.current = current
        self.new = new


def check_transition(current: Task | Reservation, new: Task | Reservation) -> None:
    """Raise `InvalidTransition` unless `new` may follow `current` (two statuses of one noun)."""
    allowed: frozenset[Task] | frozenset[Reservation]
    if isinstance(current, Task):
        allowed = TASK_TRANSITIONS[current]
    else:
        allowed = RESERVATION_TRANSITIONS[current]
    if new not in allowed:
        raise InvalidTransition(current, new)


def derive_task_status(reservations: Iterable[Reservation], *, in_transfer: bool = False) -> Task:
    """Derive a live task's status from those of its reservations.

    Arguments:
        in_transfer: whether the task's worker is transferring it.
    """
    statuses = frozenset(reservations)
    if Reservation.ACCEPTED in statuses:
        return Task.RESERVED if in_transfer else Task.ASSIGNED
    if Reservation.WRAPPING in statuses:
        return Task.WRAPPING
    if Reservation.PENDING in statuses:
        return Task.RESERVED
    return Task.PENDING
