"""Alice supervises workspace A, Bob workspace B; Charlie is an agent, Olga an operator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from routing import models
from routing.actions import memberships
from tests import factories
from tests.admin.visitors import Visitor


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    """Return workspace A."""
    return factories.workspace(friendly_name="Floor A")


@pytest.fixture
def other(db: None) -> models.Workspace:
    """Return workspace B."""
    return factories.workspace(friendly_name="Floor B")


@pytest.fixture
def alice(workspace: models.Workspace) -> Visitor:
    """Return the supervisor of workspace A."""
    return Visitor(supervisor("alice", workspace))


@pytest.fixture
def bob(other: models.Workspace) -> Visitor:
    """Return the supervisor of workspace B."""
    return Visitor(supervisor("bob", other))


@pytest.fixture
def charlie(workspace: models.Workspace) -> Visitor:
    """Return an agent of workspace A."""
    user = User.objects.create_user("charlie", password="something long enough")
    factories.worker(workspace, "Charlie", user=user)
    return Visitor(user)


@pytest.fixture
def olga(db: None) -> Visitor:
    """Return the operator."""
    return Visitor(User.objects.create_superuser("olga"))


@pytest.fixture
def recorded_events(db: None) -> Callable[[], list[str]]:
    """Return a function that returns the event types since its last call, or the test's start."""
    seen = 0

    def since() -> list[str]:
        nonlocal seen
        found = factories.event_types(seen)
        seen = factories.last_event()
        return found

    return since


def supervisor(name: str, workspace: models.Workspace) -> User:
    """Make a login that supervises a workspace."""
    user = User.objects.create_user(name)
    memberships.add_membership(workspace=workspace, user=user)
    user.refresh_from_db()
    return user
