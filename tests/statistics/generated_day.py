"""A day of random work in one workspace, made by actions on a clock that is moved."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from routing import models
from routing.actions import (
    offers,
    reservations,
    task_moves,
    task_transitions,
    tasks,
    transfers,
    worker_channels,
    workers,
)
from routing.actions.support.errors import ActionError
from routing.actors import SYSTEM, Actor
from routing.core.vocabulary import TransferMode
from tests import factories

START = datetime.fromisoformat("2026-03-02T06:00:00.123456+00:00")
CUSTOMER = Actor(type="account", sid="AC0", source="api")
SUPERVISOR = Actor(type="user", sid="kim", source="supervisor")
WITHDRAWN = ("duplicate", "test")
CHANNELS = ("chat", "sms", "voice")


Row = TypeVar("Row", bound=Model)


class GeneratedDay:
    """The workspace, its clock, and one method for each thing that may happen."""

    def __init__(
        self,
        seed: int,
        *,
        account: models.Account | None = None,
        people: int = 6,
        end: timedelta = timedelta(hours=24),
    ) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.end = START + end
        self.workspace = factories.workspace(
            account=account, now=START, withdrawn_reasons="\n".join(WITHDRAWN)
        )
        self.queues = [
            factories.queue(self.workspace, friendly_name=name, now=START)
            for name in ("Billing", "Support", "Spare")
        ]
        billing, support, _ = self.queues
        kind = factories.filter_(
            "kind == 'billing'",
            factories.target(billing, timeout=300, priority=5),
            factories.target(support, timeout=3_000),
        )
        other = factories.filter_("kind == 'support'", factories.target(support))
        factories.workflow(self.workspace, kind, other, now=START, task_reservation_timeout=90)
        self.people = [self.hire(chat=3, sms=2) for _ in range(people)]

    def go_on(self, *, until_events: int) -> None:
        """Let things happen until there are so many events, or the day is over."""
        happenings: list[tuple[Callable[[], Any], int]] = [
            (self.create_task, 26),
            (self.run_router, 30),
            (self.accept_offer, 30),
            (self.reject_offer, 3),
            (self.finish_work, 22),
            (self.wrap_up, 10),
            (self.grab, 5),
            (self.assign, 7),
            (self.transfer, 12),
            (self.cancel_transfer, 1),
            (self.cancel, 5),
            (self.delete, 1),
            (self.change_task, 5),
            (self.take_back, 2),
            (self.move, 2),
            (self.change_activity, 4),
            (self.change_channel, 3),
        ]
        # So many steps that the events are spread over the day, but no faster than people are.
        self.pace_us = min(40_000_000, 160_000_000_000 // until_events)
        chosen, weights = zip(*happenings, strict=True)
        while self.count_events() < until_events and self.now < self.end:
            for happen in self.random.choices(chosen, weights, k=20):
                self.now += timedelta(microseconds=self.random.randrange(1, self.pace_us))
                try:
                    happen()
                except ActionError:  # the action is not possible now, which is as good
                    continue

    def make_what_is_rare(self) -> None:
        """Take two tasks back; one is answered again, the other is canceled by the customer.

        One is canceled by a supervisor. Two are transferred: to a colleague, and to a queue.
        """
        helper = self.hire(chat=9)
        for _ in range(2):
            task = factories.task(
                self.workspace, attributes=self.some_attributes(), **self.by(CUSTOMER)
            )
            self.now += timedelta(seconds=7.7)
            offers.grab_task(task=task, worker=helper, **self.by())
            task_moves.take_back_task(task=task, **self.by(SUPERVISOR))
            self.now += timedelta(seconds=3.3)
        offers.grab_task(task=task, worker=helper, **self.by())
        first = self.workspace.tasks.filter(assignment_status="pending", answered_before=True)[0]
        task_transitions.cancel_task(task=first, reason="gave up", **self.by(CUSTOMER))
        task = factories.task(
            self.workspace, attributes=self.some_attributes(), **self.by(CUSTOMER)
        )
        task_transitions.cancel_task(task=task, reason="closed", **self.by(SUPERVISOR))
        colleague = self.hire(chat=9)
        for to in (colleague.sid, self.queues[1].sid):
            # First in its queue, however many tasks a long day has left.
            task = factories.task(
                self.workspace,
                attributes=self.some_attributes(),
                priority=1_000,
                **self.by(CUSTOMER),
            )
            held = offers.grab_task(task=task, worker=helper, **self.by())
            mode = TransferMode.COLD
            transfers.begin_transfer(reservation=held, to=to, mode=mode, **self.by())
            self.run_router()
            self.now += timedelta(seconds=5.005)
            offer = task.reservations.pending().get()
            reservations.accept_reservation(reservation=offer, **self.by())

    def count_events(self) -> int:
        return models.Event.objects.filter(workspace_sid=self.workspace.sid).count()

    def hire(self, **capacity: int) -> models.Worker:
        worker = factories.worker(self.workspace, now=self.now)
        for name, configured in capacity.items():
            worker_channels.update_worker_channel(
                channel=factories.worker_channel(worker, name),
                configured_capacity=configured,
                **self.by(),
            )
        return worker

    def by(self, actor: Actor = SYSTEM) -> dict[str, Any]:
        return {"actor": actor, "now": self.now}

    def a_task(self, *statuses: str) -> models.Task | None:
        rows = self.workspace.tasks.filter(assignment_status__in=statuses).order_by("pk")
        return self.one_of(rows.select_related("workspace"))

    def one_of(self, rows: QuerySet[Row]) -> Row | None:
        """Return one of some rows, or None."""
        count = rows.count()
        return rows[self.random.randrange(count)] if count else None

    def a_reservation(self, *statuses: str) -> models.Reservation | None:
        rows = self.workspace.reservations.filter(reservation_status__in=statuses).order_by("pk")
        return self.one_of(rows.select_related("workspace", "worker", "task"))

    def a_worker(self) -> models.Worker:
        return models.Worker.objects.select_related("workspace").get(
            pk=self.random.choice(self.people).pk
        )

    def create_task(self) -> None:
        given: dict[str, Any] = {"attributes": self.some_attributes()}
        if self.random.random() < 0.08:
            given["routing_target"] = self.a_worker().sid
            given["task_queue"] = self.random.choice([None, self.queues[2]])
        elif self.random.random() < 0.05:
            given["routing_target"] = self.queues[2].sid
        factories.task(
            self.workspace,
            channel=self.random.choice(CHANNELS),
            timeout=self.random.choice([400, 4_000, 40_000]),
            **given,
            **self.by(CUSTOMER),
        )

    def some_attributes(self) -> str:
        return f'{{"kind": "{self.random.choice(["billing", "support"])}"}}'

    def run_router(self) -> None:
        factories.run(self.workspace, self.now)

    def accept_offer(self) -> None:
        if offer := self.a_reservation("pending"):
            actor = Actor(type="worker", sid=offer.worker_sid, source="desk")
            reservations.accept_reservation(reservation=offer, **self.by(actor))

    def reject_offer(self) -> None:
        if offer := self.a_reservation("pending"):
            reservations.reject_reservation(reservation=offer, **self.by())

    def finish_work(self) -> None:
        held = self.a_reservation("accepted", "wrapping")
        if held and self.random.random() < 0.5:
            reservations.complete_reservation(reservation=held, **self.by())
        elif held:
            task_transitions.complete_task(task=held.task, reason="done", **self.by())

    def wrap_up(self) -> None:
        if held := self.a_reservation("accepted"):
            reservations.wrap_up_reservation(reservation=held, **self.by())

    def grab(self) -> None:
        if task := self.a_task("pending"):
            offers.grab_task(task=task, worker=self.a_worker(), **self.by())

    def assign(self) -> None:
        if task := self.a_task("pending"):
            offers.assign_task(
                task=task,
                worker=self.a_worker(),
                hand_over=self.random.random() < 0.5,
                **self.by(SUPERVISOR),
            )

    def transfer(self) -> None:
        if held := self.a_reservation("accepted"):
            to = self.random.choice([self.a_worker().sid, self.random.choice(self.queues).sid])
            mode = self.random.choice(list(TransferMode))
            transfers.begin_transfer(reservation=held, to=to, mode=mode, **self.by())

    def cancel_transfer(self) -> None:
        for transfer in self.workspace.transfers.filter(transfer_status="initiated")[:1]:
            transfers.cancel_transfer(transfer=transfer, **self.by())

    def cancel(self) -> None:
        if task := self.a_task("pending", "reserved"):
            reason = self.random.choice([None, "gave up", *WITHDRAWN])
            changes: dict[str, Any] = {}
            if self.random.random() < 0.2:
                changes["task_channel"] = self.a_channel()
            actor = self.random.choice([CUSTOMER, CUSTOMER, SUPERVISOR])
            task_transitions.cancel_task(task=task, reason=reason, **changes, **self.by(actor))

    def delete(self) -> None:
        if task := self.a_task("pending", "reserved", "assigned", "wrapping", "completed"):
            tasks.delete_task(task=task, **self.by())

    def change_task(self) -> None:
        if task := self.a_task("pending", "reserved", "assigned"):
            changes: dict[str, Any] = {}
            if self.random.random() < 0.6:
                changes["task_channel"] = self.a_channel()
            if self.random.random() < 0.5:
                nowhere = self.random.random() < 0.3
                changes["attributes"] = "{}" if nowhere else self.some_attributes()
            tasks.update_task(task=task, **changes, **self.by(CUSTOMER))

    def a_channel(self) -> models.TaskChannel:
        return factories.channel(self.workspace, self.random.choice(CHANNELS))

    def take_back(self) -> None:
        if task := self.a_task("assigned", "wrapping"):
            to = self.random.choice([None, None, *self.queues])
            task_moves.take_back_task(task=task, to=to, **self.by(SUPERVISOR))
            self.run_router()
            for offer in task.reservations.pending()[:1]:
                self.now += timedelta(seconds=self.random.random())
                reservations.accept_reservation(reservation=offer, **self.by())

    def move(self) -> None:
        if task := self.a_task("pending"):
            places: list[models.TaskQueue | models.Workflow] = [*self.queues]
            to = self.random.choice([*places, self.workspace.workflows.get()])
            task_moves.move_task(task=task, to=to, **self.by(SUPERVISOR))

    def change_activity(self) -> None:
        name = self.random.choice(["Available", "Available", "Offline", "Unavailable"])
        workers.set_activity(
            worker=self.a_worker(),
            activity=self.workspace.activities.get(friendly_name=name),
            reject_pending_reservations=name != "Available",
            **self.by(),
        )

    def change_channel(self) -> None:
        changes: dict[str, Any] = self.random.choice(
            [
                {"configured_capacity": self.random.randrange(0, 5)},
                {"available": False},
                {"available": True},
                {"available": True, "configured_capacity": 3},
            ]
        )
        worker_channels.update_worker_channel(
            channel=factories.worker_channel(self.a_worker(), self.random.choice(CHANNELS)),
            **changes,
            **self.by(),
        )
