"""Workers and customers of a rush hour: random operations, each with its probability."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import IntegrityError
from django.db import models as django
from django.utils import timezone

from routing import models
from routing.actions import offers, reservations, task_transitions, tasks, transfers
from routing.actions.support.errors import ActionError, NotEligible
from routing.actors import SYSTEM
from routing.core.vocabulary import (
    AssignmentStatus,
    ReservationStatus,
    TransferMode,
    TransferStatus,
)
from tests.properties.router_floor import KINDS

Row = TypeVar("Row", bound=django.Model)

CHANNELS: Final = ("chat", "voice", "sms")
PAUSE: Final = 0.04
"""Seconds between two acts at a desk, on average: the routers need a processor too."""
MOST_WAITING: Final = 80
"""Tasks; while more wait, none are created."""


class Desk:
    """One process in which several workers act, and customers beside them."""

    def __init__(self, workspace: str, *, names: list[str], seed: int) -> None:
        """Sit down; `names` are the workers who act here."""
        self.dice = random.Random(seed)
        self.floor = models.Workspace.objects.get(sid=workspace)
        self.names = names
        self.outcomes: Counter[str] = Counter()

    def act_until(self, moment: float, *, least: int = 0) -> Counter[str]:
        """Do one thing after another until a moment; return what became of each.

        Arguments:
            moment: of the monotonic clock.
            least: so many things are done whatever the clock shows.

        The loser of a race gets an `ActionError`, or a database error where a row that a new one
        refers to is gone; the entry points answer both. Anything else is a defect.
        """
        acts, weights = zip(*self.chances().items(), strict=True)
        while time.monotonic() < moment or self.outcomes.total() < least:
            act = self.dice.choices(acts, weights)[0]
            try:
                done = act()
            except NotEligible as error:
                outcome = f"NotEligible ({error.refusal.value})"
            except (ActionError, IntegrityError) as error:
                outcome = type(error).__name__
            else:
                outcome = "nothing to do" if done is None else "done"
            self.outcomes[f"{act.__name__}: {outcome}"] += 1
            time.sleep(self.dice.expovariate(1 / PAUSE))
        return self.outcomes

    def chances(self) -> dict[Callable[[], object], int]:
        """Return the operations of this desk, with their weights."""
        return {
            self.accept: 24,
            self.reject: 4,
            self.wrap_up: 5,
            self.complete: 14,
            self.grab: 10,
            self.hand_on: 5,
            self.take_back: 2,
            self.create_task: 20,
            self.create_task_for_one: 2,
            self.change_task: 4,
            self.cancel_task: 4,
            self.complete_task: 4,
            self.delete_task: 2,
        }

    @property
    def now(self) -> datetime:
        """Return the moment at which something is done."""
        return timezone.now()

    def do(self, action: Callable[..., object], **given: Any) -> object:
        """Run an action now, as the system."""
        return action(actor=SYSTEM, now=self.now, **given)

    def any(self, rows: django.QuerySet[Row]) -> Row | None:
        """Return one of the newest of these rows, if there is any."""
        found = list(rows.order_by("-pk")[:30])
        return self.dice.choice(found) if found else None

    def person(self) -> models.Worker:
        """Return one of the workers who act here."""
        return models.Worker.objects.select_related("activity").get(
            workspace=self.floor, friendly_name=self.dice.choice(self.names)
        )

    # --- workers answer and work ---

    def _answer(self, action: Callable[..., object], *statuses: ReservationStatus) -> object:
        """Answer a reservation in one of these statuses, or sometimes an old one."""
        mine = models.Reservation.objects.filter(worker__friendly_name__in=self.names)
        if self.dice.random() < 0.95:
            mine = mine.filter(reservation_status__in=[status.value for status in statuses])
        held = self.any(mine)
        return None if held is None else self.do(action, reservation=held)

    def accept(self) -> object:
        return self._answer(reservations.accept_reservation, ReservationStatus.PENDING)

    def reject(self) -> object:
        return self._answer(reservations.reject_reservation, ReservationStatus.PENDING)

    def wrap_up(self) -> object:
        return self._answer(reservations.wrap_up_reservation, ReservationStatus.ACCEPTED)

    def complete(self) -> object:
        return self._answer(
            reservations.complete_reservation,
            ReservationStatus.ACCEPTED,
            ReservationStatus.WRAPPING,
        )

    def grab(self) -> object:
        task = self.any(self._tasks(AssignmentStatus.PENDING))
        return None if task is None else self.do(offers.grab_task, task=task, worker=self.person())

    def hand_on(self) -> object:
        """A task goes to a colleague, perhaps one at this desk, or to a queue."""
        mine = models.Reservation.objects.filter(worker__friendly_name__in=self.names)
        held = self.any(mine.filter(reservation_status=ReservationStatus.ACCEPTED.value))
        colleagues = models.Worker.objects.filter(workspace=self.floor)
        queues = models.TaskQueue.objects.filter(workspace=self.floor)
        to = self.any(queues) if self.dice.random() < 0.4 else self.any(colleagues)
        if held is None or to is None:
            return None
        mode = self.dice.choice(list(TransferMode))
        return self.do(transfers.begin_transfer, reservation=held, to=to.sid, mode=mode)

    def take_back(self) -> object:
        begun = models.Transfer.objects.filter(workspace=self.floor)
        if self.dice.random() < 0.9:
            begun = begun.filter(transfer_status=TransferStatus.INITIATED.value)
        found = self.any(begun)
        return None if found is None else self.do(transfers.cancel_transfer, transfer=found)

    # --- tasks come, change and go ---

    def _tasks(self, *statuses: AssignmentStatus) -> django.QuerySet[models.Task]:
        return models.Task.objects.filter(
            workspace=self.floor, assignment_status__in=[status.value for status in statuses]
        )

    def customs(self) -> django.QuerySet[models.TaskChannel]:
        """Return the channels that come and go."""
        return models.TaskChannel.objects.filter(
            workspace=self.floor, unique_name__startswith="custom"
        )

    def _channel(self) -> models.TaskChannel:
        name = self.dice.choice(CHANNELS)
        custom = self.any(self.customs()) if self.dice.random() < 0.1 else None
        return custom or models.TaskChannel.objects.get(workspace=self.floor, unique_name=name)

    def create_task(self) -> object:
        if self._tasks(AssignmentStatus.PENDING).count() >= MOST_WAITING:
            return None
        return self.do(
            tasks.create_task,
            workspace=self.floor,
            attributes=json.dumps(self.dice.choice(KINDS)),
            task_channel=self._channel(),
            priority=self.dice.randint(0, 2),
            timeout=self.dice.choice([3, 86_400]),
        )

    def create_task_for_one(self) -> object:
        """A task goes to one worker; `forced` marks in the events that it may exceed capacity."""
        forced = self.dice.random() < 0.5
        return self.do(
            tasks.create_task,
            workspace=self.floor,
            attributes=json.dumps({"forced": forced}),
            task_channel=self._channel(),
            routing_target=self.person().sid,
            ignore_capacity=forced,
        )

    def change_task(self) -> object:
        waiting = self._tasks(AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
        task = self.any(waiting.filter(routing_target=None))
        if task is None:
            return None
        changes: dict[str, Any] = self.dice.choice(
            [
                {"attributes": json.dumps(self.dice.choice(KINDS))},
                {"priority": self.dice.randint(0, 4)},
                {"task_channel": self._channel()},
            ]
        )
        return self.do(tasks.update_task, task=task, **changes)

    def cancel_task(self) -> object:
        found = self._tasks(AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
        return self._end(task_transitions.cancel_task, found)

    def complete_task(self) -> object:
        found = self._tasks(AssignmentStatus.ASSIGNED, AssignmentStatus.WRAPPING)
        return self._end(task_transitions.complete_task, found)

    def delete_task(self) -> object:
        return self._end(tasks.delete_task, models.Task.objects.filter(workspace=self.floor))

    def _end(self, action: Callable[..., object], rows: django.QuerySet[models.Task]) -> object:
        task = self.any(rows)
        return None if task is None else self.do(action, task=task) or True
