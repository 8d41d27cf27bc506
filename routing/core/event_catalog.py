"""Catalog of event types: one record each, with all that the engine does about the type.

A new type is a new member here. What a door shows of it stands in the door's own table.
"""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum
from typing import Final, Self

from routing.core.vocabulary import AssignmentStatus, ReservationStatus, TransferStatus
from routing.core.vocabulary import Audience as A
from routing.core.vocabulary import ResourceType as R

Status = AssignmentStatus | ReservationStatus | TransferStatus


class EventSpec:
    """The record of one event type."""

    def __init__(
        self,
        name: str,
        *,
        about: R | None = None,
        status: Status | None = None,
        description: str | None = None,
        audience: Set[A] = frozenset(),
        wakes_router: bool = False,
        carries_data: bool = False,
        invalidates_skill_index: bool = False,
        ends_waiting: bool = False,
    ) -> None:
        """Create a record.

        Arguments:
            name: the type's name in REST, callbacks and the database.
            about: the kind of resource that `resource_sid` names; by default the name's first word.
            status: the status that its task, reservation or transfer has after it, if the event
                records that change.
            description: a text for people, with fields of the event's data in braces; by default
                the words of the name.
            audience: the websocket groups that get the event.
            wakes_router: whether it may make a waiting task eligible.
            carries_data: whether the message to workers has all event data, so that consumers need
                no query.
            invalidates_skill_index: whether it changes which lanes match a worker.
            ends_waiting: whether a task stops waiting by it, so that the event stores the wait.
        """
        noun, _, verb = name.partition(".")
        words = f"{noun} {verb}".replace(".", " ").replace("-", " ")
        self.name: Final = name
        self.about: Final = about or R(noun)
        self.status: Final = status
        self.description: Final = description or words.capitalize()
        self.audience: Final = audience
        self.wakes_router: Final = wakes_router
        self.carries_data: Final = carries_data
        self.invalidates_skill_index: Final = invalidates_skill_index
        self.ends_waiting: Final = ends_waiting


