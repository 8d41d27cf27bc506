"""Put a locked task that waits, or is to wait again, into a queue or a workflow."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from routing import configurations, models
from routing.actions.support import lanes, workflow_position
from routing.actions.support.errors import InvalidInput, NotNow
from routing.core.clock import microseconds
from routing.core.workflow_position import restart_step
from routing.snapshots import tasks

PLACE_FIELDS: Final = (
    *workflow_position.STEP_FIELDS,
    *("workflow", "routing_target", "ignore_capacity"),
)
"""Fields of a task that the functions here change, and their caller stores."""


def check_queue(task: models.Task, queue: models.TaskQueue) -> None:
    """Raise `InvalidInput` unless a queue is of the task's workspace."""
    if queue.workspace_id != task.workspace_id:
        raise InvalidInput(f"queue {queue.sid} belongs to another workspace", field="to")


def enter_queue(task: models.Task, queue: models.TaskQueue, *, now: datetime) -> None:
    """Put a task into a queue without steps, as a task with this routing target.

    Its workflow still provides the time to answer offers, and callbacks.
    """
    task.revision_id = task.filter_index = task.step_clock_us = task.step_deadline_us = None
    task.target_index = 0
    task.skip_unasked = False
    task.routing_target = queue.sid
    task.ignore_capacity = None
    if task.task_queue_id != queue.pk:
        task.task_queue = queue
        task.task_queue_entered_date = now
    task.lane = lanes.find_or_create_lane(task, now=now)


def enter_workflow(task: models.Task, workflow: models.Workflow, *, now: datetime) -> None:
    """Put a task into the first step of a workflow, at its present revision.

    Raises `NotNow` when no filter of the workflow takes the task.
    """
    if workflow.workspace_id != task.workspace_id:
        raise InvalidInput(f"workflow {workflow.sid} belongs to another workspace", field="to")
    task.workflow = workflow
    task.revision_id = workflow.revision_id
    task.routing_target = task.ignore_capacity = None
    step = workflow_position.find_first_step(task, base=microseconds(now), now=now)
    if step is None:
        raise NotNow(
            f"Cannot route task {task.sid}: no filter of the workflow"
            f" {workflow.friendly_name!r} takes it, and it has no default filter."
            " Move it to a queue instead."
        )
    workflow_position.enter_step(task, step, now=now)


def reenter_place(task: models.Task, *, now: datetime) -> None:
    """Let a task wait again where it waited last, with the whole time of its step ahead.

    Raises `NotNow` for a task that only one worker may have.
    """
    step, priority = tasks.build_step(task), task.priority
    if step is not None and task.revision_id is not None:
        configuration = configurations.load_configuration(task.revision_id)
        workflow_position.enter_step(
            task, restart_step(configuration, step, now=microseconds(now)), now=now
        )
        task.priority = priority
    elif (task.routing_target or "").startswith("WK") or task.task_queue is None:
        raise NotNow(
            f"Task {task.sid} is for one worker only, and would go back to them."
            " Name a queue for it."
        )
    else:
        # Also a task whose workflow was deleted while a worker had it.
        enter_queue(task, task.task_queue, now=now)
