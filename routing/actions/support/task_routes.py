"""Choose where a new task goes: through a workflow, or directly to a worker or a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from routing import models
from routing.actions.support.errors import InvalidInput
from routing.db.guarded import GuardedQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The workflow that routes a task, or with `bypass` where it goes without one.

    A bypassed workflow still provides the reservation timeout and callbacks.
    """

    workflow: models.Workflow | None
    task_queue: models.TaskQueue | None = None
    ignore_capacity: bool | None = None
    bypass: bool = False


def choose_route(
    *,
    workspace: models.Workspace,
    routing_target: str | None,
    ignore_capacity: bool | None,
    workflow: models.Workflow | None,
    task_queue: models.TaskQueue | None,
) -> Route:
    """Return where a new task goes (behaviour.md §6.9); raises `InvalidInput`."""
    kind = (routing_target or "")[:2]
    if ignore_capacity is not None and kind != "WK":
        raise InvalidInput(
            "ignore_capacity is only possible together with a worker as routing_target",
            field="ignore_capacity",
            mentions=("routing_target",),
        )
    if kind == "WK":
        _require_target(workspace.workers.filter(sid=routing_target).exists(), routing_target)
        return Route(
            workflow=workflow,
            task_queue=task_queue,
            ignore_capacity=True if ignore_capacity is None else ignore_capacity,
            bypass=True,
        )
    if kind == "WQ":
        queue = workspace.task_queues.filter(sid=routing_target).first()
        _require_target(queue is not None, routing_target)
        return Route(workflow=workflow, task_queue=queue, bypass=True)
    if kind == "WW":
        workflow = workspace.workflows.filter(sid=routing_target).first()
        _require_target(workflow is not None, routing_target)
    elif routing_target is not None:
        _require_target(False, routing_target)
    return Route(workflow=workflow or _load_only_workflow(workspace))


def _require_target(found: bool, routing_target: str | None) -> None:
    if not found:
        raise InvalidInput(
            f"routing_target {routing_target!r} is no worker, queue or workflow of this workspace",
            field="routing_target",
        )


def _load_only_workflow(workspace: models.Workspace) -> models.Workflow:
    two = _TWO_WORKFLOWS(workspace.pk)
    if len(two) != 1:
        raise InvalidInput(
            "the workflow_sid field is required: the workspace has "
            + ("no workflow" if not two else "more than one workflow"),
            field="workflow_sid",
        )
    two[0].workspace = workspace
    return two[0]


_TWO_WORKFLOWS: Final = GuardedQuery(
    lambda workspace: models.Workflow.objects.filter(workspace_id=workspace).order_by("pk")[:2],
    sole_in="workspace_id",
)
