"""The workspace of most tests of the router's reads."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories


@pytest.fixture
def workspace() -> models.Workspace:
    """Return a workspace with tasks for workers of their language, a lane for each language."""
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    factories.workflow(
        workspace, default={"queue": queue.sid, "expression": "task.lang IN worker.langs"}
    )
    return workspace
