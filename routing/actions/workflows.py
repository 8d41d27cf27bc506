"""Create, change and delete workflows; every new configuration is a revision."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction

from routing import models, sids
from routing.actions import tasks
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InUse, InvalidInput, StaleState
from routing.actions.support.workflow_revisions import create_revision, describe_revision
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.core.vocabulary import AssignmentStatus
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.queues import WORKFLOW
from workflows import configuration as configurations

BATCH: Final = 20
"""Waiting tasks that are routed again in one transaction."""


class WorkflowChanges(TypedDict, total=False):
    """Fields of a workflow besides its configuration; absent ones stay."""

    friendly_name: str
    assignment_callback_url: str | None
    fallback_assignment_callback_url: str | None
    task_reservation_timeout: int


@transaction.atomic
def create_workflow(
    *,
    workspace: models.Workspace,
    configuration: str,
    message: str = "",
    actor: Actor,
    now: datetime,
    **values: Unpack[WorkflowChanges],
) -> models.Workflow:
    """Create a workflow; raises `InvalidInput` that lists every problem of the configuration.

    Arguments:
        message: what the first revision is about, of at most 255 characters.
    """
    check_configuration(configuration, workspace)
    workflow = models.Workflow(
        sid=sids.new_sid("WW"), workspace=workspace, date_created=now, date_updated=now
    )
    if "friendly_name" not in values:
        raise InvalidInput("friendly_name is required", field="friendly_name")
    _set_values(workflow, values)
    with _refuse_duplicates(workflow.friendly_name):
        workflow.save(force_insert=True)
    create_revision(workflow, configuration, message=message, actor=actor, now=now)
    _record(EventType.WORKFLOW_CREATED, workflow, actor, now)
    return workflow


def update_workflow(
    *,
    workflow: models.Workflow,
    configuration: str | None = None,
    re_evaluate_tasks: bool = False,
    message: str = "",
    actor: Actor,
    now: datetime,
    **changes: Unpack[WorkflowChanges],
) -> models.Workflow:
    """Change a workflow; an unacceptable configuration changes nothing.

    Arguments:
        re_evaluate_tasks: route pending tasks again by the new configuration. Without it they
            follow the revision under which they were created.
        message: what a new configuration is about, of at most 255 characters.
    """
    more: EventData = {}
    with transaction.atomic():
        locking.lock_row(workflow)
        before = changed.read_values(WORKFLOW, workflow)
        _set_values(workflow, changes)
        workflow.date_updated = now
        if configuration is not None and configuration != current_configuration(workflow):
            check_configuration(configuration, workflow.workspace)
            revision = create_revision(
                workflow, configuration, message=message, actor=actor, now=now
            )
            more = describe_revision(revision)
        with _refuse_duplicates(workflow.friendly_name):
            workflow.save(update_fields=[*changes, "date_updated"])
        more |= WORKFLOW.describe_changes(before, workflow)
        _record(EventType.WORKFLOW_UPDATED, workflow, actor, now, more)
    if re_evaluate_tasks:
        _reroute_waiting_tasks(workflow, actor, now)
    return workflow


def restore_revision(
    *,
    workflow: models.Workflow,
    number: int,
    re_evaluate_tasks: bool = False,
    message: str = "",
    actor: Actor,
    now: datetime,
) -> models.Workflow:
    """Give a workflow the text of an older revision again, as a new revision.

    Waiting tasks stay on their revisions unless they are re-evaluated. Raises `InvalidInput` when
    the text is not acceptable any more, because a queue that it names is gone, and `StaleState`
    when the workflow has this text.
    """
    with transaction.atomic():
        locking.lock_row(workflow)
        workflow = locking.reread(workflow, "revision", "workspace")
        old = workflow.revisions.filter(number=number).first()
        if old is None:
            raise InvalidInput(f"the workflow has no revision {number}", field="number")
        if old.configuration == current_configuration(workflow):
            raise StaleState(f"revision {number} has the text that the workflow has now")
        check_configuration(old.configuration, workflow.workspace)
        before = changed.read_values(WORKFLOW, workflow)
        revision = create_revision(
            workflow,
            old.configuration,
            message=message,
            restored_from=number,
            actor=actor,
            now=now,
        )
        workflow.date_updated = now
        workflow.save(update_fields=["date_updated"])
        more = describe_revision(revision) | WORKFLOW.describe_changes(before, workflow)
        _record(EventType.WORKFLOW_UPDATED, workflow, actor, now, more)
    if re_evaluate_tasks:
        _reroute_waiting_tasks(workflow, actor, now)
    return workflow


@transaction.atomic
def delete_workflow(*, workflow: models.Workflow, actor: Actor, now: datetime) -> None:
    """Delete a workflow; raises `InUse` while pending or reserved tasks follow it."""
    locking.lock_row(workflow, to_delete=True)
    waiting = [AssignmentStatus.PENDING.value, AssignmentStatus.RESERVED.value]
    if workflow.tasks.filter(assignment_status__in=waiting).exists():
        raise InUse(
            f"the workflow {workflow.friendly_name!r} still leads waiting tasks; finish or cancel"
            " them first"
        )
    workflow.tasks.update(workflow=None, revision=None)
    models.Workflow.objects.filter(pk=workflow.pk).update(revision=None)
    _record(EventType.WORKFLOW_DELETED, workflow, actor, now)
    workflow.delete()


def current_configuration(workflow: models.Workflow) -> str:
    """Return the text of the configuration for new tasks."""
    return "" if workflow.revision is None else workflow.revision.configuration


def check_configuration(document: str, workspace: models.Workspace) -> configurations.Configuration:
    """Parse a configuration for this workspace; raises `InvalidInput` that lists every problem."""
    queues = set(workspace.task_queues.values_list("sid", flat=True))
    try:
        return configurations.parse_configuration(document, queue_sids=queues)
    except configurations.ConfigurationError as error:
        raise InvalidInput(
            f"configuration is not acceptable:\n{error}", field="configuration"
        ) from error


def _reroute_waiting_tasks(workflow: models.Workflow, actor: Actor, now: datetime) -> None:
    """Route the pending tasks again in small batches, because each batch locks its tasks."""
    pending = workflow.tasks.filter(assignment_status=AssignmentStatus.PENDING.value).order_by("pk")
    last = 0
    while keys := list(pending.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        last = keys[-1]
        some = pending.filter(pk__in=keys)
        with transaction.atomic():
            # Lock the batch first: a task offered in between would need worker locks too late.
            locking.lock_tasks(some)
            for task in some:
                tasks.update_task(task=task, attributes=task.attributes, actor=actor, now=now)


def _set_values(workflow: models.Workflow, values: WorkflowChanges) -> None:
    if "friendly_name" in values:
        workflow.friendly_name = inputs.check_name(values["friendly_name"])
    if "assignment_callback_url" in values:
        workflow.assignment_callback_url = (
            inputs.check_callback_url(
                values["assignment_callback_url"], field="assignment_callback_url"
            )
            or None
        )
    if "fallback_assignment_callback_url" in values:
        workflow.fallback_assignment_callback_url = (
            inputs.check_callback_url(
                values["fallback_assignment_callback_url"], field="fallback_assignment_callback_url"
            )
            or None
        )
    if "task_reservation_timeout" in values:
        workflow.task_reservation_timeout = inputs.check_integer(
            values["task_reservation_timeout"],
            field="task_reservation_timeout",
            least=1,
            most=86_400,
        )


def _refuse_duplicates(friendly_name: str) -> inputs.DuplicateGuard:
    return inputs.refuse_duplicates(
        f"a workflow named {friendly_name!r} exists already in this workspace"
    )


def _record(
    event_type: EventType,
    workflow: models.Workflow,
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    recorder.record(
        event_type,
        workspace=workflow.workspace,
        resource_sid=workflow.sid,
        data=payloads.describe_workflow(workflow) | (more or {}),
        actor=actor,
        now=now,
    )
