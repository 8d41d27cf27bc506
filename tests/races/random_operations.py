"""Random operations of workers and customers in a rush hour, each with its weight."""

from __future__ import annotations

import functools
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
from routing.actions.support import first_offers
from routing.actions.support.errors import ActionError, NotEligible
from routing.actors import SYSTEM
from routing.core.vocabulary import (
    AssignmentStatus,
    ReservationStatus,
    TransferMode,
    TransferStatus,
)
from routing.db import guarded
from tests.properties.router_floor import KINDS

Row = TypeVar("Row", bound=django.Model)

CHANNELS: Final = ("chat", "voice", "sms")
QUIET_CHANNEL: Final = "quiet"
"""A channel with more slots than tasks, so that tasks are offered when they are created."""
MEAN_PAUSE_SECONDS: Final = 0.04
"""Seconds between two operations on average, which leaves processor time to the routers."""
MAX_WAITING_TASKS: Final = 80
"""Tasks; while more wait, none are created."""


class RandomOperations:
    """The operations of one process: those of some workers, and of customers."""

    def __init__(self, workspace: str, *, names: list[str], seed: int) -> None:
        """Prepare the operations; `names` are those of the workers who act."""
        self.dice = random.Random(seed)
        self.floor = models.Workspace.objects.get(sid=workspace)
        self.names = names
        self.outcomes: Counter[str] = Counter()

    def act_until(self, moment: float, *, least: int = 0) -> Counter[str]:
        """Run operations one after the other until a moment; return the outcomes.

        Arguments:
            moment: seconds of the monotonic clock.
            least: number of operations to run even after the moment.

        The loser of a race gets an `ActionError`, or a database error where a row that a new one
        refers to is gone; the entry points answer both. Anything else is a defect.
        """
        acts, weights = zip(*self.weighted_operations().items(), strict=True)
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
            time.sleep(self.dice.expovariate(1 / MEAN_PAUSE_SECONDS))
        return self.outcomes

    def weighted_operations(self) -> dict[Callable[[], object], int]:
        """Return the operations with their weights."""
        return {
            self.accept: 24,
            self.reject: 4,
            self.wrap_up: 5,
            self.complete: 14,
            self.grab: 10,
            self.begin_transfer: 5,
            self.cancel_transfer: 2,
            self.create_task: 20,
            self.create_quiet_task: 8,
            self.create_task_for_one: 2,
            self.change_task: 4,
            self.cancel_task: 4,
            self.complete_task: 4,
            self.delete_task: 2,
        }

    @property
    def now(self) -> datetime:
        """Return the present moment."""
        return timezone.now()

    def run_action(self, action: Callable[..., object], **given: Any) -> object:
        """Run an action now, as the system."""
        return action(actor=SYSTEM, now=self.now, **given)

    def pick_row(self, rows: django.QuerySet[Row]) -> Row | None:
        """Return one of the newest 30 of these rows, if there is any."""
        found = list(rows.order_by("-pk")[:30])
        return self.dice.choice(found) if found else None

    def pick_worker(self) -> models.Worker:
        """Return one of the workers who act here."""
        return models.Worker.objects.select_related("activity").get(
            workspace=self.floor, friendly_name=self.dice.choice(self.names)
        )

    # --- workers answer and work ---

    def _answer_reservation(
        self, action: Callable[..., object], *statuses: ReservationStatus
    ) -> object:
        """Answer a reservation in one of these statuses, or sometimes an old one."""
        mine = models.Reservation.objects.filter(worker__friendly_name__in=self.names)
        if self.dice.random() < 0.95:
            mine = mine.filter(reservation_status__in=[status.value for status in statuses])
        held = self.pick_row(mine)
        return None if held is None else self.run_action(action, reservation=held)

    def accept(self) -> object:
        return self._answer_reservation(reservations.accept_reservation, ReservationStatus.PENDING)

    def reject(self) -> object:
        return self._answer_reservation(reservations.reject_reservation, ReservationStatus.PENDING)

    def wrap_up(self) -> object:
        return self._answer_reservation(
            reservations.wrap_up_reservation, ReservationStatus.ACCEPTED
        )

    def complete(self) -> object:
        return self._answer_reservation(
            reservations.complete_reservation,
            ReservationStatus.ACCEPTED,
            ReservationStatus.WRAPPING,
        )

    def grab(self) -> object:
        task = self.pick_row(self.tasks_in(AssignmentStatus.PENDING))
        return (
            None
            if task is None
            else self.run_action(offers.grab_task, task=task, worker=self.pick_worker())
        )

    def begin_transfer(self) -> object:
        """A task goes to a colleague, perhaps one at this desk, or to a queue."""
        mine = models.Reservation.objects.filter(worker__friendly_name__in=self.names)
        held = self.pick_row(mine.filter(reservation_status=ReservationStatus.ACCEPTED.value))
        colleagues = models.Worker.objects.filter(workspace=self.floor)
        queues = models.TaskQueue.objects.filter(workspace=self.floor)
        to = self.pick_row(queues) if self.dice.random() < 0.4 else self.pick_row(colleagues)
        if held is None or to is None:
            return None
        mode = self.dice.choice(list(TransferMode))
        return self.run_action(transfers.begin_transfer, reservation=held, to=to.sid, mode=mode)

    def cancel_transfer(self) -> object:
        begun = models.Transfer.objects.filter(workspace=self.floor)
        if self.dice.random() < 0.9:
            begun = begun.filter(transfer_status=TransferStatus.INITIATED.value)
        found = self.pick_row(begun)
        return None if found is None else self.run_action(transfers.cancel_transfer, transfer=found)

    # --- tasks come, change and go ---

    def tasks_in(self, *statuses: AssignmentStatus) -> django.QuerySet[models.Task]:
        """Return the tasks in these statuses."""
        return models.Task.objects.filter(
            workspace=self.floor, assignment_status__in=[status.value for status in statuses]
        )

    def custom_channels(self) -> django.QuerySet[models.TaskChannel]:
        """Return the channels that operations create and delete."""
        return models.TaskChannel.objects.filter(
            workspace=self.floor, unique_name__startswith="custom"
        )

    def _pick_channel(self) -> models.TaskChannel:
        name = self.dice.choice(CHANNELS)
        custom = self.pick_row(self.custom_channels()) if self.dice.random() < 0.1 else None
        return custom or models.TaskChannel.objects.get(workspace=self.floor, unique_name=name)

    def create_task(self) -> object:
        if self.tasks_in(AssignmentStatus.PENDING).count() >= MAX_WAITING_TASKS:
            return None
        return self._create_by_cached_rows(
            attributes=json.dumps(self.dice.choice(KINDS)),
            task_channel=self._pick_channel(),
            priority=self.dice.randint(0, 2),
            timeout=self.dice.choice([3, 86_400]),
        )

    def create_quiet_task(self) -> object:
        channel = models.TaskChannel.objects.get(workspace=self.floor, unique_name=QUIET_CHANNEL)
        return self._create_by_cached_rows(task_channel=channel)

    def _create_by_cached_rows(self, **given: Any) -> object:
        """Create a task as requests do it: it may be offered at once, in any lane."""
        create = functools.partial(
            self.run_action, tasks.create_task, workspace=self.floor, **given
        )
        first_offers.forget_pauses()
        return guarded.Reads().run(create, again=create)

    def create_task_for_one(self) -> object:
        """A task goes to one worker; `forced` marks in the events that it may exceed capacity."""
        forced = self.dice.random() < 0.5
        return self.run_action(
            tasks.create_task,
            workspace=self.floor,
            attributes=json.dumps({"forced": forced}),
            task_channel=self._pick_channel(),
            routing_target=self.pick_worker().sid,
            ignore_capacity=forced,
        )

    def change_task(self) -> object:
        waiting = self.tasks_in(AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
        task = self.pick_row(waiting.filter(routing_target=None))
        if task is None:
            return None
        changes: dict[str, Any] = self.dice.choice(
            [
                {"attributes": json.dumps(self.dice.choice(KINDS))},
                {"priority": self.dice.randint(0, 4)},
                {"task_channel": self._pick_channel()},
            ]
        )
        return self.run_action(tasks.update_task, task=task, **changes)

    def cancel_task(self) -> object:
        found = self.tasks_in(AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
        return self._end_task(task_transitions.cancel_task, found)

    def complete_task(self) -> object:
        found = self.tasks_in(AssignmentStatus.ASSIGNED, AssignmentStatus.WRAPPING)
        return self._end_task(task_transitions.complete_task, found)

    def delete_task(self) -> object:
        return self._end_task(tasks.delete_task, models.Task.objects.filter(workspace=self.floor))

    def _end_task(
        self, action: Callable[..., object], rows: django.QuerySet[models.Task]
    ) -> object:
        task = self.pick_row(rows)
        return None if task is None else self.run_action(action, task=task) or True
