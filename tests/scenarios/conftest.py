"""Every scenario runs in both worlds."""

from __future__ import annotations

import pytest

from tests.worlds.core_world import CoreWorld
from tests.worlds.world import World


@pytest.fixture(params=["thought", pytest.param("deed", marks=pytest.mark.django_db)])
def office(request: pytest.FixtureRequest) -> World:
    """Return an empty office: once in memory, once in the database."""
    if request.param == "thought":
        return CoreWorld()
    from tests.worlds.database_world import DatabaseWorld

    return DatabaseWorld()
