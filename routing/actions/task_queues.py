"""Create, change and delete task queues."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction
from django.db.models import F, Q

from routing import configurations, models, sids
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InUse, InvalidInput
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.lifecycle import FINAL_TASK
from routing.core.vocabulary import GrabPolicy, OutcomePolicy, QueueOrder, WrapUpEnd
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.queues import TASK_QUEUE

MAX_LIMIT: Final = 86_400
"""Longest limit for handling or wrapping up a task, in seconds."""

_FINAL = Q(assignment_status__in=[status.value for status in FINAL_TASK])


class TaskQueueChanges(TypedDict, total=False):
    """Fields of a task queue that can be set; absent ones stay, or get the column's default."""

    friendly_name: str
    target_workers: str
    max_reserved_workers: int
    task_order: QueueOrder
    reservation_activity: models.Activity | None
    assignment_activity: models.Activity | None
    grab_policy: GrabPolicy
    grab_limit: int
    grab_after: int
    outcome_policy: OutcomePolicy
    expected_handling_time: int | None
    wrap_up_limit: int | None
    wrap_up_end: WrapUpEnd


@transaction.atomic
def create_task_queue(
    *,
    workspace: models.Workspace,
    actor: Actor,
    now: datetime,
    **values: Unpack[TaskQueueChanges],
) -> models.TaskQueue:
    """Create a queue; without `target_workers` all workers serve it."""
    _advance_version(workspace.pk)
    queue = models.TaskQueue(
        sid=sids.new_sid("WQ"), workspace=workspace, date_created=now, date_updated=now
    )
    if not workspace.multi_task_enabled:
        named = {a.friendly_name: a for a in workspace.activities.all()}
        queue.reservation_activity = named.get("Reserved")
        queue.assignment_activity = named.get("Busy")
    if "friendly_name" not in values:
        raise InvalidInput("friendly_name is required", field="friendly_name")
    _set_values(queue, values)
    with _refuse_duplicates(queue.friendly_name):
        queue.save(force_insert=True)
    _record(EventType.TASK_QUEUE_CREATED, queue, actor, now)
    return queue


@transaction.atomic
def update_task_queue(
    *,
    queue: models.TaskQueue,
    actor: Actor,
    now: datetime,
    **changes: Unpack[TaskQueueChanges],
) -> models.TaskQueue:
    """Change a queue; its waiting tasks are matched again at once."""
    _advance_version(queue.workspace_id)
    locking.lock_row(queue)
    before = changed.read_values(TASK_QUEUE, queue)
    _set_values(queue, changes)
    queue.date_updated = now
    with _refuse_duplicates(queue.friendly_name):
        queue.save(update_fields=[*changes, "date_updated"])
    moved = queue.target_workers != before["target_workers"]
    event_type = EventType.TASK_QUEUE_EXPRESSION_UPDATED if moved else EventType.TASK_QUEUE_UPDATED
    _record(event_type, queue, actor, now, TASK_QUEUE.describe_changes(before, queue))
    return queue


@transaction.atomic
def delete_task_queue(*, queue: models.TaskQueue, actor: Actor, now: datetime) -> None:
    """Delete a queue; raises `InUse` while a workflow targets it or it has unfinished tasks.

    Finished tasks stay readable, without their queue.
    """
    _advance_version(queue.workspace_id)
    locking.lock_row(queue, to_delete=True)
    for workflow in models.Workflow.objects.filter(workspace_id=queue.workspace_id).order_by("pk"):
        if (
            workflow.revision_id
            and queue.sid in configurations.load_configuration(workflow.revision_id).queues
        ):
            raise InUse(
                f"the queue {queue.friendly_name!r} is a target of the workflow"
                f" {workflow.friendly_name!r}; take it out there first"
            )
    tasks = models.Task.objects.filter(task_queue=queue)
    # Waiting tasks may still follow an older revision that targets this queue.
    if tasks.filter(~_FINAL).exists() or _is_queue_of_live_tasks(queue):
        raise InUse(f"the queue {queue.friendly_name!r} still has tasks; finish or move them first")
    tasks.update(task_queue=None)
    models.Lane.objects.filter(task_queue=queue).delete()
    _record(EventType.TASK_QUEUE_DELETED, queue, actor, now)
    queue.delete()


def _advance_version(workspace_id: int) -> None:
    """Advance the version of a workspace's queues, before any of them is locked."""
    rows = models.Workspace.objects.filter(pk=workspace_id)
    rows.update(queues_version=F("queues_version") + 1)


def _is_queue_of_live_tasks(queue: models.TaskQueue) -> bool:
    revisions = (
        models.Task.objects.filter(~_FINAL, workspace_id=queue.workspace_id)
        .exclude(revision=None)
        .values_list("revision_id", flat=True)
        .distinct()
    )
    return any(queue.sid in configurations.load_configuration(pk).queues for pk in revisions)


def _set_values(queue: models.TaskQueue, values: TaskQueueChanges) -> None:
    if "friendly_name" in values:
        queue.friendly_name = inputs.check_name(values["friendly_name"])
    if "target_workers" in values:
        queue.target_workers = inputs.check_target_workers(values["target_workers"])
    if "max_reserved_workers" in values:
        queue.max_reserved_workers = inputs.check_integer(
            values["max_reserved_workers"], field="max_reserved_workers", least=1, most=50
        )
    if "task_order" in values:
        queue.task_order = values["task_order"].value
    if "reservation_activity" in values:
        queue.reservation_activity = _check_activity(
            queue, values["reservation_activity"], "reservation"
        )
    if "assignment_activity" in values:
        queue.assignment_activity = _check_activity(
            queue, values["assignment_activity"], "assignment"
        )
    if "grab_policy" in values:
        queue.grab_policy = values["grab_policy"].value
    if "grab_limit" in values:
        queue.grab_limit = inputs.check_integer(
            values["grab_limit"], field="grab_limit", least=1, most=10_000
        )
    if "grab_after" in values:
        queue.grab_after = inputs.check_integer(
            values["grab_after"], field="grab_after", least=0, most=1_209_600
        )
    if "outcome_policy" in values:
        queue.outcome_policy = values["outcome_policy"].value
    if "expected_handling_time" in values:
        queue.expected_handling_time = _check_limit(
            values["expected_handling_time"], "expected_handling_time"
        )
    if "wrap_up_end" in values:
        queue.wrap_up_end = values["wrap_up_end"].value
    if "wrap_up_limit" in values:
        queue.wrap_up_limit = _check_limit(values["wrap_up_limit"], "wrap_up_limit")


def _check_limit(seconds: int | None, field: str) -> int | None:
    if seconds is None:
        return None
    return inputs.check_integer(seconds, field=field, least=1, most=MAX_LIMIT)


def _check_activity(
    queue: models.TaskQueue, activity: models.Activity | None, which: str
) -> models.Activity | None:
    if activity is not None and activity.workspace_id != queue.workspace_id:
        raise InvalidInput(
            f"activity {activity.sid} belongs to another workspace", field=f"{which}_activity_sid"
        )
    return activity


def _refuse_duplicates(friendly_name: str) -> inputs.DuplicateGuard:
    return inputs.refuse_duplicates(
        f"a task queue named {friendly_name!r} exists already in this workspace"
    )


def _record(
    event_type: EventType,
    queue: models.TaskQueue,
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    recorder.record(
        event_type,
        workspace=queue.workspace,
        resource_sid=queue.sid,
        data=payloads.describe_task_queue(queue) | (more or {}),
        actor=actor,
        now=now,
    )
