"""Move a task to a step of its workflow: its queue, priority, lane and events."""

from __future__ import annotations

from datetime import datetime

from routing import configurations, models
from routing.actions.support import lanes
from routing.actions.support.task_events import TaskEvent
from routing.core import workflow_position
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType
from routing.events import payloads
from routing.snapshots import tasks

STEP_FIELDS = [
    "revision_id",
    "filter_index",
    "target_index",
    "step_clock_us",
    "step_deadline_us",
    "skip_unasked",
    "priority",
    "task_queue",
    "task_queue_entered_date",
    "lane",
]
"""Fields of a task that `enter_step` may change, and its caller stores."""


def find_first_step(
    task: models.Task, *, base: int, now: datetime
) -> workflow_position.Step | None:
    """Find where the task enters its revision's configuration."""
    assert task.revision_id is not None
    return workflow_position.find_first_step(
        configurations.load_configuration(task.revision_id),
        tasks.build_task_view(task, now=now),
        base=base,
        now=microseconds(now),
    )


def enter_step(
    task: models.Task,
    step: workflow_position.Step,
    *,
    now: datetime,
    known_lanes: lanes.LaneCache | None = None,
) -> None:
    """Set a task's fields for a step; the caller stores `STEP_FIELDS`.

    Arguments:
        known_lanes: the lanes of other tasks of the transaction.
    """
    assert task.revision_id is not None
    target = workflow_position.find_target(
        configurations.load_configuration(task.revision_id), step
    )
    task.filter_index = step.filter_index
    task.target_index = step.target_index
    task.step_clock_us = step.clock_us
    task.step_deadline_us = step.deadline_us
    task.skip_unasked = step.skip_unasked
    if target.priority is not None:
        task.priority = target.priority
    moves = task.task_queue is None or task.task_queue.sid != target.queue
    task.lane = (known_lanes or lanes.LaneCache()).find_or_create_lane(task, now=now)
    if moves:
        # The lane was made for the target, so its queue is the target's.
        task.task_queue = task.lane.task_queue
        task.task_queue_entered_date = now


def list_entry_events(
    task: models.Task, *, previous: models.TaskQueue | None, timed_out: bool
) -> list[TaskEvent]:
    """Return the events of a task that has moved to its new step from the queue `previous`."""
    events: list[TaskEvent] = []
    if previous is not None:
        left = payloads.describe_task_queue(previous)
        if timed_out:
            events.append((EventType.TASK_QUEUE_TIMEOUT, left))
        if previous != task.task_queue:
            events.append((EventType.TASK_QUEUE_MOVED, left))
    if previous != task.task_queue:
        events.append((EventType.TASK_QUEUE_ENTERED, {}))
    return events


def describe_match(task: models.Task) -> TaskEvent:
    """Return the event with the filter and the target of its workflow that a task matched."""
    step = tasks.build_step(task)
    assert task.revision_id is not None
    assert step is not None
    configuration = configurations.load_configuration(task.revision_id)
    default = step.filter_index == workflow_position.DEFAULT_FILTER
    filter_ = None if default else configuration.filters[step.filter_index]
    expression = workflow_position.find_target(configuration, step).expression
    return EventType.WORKFLOW_TARGET_MATCHED, {
        "workflow_filter_name": "default_filter" if filter_ is None else filter_.name,
        "workflow_filter_expression": None if filter_ is None else filter_.expression.source,
        "workflow_filter_target_expression": None if expression is None else expression.source,
    }
