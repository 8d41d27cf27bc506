"""Steps that tests of event callbacks share."""

from __future__ import annotations

from routing import models
from routing.actions import workspaces
from routing.actors import SYSTEM
from routing.webhook_delivery import event_deliveries
from tests.factories import NOW
from tests.webhooks.conftest import Clock


def set_callback_url(
    workspace: models.Workspace, url: str, events_filter: str | None = None
) -> None:
    """Set the event callback of a workspace."""
    workspaces.update_workspace(
        workspace=workspace,
        event_callback_url=url,
        events_filter=events_filter,
        actor=SYSTEM,
        now=NOW,
    )


def post_events(workspace: models.Workspace, clock: Clock) -> None:
    """Post the undelivered events of a workspace, as the job does."""
    event_deliveries.post_due_events(workspace.sid, clock=clock)


def count_pending() -> int:
    return models.CallbackDelivery.objects.pending().count()
