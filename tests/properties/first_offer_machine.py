"""State machine in which tasks are offered in the transaction that creates them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from django.db import connection, transaction
from hypothesis.stateful import rule

from routing import models
from routing.actions import task_transitions
from routing.actions.support import first_offers
from routing.core import snapshot
from tests import factories
from tests.properties.router_machine import attributes, channels
from tests.properties.router_transfers import TransferMachine


class FirstOfferMachine(TransferMachine):
    """All actions; each creation is compared with the cycle that would run right after it.

    Queues offer each task to one worker, so that more tasks may be offered at once. Nothing but
    the database is needed for that: the tasks are created in one large transaction. SQLite only
    decides, as it writes no offer at a creation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.workspace.task_queues.update(max_reserved_workers=1)

    @rule(given=attributes, channel=channels)
    def calm_down(self, given: dict[str, Any], channel: str) -> None:
        """All work ends, and then tasks come one after the other."""
        for task in self.workspace.tasks.filter(date_finished=None):
            for action in (task_transitions.cancel_task, task_transitions.complete_task):
                self._attempt(action, task=task)
        self.run()
        self.create(given, channel, 0, 86_400, 2)

    def add_task(self, **given: Any) -> None:
        """Create a task; its offer at once, if any, is that of a cycle without this."""
        with contextlib.suppress(_TakenBack), transaction.atomic():
            task = factories.task(self.workspace, **given)
            factories.run(self.workspace, self.now)
            expected = _list_offered(task)
            raise _TakenBack
        before = factories.last_event()
        with offering_at_creation() as chosen:
            task = factories.task(self.workspace, **given)
        if connection.vendor == "postgresql":
            chosen = _list_offered(task)
        if chosen:
            assert chosen == expected
        if chosen and connection.vendor == "postgresql":
            types = factories.event_types(before)
            assert types[-1] == "reservation.created"
            # Nothing is left that another cycle would do for this task or because of it.
            offered = models.Reservation.objects.count()
            factories.run(self.workspace, self.now)
            assert models.Reservation.objects.count() == offered


class _TakenBack(Exception):
    """Raised to take back what was only tried."""


def _list_offered(task: models.Task) -> list[int | None]:
    return [*task.reservations.order_by("pk").values_list("worker_id", flat=True)]


@contextlib.contextmanager
def offering_at_creation() -> Iterator[list[int | None]]:
    """Offer tasks at their creation; the list gets the workers chosen where none can be written."""
    chosen: list[int | None] = []

    def write(task: Any, drafts: Any, worker: snapshot.Worker, *given: Any, **more: Any) -> bool:
        chosen.append(worker.id)
        return False

    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(first_offers, "_is_enabled", return_value=True))
        if connection.vendor != "postgresql":
            stack.enter_context(mock.patch.object(first_offers, "_write", write))
        yield chosen
