"""Every metric that is read at the scrape: its type, its labels and what it says.

No label names a worker, a task, an attribute, a user or an address, so their values are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CHANNEL: Final = "channel"


class Kind(StrEnum):
    """The types of Prometheus that are used."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its labels.

    Arguments:
        takes_largest: whether several values become the largest one, instead of their sum.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    takes_largest: bool = False


def _gauge(name: str, text: str, *labels: str, takes_largest: bool = False) -> Family:
    return Family(f"cordboard_{name}", Kind.GAUGE, text, labels, takes_largest)


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(f"cordboard_{name}_total", Kind.COUNTER, text, labels)


def _histogram(name: str, text: str, *labels: str) -> Family:
    return Family(f"cordboard_{name}", Kind.HISTOGRAM, text, labels)


BUILD_INFO: Final = _gauge(
    "build_info", "Always 1; the labels name the release.", "version", "database"
)
WORKSPACE_INFO: Final = _gauge(
    "workspace_info", "Always 1; the name of a workspace.", "workspace", "name"
)
TASKS: Final = _gauge("tasks", "Tasks by status.", "workspace", CHANNEL, "status")
LONGEST_WAIT: Final = _gauge(
    "longest_wait_seconds",
    "Age of the oldest pending task; 0 if none is pending.",
    *("workspace", CHANNEL),
    takes_largest=True,
)
OVERDUE: Final = _gauge(
    "tasks_overdue",
    "Pending tasks that wait longer than their queue's target; up to 1,000 of each queue.",
    *("workspace", CHANNEL),
)
WORKERS: Final = _gauge("workers", "Workers by what they can do now.", "workspace", "state")
WITHOUT_DESK: Final = _gauge(
    "workers_without_desk", "Available workers with neither desk nor SDK session.", "workspace"
)
ALERTS: Final = _gauge(
    "alerts",
    "Open alerts by level; muted and acknowledged ones are among them.",
    *("workspace", "level"),
)
SLOTS: Final = _gauge(
    "slots",
    "Slots by use; free ones are without those kept for grabbing. None with multitasking off.",
    *("workspace", CHANNEL, "state"),
)
TASKS_CREATED: Final = _counter("tasks_created", "Tasks created.", "workspace", CHANNEL)
STAYS_ENDED: Final = _counter(
    "stays_ended", "Stays of tasks in queues that ended, by how.", "workspace", CHANNEL, "end"
)
ANSWERS: Final = _counter(
    "answers", "Reservations accepted, by how the task came.", "workspace", CHANNEL, "origin"
)
OFFERS: Final = _counter("offers", "Offers that ended, by how.", "workspace", CHANNEL, "outcome")
WAIT: Final = _histogram(
    "wait_seconds", "Waits since creation, by how they ended.", "workspace", CHANNEL, "end"
)
HANDLE: Final = _histogram(
    "handle_seconds", "Time from acceptance to completion.", "workspace", CHANNEL
)
UNDELIVERED: Final = _gauge("events_undelivered", "Events not published yet, up to 10,000.")
CALLBACKS_PENDING: Final = _gauge(
    "callbacks_pending", "Callbacks still to be sent, up to 10,000.", "kind"
)
LAG: Final = _gauge("bookkeeper_lag_seconds", "Age of the oldest event that is not counted yet.")
PART_UP: Final = _gauge(
    "part_up", "1 if Redis, a job runner or beat answers, else 0; missing if unknown.", "part"
)
DUE_WORK: Final = _gauge(
    "due_work_seconds", "For how long the oldest due offer, deadline or event has been due."
)
TRUNCATED: Final = _gauge(
    "metrics_truncated", "1 if labels or workspaces were left out to bound this page, else 0."
)

QUEUE_INFO: Final = _gauge(
    "queue_info", "Always 1; the name of a queue.", "workspace", "queue", "name"
)
QUEUE_TASKS: Final = _gauge(
    "queue_tasks", "Tasks by status.", "workspace", "queue", CHANNEL, "status"
)
QUEUE_LONGEST_WAIT: Final = _gauge(
    "queue_longest_wait_seconds",
    "Age of the oldest pending task; 0 if none is pending.",
    *("workspace", "queue", CHANNEL),
    takes_largest=True,
)
QUEUE_WORKERS: Final = _gauge("queue_workers", "Workers who serve it.", "workspace", "queue")
QUEUE_FREE_WORKERS: Final = _gauge(
    "queue_free_workers", "Those with a slot for the router.", "workspace", "queue"
)
QUEUE_SERVICE_LEVEL: Final = _gauge(
    "queue_service_level_ratio",
    "Live service level of 30 minutes, from 0 to 1; missing if nothing ended or is overdue.",
    *("workspace", "queue"),
)
QUEUE_STAYS_ENDED: Final = _counter(
    "queue_stays_ended", "Stays of tasks that ended, by how.", "workspace", "queue", "end"
)

FLOOR: Final = (
    *(BUILD_INFO, WORKSPACE_INFO, TASKS, LONGEST_WAIT, OVERDUE, WORKERS, WITHOUT_DESK, SLOTS),
    ALERTS,
    *(TASKS_CREATED, STAYS_ENDED, ANSWERS, OFFERS, WAIT, HANDLE),
    *(UNDELIVERED, CALLBACKS_PENDING, LAG, PART_UP, DUE_WORK, TRUNCATED),
)
"""The metrics of `/metrics`."""
QUEUES: Final = (
    *(QUEUE_INFO, QUEUE_TASKS, QUEUE_LONGEST_WAIT, QUEUE_WORKERS, QUEUE_FREE_WORKERS),
    *(QUEUE_SERVICE_LEVEL, QUEUE_STAYS_ENDED, TRUNCATED),
)
"""The metrics of `/metrics/queues`."""
