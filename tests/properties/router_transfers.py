"""State machine of a workspace with transfers."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from routing import models
from routing.actions import transfers
from routing.core.vocabulary import TransferMode
from tests.properties.router_machine import PEOPLE, RouterMachine, numbers, people

modes = st.sampled_from(TransferMode)


class TransferMachine(RouterMachine):
    """All actions of the state machine, and transfers begun and taken back in between."""

    def _begin(self, number: int, to: str, mode: TransferMode) -> None:
        held = models.Reservation.objects.filter(
            workspace=self.workspace, reservation_status__in=["accepted", "wrapping", "pending"]
        ).select_related("workspace")
        if (reservation := self._pick(held, number)) is not None:
            self._attempt(transfers.begin_transfer, reservation=reservation, to=to, mode=mode)

    @rule(number=numbers, name=people, mode=modes)
    def hand_to_colleague(self, number: int, name: str, mode: TransferMode) -> None:
        """A worker transfers a task to a colleague, or tries to."""
        self._begin(number, self.people[name].sid, mode)

    @rule(number=numbers, queue=st.integers(0, len(PEOPLE) - 1), mode=modes)
    def hand_to_queue(self, number: int, queue: int, mode: TransferMode) -> None:
        """A worker transfers a task to a queue."""
        queues = self.workspace.task_queues.order_by("pk")
        self._begin(number, queues[queue % queues.count()].sid, mode)

    @rule(number=numbers)
    def take_back(self, number: int) -> None:
        """A worker takes a transfer back, or is too late."""
        if (transfer := self._pick(self.workspace.transfers.all(), number)) is not None:
            self._attempt(transfers.cancel_transfer, transfer=transfer)