class EventType(StrEnum):
    """The types of events by name, each with its record in `spec`."""

    spec: EventSpec

    def __new__(cls, spec: EventSpec | str) -> Self:
        """Create a member that equals the name of its type."""
        # Only mypy passes a str here: `EventType("task.created")` finds a member that exists.
        assert isinstance(spec, EventSpec)
        member = str.__new__(cls, spec.name)
        member._value_ = spec.name
        member.spec = spec
        return member

    WORKSPACE_CREATED = EventSpec("workspace.created")
    WORKSPACE_UPDATED = EventSpec("workspace.updated", audience={A.WORKSPACE}, wakes_router=True)
    WORKSPACE_DELETED = EventSpec("workspace.deleted", audience={A.WORKSPACE})
    ACTIVITY_CREATED = EventSpec("activity.created", audience={A.WORKSPACE})
    ACTIVITY_UPDATED = EventSpec("activity.updated", audience={A.WORKSPACE})
    ACTIVITY_DELETED = EventSpec("activity.deleted", audience={A.WORKSPACE})
    TASK_CHANNEL_CREATED = EventSpec("task-channel.created", audience={A.WORKSPACE})
    TASK_CHANNEL_UPDATED = EventSpec(
        "task-channel.updated", audience={A.WORKSPACE}, wakes_router=True
    )
    TASK_CHANNEL_DELETED = EventSpec("task-channel.deleted", audience={A.WORKSPACE})
    # ours: the codes by which agents say how a task ended
    OUTCOME_CODE_CREATED = EventSpec("outcome-code.created", audience={A.WORKSPACE})
    OUTCOME_CODE_UPDATED = EventSpec("outcome-code.updated", audience={A.WORKSPACE})
    OUTCOME_CODE_DELETED = EventSpec("outcome-code.deleted", audience={A.WORKSPACE})
    # ours: limits of figures, and the alerts that are raised at them
    THRESHOLD_CREATED = EventSpec("threshold.created", audience={A.FLOOR})
    THRESHOLD_UPDATED = EventSpec("threshold.updated", audience={A.FLOOR})
    THRESHOLD_DELETED = EventSpec("threshold.deleted", audience={A.FLOOR})
    ALERT_RAISED = EventSpec(
        "alert.raised",
        description="{alert_figure} is {alert_value} in {alert_place}",
        audience={A.FLOOR},
    )
    ALERT_CHANGED = EventSpec(
        "alert.changed",
        description="{alert_figure} is {alert_value} in {alert_place}",
        audience={A.FLOOR},
    )
    ALERT_CLEARED = EventSpec("alert.cleared", audience={A.FLOOR})
    ALERT_ACKNOWLEDGED = EventSpec("alert.acknowledged", audience={A.FLOOR})
    TASK_QUEUE_CREATED = EventSpec("task-queue.created", audience={A.WORKSPACE})
    TASK_QUEUE_DELETED = EventSpec("task-queue.deleted", audience={A.WORKSPACE})
    # ours: anything but its expression changed
    TASK_QUEUE_UPDATED = EventSpec("task-queue.updated", audience={A.WORKSPACE}, wakes_router=True)
    TASK_QUEUE_EXPRESSION_UPDATED = EventSpec(
        "task-queue.expression.updated", audience={A.WORKSPACE}, wakes_router=True
    )
    TASK_QUEUE_ENTERED = EventSpec(
        "task-queue.entered",
        about=R.TASK,
        description="Task {task_sid} entered queue {task_queue_name}",
        audience={A.TASK_QUEUE},
    )
    TASK_QUEUE_TIMEOUT = EventSpec("task-queue.timeout", about=R.TASK)  # a step's deadline passed
    # the task left this queue for another
    TASK_QUEUE_MOVED = EventSpec(
        "task-queue.moved",
        about=R.TASK,
        description="Task {task_sid} left queue {task_queue_name}",
        audience={A.TASK_QUEUE},
    )
    WORKFLOW_CREATED = EventSpec("workflow.created")
    WORKFLOW_UPDATED = EventSpec("workflow.updated", audience={A.WORKSPACE}, wakes_router=True)
    WORKFLOW_DELETED = EventSpec("workflow.deleted")
    WORKFLOW_ENTERED = EventSpec("workflow.entered", about=R.TASK)
    WORKFLOW_TARGET_MATCHED = EventSpec("workflow.target-matched", about=R.TASK)
    # the last step's deadline passed
    WORKFLOW_TIMEOUT = EventSpec("workflow.timeout", about=R.TASK)
    WORKFLOW_SKIPPED = EventSpec("workflow.skipped", about=R.TASK)  # every step was skipped
    WORKER_CREATED = EventSpec("worker.created", wakes_router=True, invalidates_skill_index=True)
    WORKER_DELETED = EventSpec("worker.deleted", audience={A.WORKER})
    WORKER_ATTRIBUTES_UPDATE = EventSpec(
        "worker.attributes.update",
        audience={A.WORKER},
        wakes_router=True,
        invalidates_skill_index=True,
    )
    WORKER_ACTIVITY_UPDATE = EventSpec(
        "worker.activity.update",
        description="Worker {worker_name} is {worker_activity_name}",
        audience={A.WORKER},
        wakes_router=True,
    )
    WORKER_CAPACITY_UPDATE = EventSpec(
        "worker.capacity.update", audience={A.WORKER}, wakes_router=True
    )
    WORKER_CHANNEL_AVAILABILITY_UPDATE = EventSpec(
        "worker.channel.availability.update", audience={A.WORKER}, wakes_router=True
    )
    TASK_CREATED = EventSpec(
        "task.created", status=AssignmentStatus.PENDING, audience={A.TASK_QUEUE}, wakes_router=True
    )
    TASK_UPDATED = EventSpec(
        "task.updated", audience={A.WORKER, A.TASK_QUEUE}, wakes_router=True, carries_data=True
    )
    TASK_WRAPUP = EventSpec(
        "task.wrapup", status=AssignmentStatus.WRAPPING, audience={A.WORKER}, carries_data=True
    )
    TASK_COMPLETED = EventSpec(
        "task.completed", status=AssignmentStatus.COMPLETED, audience={A.WORKER}, carries_data=True
    )
    TASK_CANCELED = EventSpec(
        "task.canceled",
        status=AssignmentStatus.CANCELED,
        audience={A.WORKER, A.TASK_QUEUE},
        carries_data=True,
        ends_waiting=True,
    )
    # ours: a supervisor took it from the worker who had it; it waits again
    TASK_TAKEN_BACK = EventSpec(
        "task.taken-back",
        description="Task {task_sid} was taken back from {worker_name}",
        audience={A.WORKER},
        wakes_router=True,
    )
    TASK_DELETED = EventSpec("task.deleted", audience={A.TASK_QUEUE})
    TASK_SYSTEM_DELETED = EventSpec("task.system-deleted")
    # its task: assigned → reserved
    TASK_TRANSFER_INITIATED = EventSpec(
        "task.transfer-initiated",
        status=TransferStatus.INITIATED,
        audience={A.WORKER},
        wakes_router=True,
        carries_data=True,
    )
    # one offer was not accepted
    TASK_TRANSFER_ATTEMPT_FAILED = EventSpec(
        "task.transfer-attempt-failed", audience={A.WORKER}, carries_data=True
    )
    # its task: reserved → assigned, to the same worker
    TASK_TRANSFER_FAILED = EventSpec(
        "task.transfer-failed", status=TransferStatus.FAILED, audience={A.WORKER}, carries_data=True
    )
    # its task: reserved → assigned, to the same worker
    TASK_TRANSFER_CANCELED = EventSpec(
        "task.transfer-canceled",
        status=TransferStatus.CANCELED,
        audience={A.WORKER},
        carries_data=True,
    )
    # its task: reserved → assigned, to another worker
    TASK_TRANSFER_COMPLETED = EventSpec(
        "task.transfer-completed",
        status=TransferStatus.COMPLETE,
        audience={A.WORKER},
        carries_data=True,
    )
    RESERVATION_CREATED = EventSpec(
        "reservation.created",
        status=ReservationStatus.PENDING,
        description="Task {task_sid} offered to {worker_name}",
        audience={A.WORKER, A.TASK_QUEUE},
        carries_data=True,
    )
    RESERVATION_ACCEPTED = EventSpec(
        "reservation.accepted",
        status=ReservationStatus.ACCEPTED,
        audience={A.WORKER},
        wakes_router=True,
        ends_waiting=True,
    )
    RESERVATION_REJECTED = EventSpec(
        "reservation.rejected",
        status=ReservationStatus.REJECTED,
        audience={A.WORKER, A.TASK_QUEUE},
        wakes_router=True,
    )
    RESERVATION_TIMEOUT = EventSpec(
        "reservation.timeout",
        status=ReservationStatus.TIMEOUT,
        audience={A.WORKER, A.TASK_QUEUE},
        wakes_router=True,
    )
    RESERVATION_CANCELED = EventSpec(
        "reservation.canceled",
        status=ReservationStatus.CANCELED,
        audience={A.WORKER, A.TASK_QUEUE},
        wakes_router=True,
    )
    RESERVATION_RESCINDED = EventSpec(
        "reservation.rescinded",
        status=ReservationStatus.RESCINDED,
        audience={A.WORKER},
        wakes_router=True,
    )
    RESERVATION_WRAPUP = EventSpec(
        "reservation.wrapup",
        status=ReservationStatus.WRAPPING,
        audience={A.WORKER},
        wakes_router=True,
    )
    # ours: its worker took more time to wrap up
    RESERVATION_WRAPUP_EXTENDED = EventSpec("reservation.wrapup-extended", audience={A.WORKER})
    RESERVATION_COMPLETED = EventSpec(
        "reservation.completed",
        status=ReservationStatus.COMPLETED,
        audience={A.WORKER},
        wakes_router=True,
    )
    # a task for one worker ended before they had it
    RESERVATION_FAILED = EventSpec(
        "reservation.failed", about=R.TASK, audience={A.WORKER}, carries_data=True
    )
    # ours: its assignment callback failed
    RESERVATION_CALLBACK_FAILED = EventSpec("reservation.callback-failed")


WAKES_ROUTER: Final = frozenset(each for each in EventType if each.spec.wakes_router)
"""Types that wake the router."""
CARRIES_DATA: Final = frozenset(each for each in EventType if each.spec.carries_data)
"""Types whose message to workers has all event data."""
INVALIDATES_SKILL_INDEX: Final = frozenset(
    each for each in EventType if each.spec.invalidates_skill_index
)
"""Types that change which lanes match a worker."""
NEEDS_DELIVERY: Final = WAKES_ROUTER | {each for each in EventType if each.spec.audience}
"""Types that are published after the commit: to websocket groups, to the router, or to both."""

RESERVATION_EVENTS: Final = {
    each.spec.status: each for each in EventType if isinstance(each.spec.status, ReservationStatus)
}
"""The type that records a reservation's change to each status."""
TASK_EVENTS: Final = {
    each.spec.status: each for each in EventType if isinstance(each.spec.status, AssignmentStatus)
}
"""The type that records a task's change to a status; some changes record none of their own."""
TRANSFER_EVENTS: Final = {
    each.spec.status: each for each in EventType if isinstance(each.spec.status, TransferStatus)
}
"""The type that records a transfer's change to each status."""
