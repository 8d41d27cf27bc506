"""Enumerations of the domain: statuses, orders, resource types, refusals."""

from __future__ import annotations

from enum import StrEnum


def gettext_noop(text: str) -> str:
    """Mark a text that the desk shows, so that it gets into the catalogues of translations."""
    return text


class AssignmentStatus(StrEnum):
    """The status of a task."""

    PENDING = "pending"  # waits in a queue
    RESERVED = "reserved"  # is on offer to one worker or several
    ASSIGNED = "assigned"  # one worker has it
    WRAPPING = "wrapping"  # the conversation is over, the work is not
    COMPLETED = "completed"  # final
    CANCELED = "canceled"  # final


class ReservationStatus(StrEnum):
    """The status of one offer of a task to a worker."""

    PENDING = "pending"  # offered, the clock runs
    ACCEPTED = "accepted"  # the worker has the task
    WRAPPING = "wrapping"  # the worker writes up the task
    COMPLETED = "completed"  # final: the work is done
    REJECTED = "rejected"  # final: the worker declined
    TIMEOUT = "timeout"  # final: not answered in time
    CANCELED = "canceled"  # final: the offer was withdrawn
    RESCINDED = "rescinded"  # final: another worker was first


class ReservationOrigin(StrEnum):
    """How a task came to a worker."""

    PUSH = "push"  # the router chose the worker
    GRAB = "grab"  # the worker picked the task
    ASSIGNED = "assigned"  # a supervisor gave it to the worker
    DIRECT = "direct"  # the task was created for this worker
    TRANSFER = "transfer"  # a colleague transferred it


class ReservationEnd(StrEnum):
    """What ended the work on an accepted reservation."""

    WORK = "work"  # the worker completed or transferred the task
    TAKEN_BACK = "taken_back"  # a supervisor took the task back
    DELETED = "deleted"  # the task was deleted


class TransferStatus(StrEnum):
    """The status of a transfer."""

    INITIATED = "initiated"  # is on offer, or a worker is searched
    COMPLETE = "complete"  # final: another worker has taken the task
    FAILED = "failed"  # final: no worker has taken it; it stays where it was
    CANCELED = "canceled"  # final: its worker keeps it after all


class TransferMode(StrEnum):
    """When the worker who transfers a task gives it up."""

    WARM = "WARM"  # when they confirm it, after the other worker has taken it
    COLD = "COLD"  # as soon as the other worker has taken it


class TransferType(StrEnum):
    """The kind of receiver of a transfer."""

    WORKER = "WORKER"
    QUEUE = "QUEUE"


class QueueOrder(StrEnum):
    """Which end of a queue is served first."""

    FIFO = "FIFO"
    LIFO = "LIFO"


class GrabPolicy(StrEnum):
    """Which tasks workers may grab from a queue."""

    OFF = "off"  # nothing
    ANYTHING = "anything"  # every waiting task
    OLDEST = "oldest"  # only the oldest `grab_limit` tasks
    WAITED = "waited"  # only tasks that have waited `grab_after` seconds


class OutcomePolicy(StrEnum):
    """Whether agents are asked for an outcome when they complete a task of a queue."""

    OFF = "off"  # not asked
    ASKED = "asked"  # asked; they may leave it out
    REQUIRED = "required"  # the desk completes no task without an outcome


class WrapUpEnd(StrEnum):
    """What happens to a task when the time for wrapping it up is over."""

    COMPLETE = "complete"  # it is completed, which frees its slot
    STAY = "stay"  # nothing; the desk shows that it takes longer


class Refusal(StrEnum):
    """Why a worker may not have a task, in the order of the tests."""

    TASK_NOT_PENDING = "task_not_pending"
    ATTRIBUTES_UNREADABLE = "attributes_unreadable"
    NOT_IN_QUEUE = "not_in_queue"
    WORKER_UNAVAILABLE = "worker_unavailable"
    CHANNEL_UNAVAILABLE = "channel_unavailable"
    NO_CAPACITY = "no_capacity"
    GRAB_NOT_ALLOWED = "grab_not_allowed"
    EXPRESSION_NOT_MET = "expression_not_met"
    KEPT_FOR_MANUAL = "kept_for_manual"
    RECENTLY_REJECTED = "recently_rejected"
    ALREADY_OFFERED = "already_offered"

    @property
    def words(self) -> str:
        """Return the reason in the words for the worker, shown under a disabled button."""
        return _REFUSAL_WORDS[self]

    @property
    def third_person(self) -> str:
        """Return the reason in the words for others, about the worker."""
        return _ABOUT_A_WORKER[self]


