"""Fixtures of action tests: a workspace, and the event types since the last call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import models
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    """Return a new workspace."""
    return factories.workspace()


@pytest.fixture
def recorded_events(db: None) -> Callable[[], list[str]]:
    """Return a function that returns the event types since its last call."""
    seen = factories.last_event()

    def since() -> list[str]:
        nonlocal seen
        found = factories.event_types(seen)
        seen = factories.last_event()
        return found

    return since
