"""A workspace whose callbacks go to a receiver on this machine, which the settings here allow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from config import environment
from routing import models
from routing.actions import workspaces
from routing.actors import SYSTEM
from routing.webhook_delivery import event_deliveries
from tests import factories
from tests.factories import NOW
from tests.webhooks.receiver import Receiver

TOKEN = "the token that signs"


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def shift(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    """Return the clock."""
    return Clock()


@pytest.fixture(autouse=True)
def _allowed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBACK_ALLOW_PRIVATE", "127.0.0.1")
    settings.CALLBACK_ALLOW_PRIVATE = environment.parse_networks("CALLBACK_ALLOW_PRIVATE")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that takes everything."""
    with Receiver(TOKEN).running() as running:
        yield running


@pytest.fixture
def account(transactional_db: None) -> models.Account:
    """Return an account whose token signs."""
    return factories.account(auth_token=TOKEN)


@pytest.fixture
def workspace(account: models.Account) -> models.Workspace:
    """Return a workspace without a callback address."""
    return factories.workspace(account=account)


@pytest.fixture
def notified_receiver(workspace: models.Workspace, receiver: Receiver, clock: Clock) -> Receiver:
    """Return a receiver that has all events of the workspace until now."""
    factories.workflow(workspace)
    workspaces.update_workspace(
        workspace=workspace, event_callback_url=receiver.url, actor=SYSTEM, now=NOW
    )
    event_deliveries.post_due_events(workspace.sid, clock=clock)
    receiver.requests.clear()
    return receiver


@pytest.fixture
def workflow(workspace: models.Workspace, receiver: Receiver) -> models.Workflow:
    """Return a workflow whose assignment callback is the receiver."""
    return factories.workflow(workspace, assignment_callback_url=receiver.url)
