"""Put a task into a step of its workflow: its queue, its priority, its lane, and the events."""

from __future__ import annotations

from datetime import datetime

from routing import configurations, event_data, models
from routing.actions import lanes, settle
from routing.actors import Actor
from routing.core import steps
from routing.core.clock import microseconds
from routing.core.vocabulary import EventType
from routing.seen import tasks

FIELDS = [
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
"""What `apply` may change of a task, and its caller stores."""


def place(task: models.Task, *, base: int, now: datetime) -> steps.Step | None:
    """Find where the task enters its revision's configuration; see `routing.core.steps.place`."""
    assert task.revision_id is not None
    return steps.place(
        configurations.of(task.revision_id),
        tasks.view(task, now=now),
        base=base,
        now=microseconds(now),
    )


def apply(task: models.Task, step: steps.Step, *, now: datetime) -> None:
    """Set a task's fields to a step's; the caller stores `FIELDS`."""
    assert task.revision_id is not None
    target = steps.target_of(configurations.of(task.revision_id), step)
    task.filter_index = step.filter_index
    task.target_index = step.target_index
    task.step_clock_us = step.clock_us
    task.step_deadline_us = step.deadline_us
    task.skip_unasked = step.skip_unasked
    if target.priority is not None:
        task.priority = target.priority
    if task.task_queue is None or task.task_queue.sid != target.queue:
        task.task_queue = models.TaskQueue.objects.get(
            workspace_id=task.workspace_id, sid=target.queue
        )
        task.task_queue_entered_date = now
    task.lane = lanes.lane_of(task, now=now)


def record_entry(
    task: models.Task,
    *,
    previous: models.TaskQueue | None,
    timed_out: bool,
    actor: Actor,
    now: datetime,
) -> None:
    """Record that a task already stored in its new step has come there from `previous`."""
    if previous is not None:
        left: event_data.EventData = event_data.of_task_queue(previous)
        if timed_out:
            settle.record_task(EventType.TASK_QUEUE_TIMEOUT, task, more=left, actor=actor, now=now)
        if previous != task.task_queue:
            settle.record_task(EventType.TASK_QUEUE_MOVED, task, more=left, actor=actor, now=now)
    if previous != task.task_queue:
        settle.record_task(EventType.TASK_QUEUE_ENTERED, task, actor=actor, now=now)


def record_match(task: models.Task, *, actor: Actor, now: datetime) -> None:
    """Record which filter and which target of its workflow a task is in."""
    assert task.revision_id is not None
    assert task.filter_index is not None
    configuration = configurations.of(task.revision_id)
    default = task.filter_index == steps.DEFAULT_FILTER
    filter_ = None if default else configuration.filters[task.filter_index]
    step = tasks.step(task)
    assert step is not None
    expression = steps.target_of(configuration, step).expression
    settle.record_task(
        EventType.WORKFLOW_TARGET_MATCHED,
        task,
        more={
            "workflow_filter_name": "default_filter" if filter_ is None else filter_.name,
            "workflow_filter_expression": None if filter_ is None else filter_.expression.source,
            "workflow_filter_target_expression": None if expression is None else expression.source,
        },
        actor=actor,
        now=now,
    )
