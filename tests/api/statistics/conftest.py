"""Fixtures of statistics tests: a clock that stands still, and a queue to count in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from routing import models
from routing.actions import reservations
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, later


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock of requests at the moment of the factories."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def queue(workspace: models.Workspace) -> models.TaskQueue:
    """Return the queue into which the workspace's workflow puts every task."""
    return factories.queue(workspace)


@pytest.fixture
def workflow(workspace: models.Workspace, queue: models.TaskQueue) -> models.Workflow:
    """Return the workspace's workflow."""
    return factories.workflow(workspace, default=queue)


def accept(offer: models.Reservation, seconds: float) -> models.Reservation:
    """Accept an offer so many seconds after the clock stood still."""
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=later(seconds))


def activity_counts(answer: Any) -> dict[str, int]:
    """Return how many workers are in each activity."""
    return {each["friendly_name"]: each["workers"] for each in answer["activity_statistics"]}
