"""The workspace of contests about a transfer, and their contestants."""

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

Given = dict[str, Any]
Contestant = tuple[Callable[..., object], Given]
"""An action and its arguments, without the actor."""


@dataclass
class Contest:
    """Two actions of which only one can succeed.

    Arguments:
        gate: the row that is kept from both until both want it.
    """

    floor: models.Workspace
    gate: Dated
    sides: dict[str, Contestant]


class Hall:
    """A floor on which Alice has a task, with Bob and Cecilia beside her."""

    def __init__(self) -> None:
        self.floor = factories.workspace()
        self.alice = factories.worker(self.floor, "Alice")
        self.held = factories.accepted(self.floor)
        self.bob = factories.worker(self.floor, "Bob", attributes={"team": "billing"})
        self.cecilia = factories.worker(self.floor, "Cecilia", attributes={"team": "sales"})

    def handing_to(
        self, to: models.Worker | models.TaskQueue, mode: TransferMode = TransferMode.COLD
    ) -> Contestant:
        """Hand Alice's task on."""
        given = {"reservation": self.held, "to": to.sid, "mode": mode, "now": NOW}
        return transfers.begin_transfer, given

    def billing(self) -> models.TaskQueue:
        """Make a queue that Bob alone serves."""
        return factories.queue(self.floor, target_workers="team == 'billing'")

    def handed_to(
        self, to: models.Worker | models.TaskQueue, mode: TransferMode = TransferMode.COLD
    ) -> models.Transfer:
        """Hand Alice's task on, and have that done."""
        action, given = self.handing_to(to, mode)
        made = action(actor=SYSTEM, **given)
        assert isinstance(made, models.Transfer)
        return made

    def offer(self) -> models.Reservation:
        """Return Bob's offer."""
        return self.bob.reservations.get(reservation_status="pending")

    def contest(self, gate: Dated, **sides: Contestant) -> Contest:
        """Set up the contest: its contestants and the row they compete for."""
        return Contest(self.floor, gate, sides)
