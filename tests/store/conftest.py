"""The floor that most tests of what the router reads take place on."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories


@pytest.fixture
def floor() -> models.Workspace:
    """Return a workspace whose tasks are for whoever speaks their language, a lane for each."""
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(
        floor, default={"queue": queue.sid, "expression": "task.lang IN worker.langs"}
    )
    return floor
