"""Closed lists are closed: every table keyed by one is total."""

from __future__ import annotations

import pytest

from routing import models
from routing.core import decisions, lifecycle
from routing.core.event_catalog import RESERVATION_EVENTS, TRANSFER_EVENTS, EventType
from routing.core.vocabulary import (
    AssignmentStatus,
    GrabPolicy,
    ReservationStatus,
    ResourceType,
    TransferStatus,
)
from routing.router import applying


def test_every_decision_has_an_action_that_carries_it_out() -> None:
    assert set(applying.APPLY) == set(decisions.Decision.__args__)


def test_every_status_is_in_its_lifecycle() -> None:
    assert set(lifecycle.TASK_TRANSITIONS) == set(AssignmentStatus)
    assert set(lifecycle.RESERVATION_TRANSITIONS) == set(ReservationStatus)


def test_every_reservation_status_has_its_event() -> None:
    assert set(RESERVATION_EVENTS) == set(ReservationStatus)


def test_every_transfer_status_has_its_event() -> None:
    assert set(TRANSFER_EVENTS) == set(TransferStatus)


@pytest.mark.parametrize(
    ("vocabulary", "model", "column"),
    [
        (AssignmentStatus, models.Task, "assignment_status"),
        (ReservationStatus, models.Reservation, "reservation_status"),
        (EventType, models.Event, "event_type"),
        (ResourceType, models.Event, "resource_type"),
        (GrabPolicy, models.TaskQueue, "grab_policy"),
    ],
)
def test_every_value_of_the_vocabulary_fits_its_column(vocabulary, model, column) -> None:  # type: ignore[no-untyped-def]
    room = model._meta.get_field(column).max_length
    assert max(len(word) for word in vocabulary) <= room
