"""List the closed words of the domain: statuses, orders, event types, refusals."""

from __future__ import annotations

from enum import StrEnum


class AssignmentStatus(StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"  # waits in a queue
    RESERVED = "reserved"  # is on offer to one worker or several
    ASSIGNED = "assigned"  # one worker has it
    WRAPPING = "wrapping"  # the conversation is over, the work is not
    COMPLETED = "completed"  # final
    CANCELED = "canceled"  # final


class ReservationStatus(StrEnum):
    """Where one offer of a task to a worker is in its life."""

    PENDING = "pending"  # offered, the clock runs
    ACCEPTED = "accepted"  # the worker has the task
    WRAPPING = "wrapping"  # the worker writes up the task
    COMPLETED = "completed"  # final: the work is done
    REJECTED = "rejected"  # final: the worker declined
    TIMEOUT = "timeout"  # final: nobody answered in time
    CANCELED = "canceled"  # final: the offer was withdrawn
    RESCINDED = "rescinded"  # final: another worker was first


class TransferStatus(StrEnum):
    """Where the handing on of a task is."""

    INITIATED = "initiated"  # somebody is asked, or is to be
    COMPLETE = "complete"  # final: somebody has taken the task
    FAILED = "failed"  # final: nobody has; it stays where it was
    CANCELED = "canceled"  # final: its worker keeps it after all


class TransferMode(StrEnum):
    """When the one who hands a task on lets it go."""

    WARM = "WARM"  # when they say so, after the other has taken it
    COLD = "COLD"  # as soon as the other has taken it


class TransferType(StrEnum):
    """To whom a task is handed on."""

    WORKER = "WORKER"
    QUEUE = "QUEUE"


class QueueOrder(StrEnum):
    """Which end of a queue is served first."""

    FIFO = "FIFO"
    LIFO = "LIFO"


class GrabPolicy(StrEnum):
    """What workers may take from a queue by themselves."""

    OFF = "off"  # nothing
    ANYTHING = "anything"  # every waiting task
    OLDEST = "oldest"  # only the oldest `grab_limit` tasks
    WAITED = "waited"  # only what has waited `grab_after` seconds


class Refusal(StrEnum):
    """Why a worker may not have a task: in the order in which they are tested."""

    TASK_NOT_PENDING = "task_not_pending"
    ATTRIBUTES_UNREADABLE = "attributes_unreadable"
    NOT_IN_QUEUE = "not_in_queue"
    WORKER_UNAVAILABLE = "worker_unavailable"
    CHANNEL_UNAVAILABLE = "channel_unavailable"
    NO_CAPACITY = "no_capacity"
    GRAB_NOT_ALLOWED = "grab_not_allowed"
    EXPRESSION_NOT_MET = "expression_not_met"
    KEPT_FOR_MANUAL = "kept_for_manual"
    ALREADY_OFFERED = "already_offered"

    @property
    def words(self) -> str:
        """Say the reason as an agent would read it under a disabled button."""
        return _REFUSAL_WORDS[self]

    @property
    def third_person(self) -> str:
        """Say the reason as somebody else would read it about a worker."""
        return _ABOUT_A_WORKER[self]


_REFUSAL_WORDS = {
    Refusal.TASK_NOT_PENDING: "This task is no longer waiting.",
    Refusal.ATTRIBUTES_UNREADABLE: "Your attributes cannot be read; a supervisor can repair them.",
    Refusal.NOT_IN_QUEUE: "You do not serve the queue of this task.",
    Refusal.WORKER_UNAVAILABLE: "Your activity does not take work.",
    Refusal.CHANNEL_UNAVAILABLE: "This channel is switched off for you.",
    Refusal.NO_CAPACITY: "You have no free slot on this channel.",
    Refusal.GRAB_NOT_ALLOWED: "This queue does not let you pick this task now.",
    Refusal.EXPRESSION_NOT_MET: "You do not meet what this task asks for.",
    Refusal.KEPT_FOR_MANUAL: "Your last slots are kept for tasks picked by hand.",
    Refusal.ALREADY_OFFERED: "This task is already on offer to you.",
}

_ABOUT_A_WORKER = {
    Refusal.TASK_NOT_PENDING: "The task is no longer waiting.",
    Refusal.ATTRIBUTES_UNREADABLE: "The worker's attributes are not a JSON object.",
    Refusal.NOT_IN_QUEUE: "The worker does not serve the queue of the task.",
    Refusal.WORKER_UNAVAILABLE: "The worker's activity does not take work.",
    Refusal.CHANNEL_UNAVAILABLE: "The channel is switched off for the worker.",
    Refusal.NO_CAPACITY: "The worker has no free slot on the channel.",
    Refusal.GRAB_NOT_ALLOWED: "The queue does not let this task be picked by hand now.",
    Refusal.EXPRESSION_NOT_MET: "The worker does not meet what the task asks for.",
    Refusal.KEPT_FOR_MANUAL: "The worker's last free slots are kept for tasks picked by hand.",
    Refusal.ALREADY_OFFERED: "The task is already on offer to the worker.",
}


class CallbackStatus(StrEnum):
    """What has become of something that somebody outside is to be told or asked."""

    PENDING = "pending"  # is to be posted, for the first time or again
    DELIVERED = "delivered"  # final: was taken, or answered
    FAILED = "failed"  # final: nobody took it, or nobody needs it any more


class ResourceType(StrEnum):
    """What an event is about."""

    WORKSPACE = "workspace"
    ACTIVITY = "activity"
    TASK_CHANNEL = "task-channel"
    TASK_QUEUE = "task-queue"
    WORKFLOW = "workflow"
    WORKER = "worker"
    TASK = "task"
    RESERVATION = "reservation"


class EventType(StrEnum):
    """What happened; the comment gives the transition where there is one."""

    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_UPDATED = "workspace.updated"
    WORKSPACE_DELETED = "workspace.deleted"
    ACTIVITY_CREATED = "activity.created"
    ACTIVITY_UPDATED = "activity.updated"
    ACTIVITY_DELETED = "activity.deleted"
    TASK_CHANNEL_CREATED = "task-channel.created"
    TASK_CHANNEL_UPDATED = "task-channel.updated"
    TASK_CHANNEL_DELETED = "task-channel.deleted"
    TASK_QUEUE_CREATED = "task-queue.created"
    TASK_QUEUE_DELETED = "task-queue.deleted"
    TASK_QUEUE_UPDATED = "task-queue.updated"  # ours: anything but its expression changed
    TASK_QUEUE_EXPRESSION_UPDATED = "task-queue.expression.updated"
    TASK_QUEUE_ENTERED = "task-queue.entered"
    TASK_QUEUE_TIMEOUT = "task-queue.timeout"  # a step's deadline passed
    TASK_QUEUE_MOVED = "task-queue.moved"  # the task left this queue for another
    WORKFLOW_CREATED = "workflow.created"
    WORKFLOW_UPDATED = "workflow.updated"
    WORKFLOW_DELETED = "workflow.deleted"
    WORKFLOW_ENTERED = "workflow.entered"
    WORKFLOW_TARGET_MATCHED = "workflow.target-matched"
    WORKFLOW_TIMEOUT = "workflow.timeout"  # the last step's deadline passed
    WORKFLOW_SKIPPED = "workflow.skipped"  # every step was skipped
    WORKER_CREATED = "worker.created"
    WORKER_DELETED = "worker.deleted"
    WORKER_ATTRIBUTES_UPDATE = "worker.attributes.update"
    WORKER_ACTIVITY_UPDATE = "worker.activity.update"
    WORKER_CAPACITY_UPDATE = "worker.capacity.update"
    WORKER_CHANNEL_AVAILABILITY_UPDATE = "worker.channel.availability.update"
    TASK_CREATED = "task.created"  # → pending
    TASK_UPDATED = "task.updated"
    TASK_WRAPUP = "task.wrapup"  # assigned → wrapping
    TASK_COMPLETED = "task.completed"  # assigned, wrapping → completed
    TASK_CANCELED = "task.canceled"  # pending, reserved → canceled
    TASK_DELETED = "task.deleted"
    TASK_SYSTEM_DELETED = "task.system-deleted"
    TASK_TRANSFER_INITIATED = "task.transfer-initiated"  # assigned → reserved
    TASK_TRANSFER_ATTEMPT_FAILED = "task.transfer-attempt-failed"  # whoever was asked did not take
    TASK_TRANSFER_FAILED = "task.transfer-failed"  # reserved → assigned, to the same worker
    TASK_TRANSFER_CANCELED = "task.transfer-canceled"  # reserved → assigned, to the same worker
    TASK_TRANSFER_COMPLETED = "task.transfer-completed"  # reserved → assigned, to another worker
    RESERVATION_CREATED = "reservation.created"  # → pending
    RESERVATION_ACCEPTED = "reservation.accepted"  # pending → accepted
    RESERVATION_REJECTED = "reservation.rejected"  # pending → rejected
    RESERVATION_TIMEOUT = "reservation.timeout"  # pending → timeout
    RESERVATION_CANCELED = "reservation.canceled"  # pending → canceled
    RESERVATION_RESCINDED = "reservation.rescinded"  # pending → rescinded
    RESERVATION_WRAPUP = "reservation.wrapup"  # accepted → wrapping
    RESERVATION_COMPLETED = "reservation.completed"  # accepted, wrapping → completed
    RESERVATION_FAILED = "reservation.failed"  # a task for one worker ended before they had it
    RESERVATION_CALLBACK_FAILED = "reservation.callback-failed"  # ours: an assignment callback