_REFUSAL_WORDS = {
    Refusal.TASK_NOT_PENDING: gettext_noop("This task is no longer waiting."),
    Refusal.ATTRIBUTES_UNREADABLE: gettext_noop(
        "Your attributes cannot be read; a supervisor can repair them."
    ),
    Refusal.NOT_IN_QUEUE: gettext_noop("You do not serve the queue of this task."),
    Refusal.WORKER_UNAVAILABLE: gettext_noop("Your activity does not take work."),
    Refusal.CHANNEL_UNAVAILABLE: gettext_noop("This channel is switched off for you."),
    Refusal.NO_CAPACITY: gettext_noop("You have no free slot on this channel."),
    Refusal.GRAB_NOT_ALLOWED: gettext_noop("This queue does not let you pick this task now."),
    Refusal.EXPRESSION_NOT_MET: gettext_noop("You do not meet what this task asks for."),
    Refusal.KEPT_FOR_MANUAL: gettext_noop("Your last slots are kept for tasks picked by hand."),
    Refusal.RECENTLY_REJECTED: gettext_noop("You rejected this task a moment ago."),
    Refusal.ALREADY_OFFERED: gettext_noop("This task is already on offer to you."),
}

_ABOUT_A_WORKER = {
    Refusal.TASK_NOT_PENDING: gettext_noop("The task is no longer waiting."),
    Refusal.ATTRIBUTES_UNREADABLE: gettext_noop("The worker's attributes are not a JSON object."),
    Refusal.NOT_IN_QUEUE: gettext_noop("The worker does not serve the queue of the task."),
    Refusal.WORKER_UNAVAILABLE: gettext_noop("The worker's activity does not take work."),
    Refusal.CHANNEL_UNAVAILABLE: gettext_noop("The channel is switched off for the worker."),
    Refusal.NO_CAPACITY: gettext_noop("The worker has no free slot on the channel."),
    Refusal.GRAB_NOT_ALLOWED: gettext_noop(
        "The queue does not let this task be picked by hand now."
    ),
    Refusal.EXPRESSION_NOT_MET: gettext_noop("The worker does not meet what the task asks for."),
    Refusal.KEPT_FOR_MANUAL: gettext_noop(
        "The worker's last free slots are kept for tasks picked by hand."
    ),
    Refusal.RECENTLY_REJECTED: gettext_noop("The worker rejected this task a moment ago."),
    Refusal.ALREADY_OFFERED: gettext_noop("The task is already on offer to the worker."),
}


class BatchState(StrEnum):
    """The state of a supervisor's act."""

    RUNNING = "running"
    FINISHED = "finished"  # final: every row has an outcome
    STOPPED = "stopped"  # final: a supervisor stopped it


class RowOutcome(StrEnum):
    """What became of one row of a supervisor's act."""

    DONE = "done"
    SAME = "same"  # it was so already
    REFUSED = "refused"  # the row says why
    GONE = "gone"  # there is no such row any more
    NOT_REACHED = "not_reached"  # the act was stopped before


class CallbackStatus(StrEnum):
    """The status of a webhook request."""

    PENDING = "pending"  # to be sent, for the first time or again
    DELIVERED = "delivered"  # final: the receiver accepted or answered it
    FAILED = "failed"  # final: no receiver accepted it, or it is no longer needed


class ResourceType(StrEnum):
    """The kind of resource an event is about."""

    WORKSPACE = "workspace"
    ACTIVITY = "activity"
    TASK_CHANNEL = "task-channel"
    TASK_QUEUE = "task-queue"
    WORKFLOW = "workflow"
    WORKER = "worker"
    OUTCOME_CODE = "outcome-code"
    THRESHOLD = "threshold"
    ALERT = "alert"
    TASK = "task"
    RESERVATION = "reservation"


class Audience(StrEnum):
    """The websocket groups that get an event."""

    WORKER = "worker"  # the worker that the event names, and the workers with its task
    TASK_QUEUE = "task-queue"  # all workers who serve the queue
    WORKSPACE = "workspace"  # all sockets of the workspace
    FLOOR = "floor"  # the cockpit alone, which hears all that is published
