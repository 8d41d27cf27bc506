"""State machine of a workspace: random actions in any order, with the laws checked in between."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import models as django
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from routing.actions import (
    offers,
    reservations,
    task_moves,
    task_transitions,
    tasks,
    worker_channels,
    workers,
    workspaces,
)
from routing.actions.support.errors import ActionError
from routing.actors import SYSTEM
from routing.core.vocabulary import QueueOrder
from tests import factories
from tests.factories import later
from tests.properties.router_floor import KINDS, furnish
from tests.properties.router_foresight import Foresight, check_grab, grab_refusal
from tests.properties.router_laws import (
    LATE,
    OVER,
    Histories,
    Pass,
    check_diagnosis,
    check_rows,
    check_sweep,
)

Row = TypeVar("Row", bound=django.Model)

PEOPLE: Final = ("alice", "bob", "carol")

numbers = st.integers(0, 40)
people = st.sampled_from(PEOPLE)
channels = st.sampled_from(["chat", "voice"])
attributes = st.sampled_from(KINDS)

STEPS_PER_CHECK = int(os.environ.get("ROUTER_STEPS_PER_CHECK", "3"))
"""1 names the very step after which a law is broken."""


class RouterMachine(RuleBasedStateMachine):
    """Three workers, three queues, one workflow with everything in it."""

    def __init__(self) -> None:
        super().__init__()
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self.seconds = 0.0
        self._final: dict[str, str] = {}
        self._steps = 0
        self.workspace = factories.workspace()
        furnish(self.workspace)
        self.people = {
            name: factories.worker(self.workspace, name, attributes={"level": level})
            for level, name in enumerate(PEOPLE, 1)
        }

    @initialize(
        slots=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1)), min_size=3, max_size=3),
        first=st.lists(st.tuples(attributes, channels, st.integers(0, 2)), min_size=2, max_size=6),
        pause=st.sampled_from([0, 30]),
    )
    def open(
        self,
        slots: list[tuple[int, int]],
        first: list[tuple[dict[str, Any], str, int]],
        pause: int,
    ) -> None:
        """The workspace opens with some slots, some of them kept, and with some tasks."""
        self._attempt(workspaces.update_workspace, workspace=self.workspace, rejection_pause=pause)
        for name, (capacity, kept) in zip(PEOPLE, slots, strict=True):
            self.change_slots(
                name, "chat", {"configured_capacity": capacity, "reserved_for_manual": kept}, False
            )
        for given, channel, priority in first:
            self.create(given, channel, priority, 86_400, 1)
        self.run()

    def teardown(self) -> None:
        """Check the laws a last time, then leave no trace of what happened."""
        try:
            self.check_laws()
        finally:
            transaction.set_rollback(True)
            self._transaction.__exit__(None, None, None)

    @property
    def now(self) -> datetime:
        """Return the workspace's clock."""
        return later(self.seconds)

    def _pick(self, rows: django.QuerySet[Row], number: int) -> Row | None:
        """Return one of the newest rows, so that small numbers mean what happened last."""
        found = list(rows.order_by("-pk")[:41])
        return found[number % len(found)] if found else None

    def _attempt(self, action: Callable[..., object], **given: Any) -> ActionError | None:
        """Try an action; a refusal changes nothing, but an answer too late ends the offer."""
        before = factories.last_event()
        try:
            action(actor=SYSTEM, now=self.now, **given)
        except ActionError as error:
            assert set(factories.event_types(before)) <= LATE
            return error
        return None

    def add_task(self, **given: Any) -> None:
        """Create a task; machines that look at creations override it."""
        factories.task(self.workspace, **given)

    # --- tasks come, change and go ---

    @rule(
        given=attributes,
        channel=channels,
        priority=st.integers(0, 2),
        timeout=st.sampled_from([86_400, 90]),
        many=st.integers(1, 3),
    )
    def create(
        self, given: dict[str, Any], channel: str, priority: int, timeout: int, many: int
    ) -> None:
        """Some tasks alike come in."""
        for _ in range(many):
            self.add_task(
                attributes=given,
                channel=channel,
                priority=priority,
                timeout=timeout,
                now=self.now,
            )
            self.seconds += 1

    @rule(name=people, ignore_capacity=st.booleans(), channel=channels)
    def create_for(self, name: str, ignore_capacity: bool, channel: str) -> None:
        """A task comes in for one worker."""
        self.add_task(
            routing_target=self.people[name].sid,
            ignore_capacity=ignore_capacity,
            channel=channel,
            now=self.now,
        )

    @rule(
        number=numbers,
        changes=st.fixed_dictionaries(
            {},
            optional={
                "attributes": attributes.map(json.dumps),
                "priority": st.integers(0, 4),
                "task_channel": channels,
            },
        ),
        wake=st.booleans(),
    )
    def change(self, number: int, changes: dict[str, Any], wake: bool) -> None:
        """A task gets other attributes, another priority, another channel."""
        task = self._pick(self.workspace.tasks.all(), number)
        if "task_channel" in changes:
            changes["task_channel"] = factories.channel(self.workspace, changes["task_channel"])
        if task is not None:
            self._attempt(tasks.update_task, task=task, **changes)
        if wake:
            self.run()

    @rule(
        number=numbers,
        action=st.sampled_from(
            [
                task_transitions.cancel_task,
                task_transitions.wrap_up_task,
                task_transitions.complete_task,
                tasks.delete_task,
            ]
        ),
        wake=st.booleans(),
    )
    def end(self, number: int, action: Callable[..., object], wake: bool) -> None:
        """A task is canceled, wrapped up, completed or deleted."""
        task = self._pick(self.workspace.tasks.all(), number)
        if task is not None:
            self._attempt(action, task=task)
        if wake:
            self.run()

    # --- supervisors act ---

    @rule(
        number=numbers,
        name=people,
        hand_over=st.booleans(),
        ignore_capacity=st.booleans(),
        ignore_expressions=st.booleans(),
    )
    def assign(
        self,
        number: int,
        name: str,
        hand_over: bool,
        ignore_capacity: bool,
        ignore_expressions: bool,
    ) -> None:
        """A supervisor gives a task to a worker."""
        task = self._pick(self.workspace.tasks.all(), number)
        seen = Pass(self.workspace)
        if task is not None:
            self._attempt(
                offers.assign_task,
                task=task,
                worker=self.people[name],
                hand_over=hand_over,
                ignore_capacity=ignore_capacity,
                ignore_expressions=ignore_expressions,
            )
        seen.read(now=self.now)
        if not ignore_capacity:
            seen.check_room(kept=False)

    @rule(
        number=numbers,
        action=st.sampled_from(
            [
                task_moves.take_back_task,
                task_moves.take_back_task,
                task_moves.reevaluate_task,
                reservations.withdraw_offers,
            ]
        ),
        wake=st.booleans(),
    )
    def steer(self, number: int, action: Callable[..., object], wake: bool) -> None:
        """A supervisor takes a task back, routes it again, or withdraws its offers."""
        task = self._pick(self.workspace.tasks.all(), number)
        if task is not None:
            self._attempt(action, task=task)
        if wake:
            self.run()

    @rule(
        number=numbers,
        place=numbers,
        action=st.sampled_from([task_moves.move_task, task_moves.take_back_task]),
        wake=st.booleans(),
    )
    def move_to_queue(
        self, number: int, place: int, action: Callable[..., object], wake: bool
    ) -> None:
        """A supervisor moves a task to a queue."""
        task = self._pick(self.workspace.tasks.all(), number)
        queue = self._pick(self.workspace.task_queues.all(), place)
        if task is not None:
            self._attempt(action, task=task, to=queue)
        if wake:
            self.run()

    @rule(number=numbers, wake=st.booleans())
    def move_to_workflow(self, number: int, wake: bool) -> None:
        """A supervisor moves a task to the workflow."""
        task = self._pick(self.workspace.tasks.all(), number)
        if task is not None:
            self._attempt(task_moves.move_task, task=task, to=self.workspace.workflows.get())
        if wake:
            self.run()

    # --- workers answer, take, come and go ---

    @rule(
        number=numbers,
        action=st.sampled_from(
            [
                reservations.accept_reservation,
                reservations.accept_reservation,
                reservations.reject_reservation,
                reservations.wrap_up_reservation,
                reservations.complete_reservation,
            ]
        ),
        wake=st.booleans(),
    )
    def answer(self, number: int, action: Callable[..., object], wake: bool) -> None:
        """A worker answers an offer, or moves on with a task in hand; sometimes with an old one."""
        all_ = self.workspace.reservations.all()
        held = self._pick(all_ if number % 5 == 0 else all_.open(), number)
        if held is not None:
            self._attempt(action, reservation=held)
        if wake:
            self.run()

    @rule(number=numbers, given=attributes)
    def decline_another(self, number: int, given: dict[str, Any]) -> None:
        """A task changes while it is on offer, and the offer is declined."""
        offer = self._pick(self.workspace.reservations.filter(reservation_status="pending"), number)
        if offer is not None:
            self._attempt(tasks.update_task, task=offer.task, attributes=json.dumps(given))
            self._attempt(reservations.reject_reservation, reservation=offer)
            self.run()

    @rule(number=numbers, name=people)
    def grab(self, number: int, name: str) -> None:
        """A worker grabs a task."""
        task = self._pick(self.workspace.tasks.all(), number)
        seen = Pass(self.workspace)
        if task is not None:
            worker = self.people[name]
            foreseen = grab_refusal(task, worker, now=self.now)
            check_grab(foreseen, self._attempt(offers.grab_task, task=task, worker=worker))
        seen.read(now=self.now)
        seen.check_room(kept=False)

    @rule(name=people, available=st.booleans(), reject=st.booleans(), wake=st.booleans())
    def move(self, name: str, available: bool, reject: bool, wake: bool) -> None:
        """A worker signs on or off."""
        self._attempt(
            workers.set_activity,
            worker=self.people[name],
            activity=factories.activity(
                self.workspace, "Available" if available else "Unavailable"
            ),
            reject_pending_reservations=reject and not available,
        )
        if wake:
            self.run()

    @rule(
        name=people,
        channel=channels,
        changes=st.fixed_dictionaries(
            {},
            optional={
                "configured_capacity": st.integers(0, 3),
                "available": st.booleans(),
                "reserved_for_manual": st.integers(0, 2),
            },
        ),
        wake=st.booleans(),
    )
    def change_slots(self, name: str, channel: str, changes: dict[str, Any], wake: bool) -> None:
        """A worker's capacity, switch or kept slots change."""
        slots = factories.worker_channel(self.people[name], channel)
        self._attempt(worker_channels.update_worker_channel, channel=slots, **changes)
        if wake:
            self.run()

    @rule(multitasking=st.booleans(), order=st.sampled_from(QueueOrder))
    def change_workspace(self, multitasking: bool, order: QueueOrder) -> None:
        """Multitasking and the order of queues change."""
        self._attempt(
            workspaces.update_workspace,
            workspace=self.workspace,
            multi_task_enabled=multitasking,
            prioritize_queue_order=order,
        )

    # --- time passes, and the router runs ---

    @rule(seconds=st.sampled_from([0.5, 5, 20, 45, 100, 90_000]), wake=st.booleans())
    def wait(self, seconds: float, wake: bool) -> None:
        """Time passes, and the sweep comes now or later."""
        self.seconds += seconds
        if wake:
            self.run()

    @rule()
    def run(self) -> None:
        """The router runs, and matches the forecasts of explanations."""
        seen = Pass(self.workspace)
        foresight = Foresight(self.workspace, now=self.now)
        factories.run(self.workspace, self.now)
        seen.read(now=self.now)
        seen.check()
        foresight.check()

    # --- the laws ---

    @invariant()
    def agree_again_and_again(self) -> None:
        """Check the laws after each third step; what is wrong stays so for longer than that."""
        self._steps += 1
        if self._steps % STEPS_PER_CHECK == 0:
            self.check_laws()

    def check_laws(self) -> None:
        """Rows agree with each other and with their events, and what is over stays so."""
        found = list(self.workspace.tasks.all())
        made = list(self.workspace.reservations.all())
        check_diagnosis()
        check_rows(found, made)
        check_sweep(self.workspace, self.now)
        told = Histories(self.workspace)
        told.check_reservations(made)
        told.check_tasks(found)
        now = {row.sid: row.assignment_status for row in found}
        now |= {row.sid: row.reservation_status for row in made}
        for sid, status in self._final.items():
            assert now.get(sid, status) == status, sid
        self._final = {sid: s for sid, s in now.items() if s in OVER}
