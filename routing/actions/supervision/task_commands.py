"""Commands on tasks: where they wait, who has them, how they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from routing import models
from routing.actions import offers, reservations, task_moves, task_transitions, tasks, transfers
from routing.actions.supervision.commands import (
    Change,
    ChangedSince,
    Command,
    Gone,
    Order,
    Unchanged,
    check_stands,
)
from routing.actions.support import locking
from routing.actions.support.errors import NotEligible, NotNow, StaleState
from routing.actions.support.versions import check_version
from routing.core.lifecycle import HELD_RESERVATION
from routing.core.vocabulary import AssignmentStatus, TransferMode

Place = tuple[str, str | None]
"""Where a task waits: `("workflow", sid)`, `("queue", sid)` or `("worker", sid)`."""


def _lock_task(order: Order) -> locking.TaskWithReservations:
    """Lock a task with its workers; raises `Gone` or `StaleState`.

    The calling command must be wrapped by `retry_on_conflict`.
    """
    row = models.Task.objects.filter(workspace=order.workspace, sid=order.sid)
    pk = row.values_list("pk", flat=True).first()
    if pk is None:
        raise Gone
    try:
        locked = locking.lock_task_and_workers(pk)
    except StaleState:
        raise Gone from None
    check_version(locked.task, order.version)
    return locked


def _find_task(order: Order) -> models.Task:
    row = models.Task.objects.filter(workspace=order.workspace, sid=order.sid).first()
    if row is None:
        raise Gone
    return row


@locking.retry_on_conflict
def _set_priority(order: Order) -> Change:
    task = _lock_task(order).task
    before, arguments = task.priority, order.arguments
    wanted = arguments["to"] if "to" in arguments else before + arguments["by"]
    if wanted == before:
        raise Unchanged
    tasks.update_task(task=task, priority=wanted, actor=order.actor, now=order.now)
    return Change(old={"priority": before}, new={"priority": wanted})


@locking.retry_on_conflict
def _restore_priority(order: Order, change: Change) -> None:
    task = _lock_task(order).task
    check_stands(task.priority, change.new["priority"], "priority")
    tasks.update_task(task=task, priority=change.old["priority"], actor=order.actor, now=order.now)


def _assign(order: Order) -> Change:
    arguments = order.arguments
    worker = order.workspace.workers.filter(sid=arguments["to"]).first()
    if worker is None:
        raise NotNow(f"the worker {arguments['to']} no longer exists")
    try:
        made = offers.assign_task(
            task=_find_task(order),
            worker=worker,
            hand_over=arguments["hand_over"],
            ignore_capacity=arguments["ignore_capacity"],
            ignore_expressions=arguments["ignore_expressions"],
            if_version=order.version,
            actor=order.actor,
            now=order.now,
        )
    except NotEligible as error:
        raise NotNow(f"{worker.friendly_name}: {error.refusal.third_person}") from error
    return Change(old={"worker": None}, new={"worker": worker.sid, "reservation": made.sid})


def _withdraw_assignment(order: Order, change: Change) -> None:
    sid = change.new["reservation"]
    offer = models.Reservation.objects.filter(workspace=order.workspace, sid=sid).first()
    if offer is None:
        raise Gone
    try:
        reservations.cancel_offer(reservation=offer, actor=order.actor, now=order.now)
    except StaleState:
        raise ChangedSince(
            "the offer has been answered since; take the task back from its worker instead"
        ) from None


def _describe_place(task: models.Task) -> Place:
    if task.filter_index is not None and task.workflow is not None:
        return "workflow", task.workflow.sid
    target = task.routing_target or ""
    if target.startswith("WK"):
        return "worker", target
    return "queue", None if task.task_queue is None else task.task_queue.sid


def _describe_waiting(task: models.Task) -> dict[str, Any]:
    kind, sid = _describe_place(task)
    return {kind: sid, "priority": task.priority}


@locking.retry_on_conflict
def _move(order: Order) -> Change:
    task, to = _lock_task(order).task, order.arguments["to"]
    before = _describe_waiting(task)
    if task.assignment_status == AssignmentStatus.PENDING and before.get("queue") == to:
        raise Unchanged
    moved = task_moves.move_task(
        task=task,
        to=_find_place(order, to),
        priority=order.arguments.get("priority"),
        actor=order.actor,
        now=order.now,
    )
    return Change(old=before, new=_describe_waiting(moved))


@locking.retry_on_conflict
def _move_back(order: Order, change: Change) -> None:
    task = _lock_task(order).task
    kind, sid = _describe_place(task)
    if change.new.get(kind) != sid:
        raise ChangedSince("the task has been moved since")
    old = next((change.old[kind] for kind in ("workflow", "queue") if change.old.get(kind)), None)
    if old is None:
        raise NotNow("the task was for one worker only; assign it to them instead")
    priority = change.old["priority"] if task.priority == change.new["priority"] else None
    task_moves.move_task(
        task=task,
        to=_find_place(order, old),
        priority=priority,
        actor=order.actor,
        now=order.now,
    )


def _find_place(order: Order, sid: str) -> models.TaskQueue | models.Workflow:
    found: models.TaskQueue | models.Workflow | None
    if sid.startswith("WQ"):
        found = order.workspace.task_queues.filter(sid=sid).first()
    else:
        found = order.workspace.workflows.filter(sid=sid).first()
    if found is None:
        raise NotNow(f"{sid} no longer exists; choose another queue or workflow")
    return found


@locking.retry_on_conflict
def _reevaluate(order: Order) -> Change:
    task = _lock_task(order).task
    before = {"queue": None if task.task_queue is None else task.task_queue.sid}
    routed = task_moves.reevaluate_task(task=task, actor=order.actor, now=order.now)
    after = {"queue": None if routed.task_queue is None else routed.task_queue.sid}
    return Change(old=before, new=after)


def _withdraw_offers(order: Order) -> Change:
    count = reservations.withdraw_offers(
        task=_find_task(order), if_version=order.version, actor=order.actor, now=order.now
    )
    return Change(old={"offers": count}, new={"offers": 0})


@locking.retry_on_conflict
def _transfer(order: Order) -> Change:
    locked = _lock_task(order)
    owner = _find_owner(locked)
    owner.workspace = order.workspace
    made = transfers.begin_transfer(
        reservation=owner,
        to=order.arguments["to"],
        mode=TransferMode.COLD,
        note=order.actor.note,
        actor=order.actor,
        now=order.now,
    )
    return Change(
        old={"worker": owner.worker_sid}, new={"to": made.transfer_to, "transfer": made.sid}
    )


def _cancel_transfer(order: Order, change: Change) -> None:
    sid = change.new["transfer"]
    transfer = models.Transfer.objects.filter(workspace=order.workspace, sid=sid).first()
    if transfer is None:
        raise Gone
    try:
        transfers.cancel_transfer(transfer=transfer, actor=order.actor, now=order.now)
    except NotNow:
        raise ChangedSince("the transfer is over already") from None


def _find_owner(locked: locking.TaskWithReservations) -> models.Reservation:
    for each in locked.reservations:
        if each.reservation_status in HELD_RESERVATION and each.outgoing_id is None:
            return each
    for each in locked.reservations:
        if each.reservation_status in HELD_RESERVATION:
            return each
    raise NotNow(f"no worker has task {locked.task.sid} (it is {locked.task.assignment_status})")


@locking.retry_on_conflict
def _take_back(order: Order) -> Change:
    locked, to = _lock_task(order), order.arguments.get("to")
    status, owner = locked.task.assignment_status, _find_owner(locked)
    queue = None if to is None else _find_place(order, to)
    assert not isinstance(queue, models.Workflow)
    task = task_moves.take_back_task(
        task=locked.task,
        to=queue,
        reason=order.arguments.get("reason"),
        actor=order.actor,
        now=order.now,
    )
    return Change(
        old={"status": status, "worker": owner.worker_sid},
        new={"status": task.assignment_status, "worker": None},
    )


def _end(status: AssignmentStatus, action: Callable[..., models.Task]) -> Callable[[Order], Change]:
    """Return the command that moves a task to a status by an action."""

    @locking.retry_on_conflict
    def run(order: Order) -> Change:
        task = _lock_task(order).task
        before = task.assignment_status
        if before == status:
            raise Unchanged
        reason = order.arguments.get("reason")
        action(task=task, reason=reason, actor=order.actor, now=order.now)
        return Change(old={"status": before}, new={"status": status.value})

    return run


COMMANDS: Final[Mapping[str, Command]] = {
    "tasks.set_priority": Command(subject="WT", run=_set_priority, undo=_restore_priority),
    "tasks.assign": Command(subject="WT", run=_assign, undo=_withdraw_assignment),
    "tasks.move": Command(subject="WT", run=_move, undo=_move_back),
    "tasks.reevaluate": Command(subject="WT", run=_reevaluate),
    "tasks.withdraw_offers": Command(subject="WT", run=_withdraw_offers),
    "tasks.transfer": Command(subject="WT", run=_transfer, undo=_cancel_transfer),
    "tasks.take_back": Command(subject="WT", run=_take_back),
    "tasks.wrap_up": Command(
        subject="WT", run=_end(AssignmentStatus.WRAPPING, task_transitions.wrap_up_task)
    ),
    "tasks.complete": Command(
        subject="WT", run=_end(AssignmentStatus.COMPLETED, task_transitions.complete_task)
    ),
    "tasks.cancel": Command(
        subject="WT", run=_end(AssignmentStatus.CANCELED, task_transitions.cancel_task)
    ),
}
