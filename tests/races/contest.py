"""Contests: two actions that compete for one row lock, and the workspace that they act in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from routing import models
from routing.actions import transfers
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from routing.models.base import Dated
from tests import factories
from tests.factories import NOW

Arguments = dict[str, Any]
Contestant = tuple[Callable[..., object], Arguments]
"""An action and its arguments, without the actor."""


@dataclass
class Contest:
    """Two competing actions.

    Arguments:
        gate: the row whose lock both actions wait for before either continues.
    """

    floor: models.Workspace
    gate: Dated
    sides: dict[str, Contestant]


class TransferSetup:
    """A workspace where Alice has accepted a task, and Bob and Cecilia are available."""

    def __init__(self) -> None:
        self.floor = factories.workspace()
        self.alice = factories.worker(self.floor, "Alice")
        self.held = factories.accepted(self.floor)
        self.bob = factories.worker(self.floor, "Bob", attributes={"team": "billing"})
        self.cecilia = factories.worker(self.floor, "Cecilia", attributes={"team": "sales"})

    def transfer_to(
        self, to: models.Worker | models.TaskQueue, mode: TransferMode = TransferMode.COLD
    ) -> Contestant:
        """Return the action that transfers Alice's task."""
        arguments = {"reservation": self.held, "to": to.sid, "mode": mode, "now": NOW}
        return transfers.begin_transfer, arguments

    def make_billing_queue(self) -> models.TaskQueue:
        """Make a queue that only Bob serves."""
        return factories.queue(self.floor, target_workers="team == 'billing'")

    def begin_transfer_to(
        self, to: models.Worker | models.TaskQueue, mode: TransferMode = TransferMode.COLD
    ) -> models.Transfer:
        """Transfer Alice's task and return the transfer."""
        action, arguments = self.transfer_to(to, mode)
        made = action(actor=SYSTEM, **arguments)
        assert isinstance(made, models.Transfer)
        return made

    def offer(self) -> models.Reservation:
        """Return Bob's offer."""
        return self.bob.reservations.get(reservation_status="pending")

    def contest(self, gate: Dated, **sides: Contestant) -> Contest:
        """Return a contest of these actions for the lock of a row."""
        return Contest(self.floor, gate, sides)
