"""The workspace of most tests of the router's reads."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories


@pytest.fixture
def floor() -> models.Workspace:
    """Return a workspace with tasks for workers of their language, a lane for each language."""
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(
        floor, default={"queue": queue.sid, "expression": "task.lang IN worker.langs"}
    )
    return floor
