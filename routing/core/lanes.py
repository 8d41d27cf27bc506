"""Compute a task's lane: the identity that tasks with equal requirements share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from workflows.configuration import Target
from workflows.expressions import Expression, View, look_up_path
from workflows.expressions.nodes import Comparison, Literal, Path, list_comparisons, list_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The requirements that all tasks of one lane share; texts are canonical.

    `task_queue_sid` is None for a task routed directly to a worker.
    """

    task_channel_sid: str
    task_queue_sid: str | None
    expression: str = ""
    order_by: str = ""
    known_worker_sid: str | None = None
    known_worker_name: str | None = None
    ignore_capacity: bool = False

    @property
    def digest(self) -> str:
        """Return a short hash of all fields: equal identities have equal digests, others differ."""
        values = [getattr(self, name) for name in self.__slots__]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def identify_lane(target: Target, task: View, *, task_channel_sid: str) -> Identity:
    """Return the lane of a task that waits in this target.

    The task's attributes are bound into the target's expression. The remaining expression reads
    only the worker.
    """
    expression = "" if target.expression is None else target.expression.bind(task=task).source
    return Identity(
        task_channel_sid=task_channel_sid,
        task_queue_sid=target.queue,
        expression=expression,
        order_by=target.order_by_source,
        known_worker_sid=_known(target.known_worker_sid, task),
        known_worker_name=_known(target.known_worker_friendly_name, task, fold=True),
    )


def _known(path: tuple[str | int, ...] | None, task: View, *, fold: bool = False) -> str | None:
    """Return the worker a task names: None if the target has no path, "" if the task has none."""
    if path is None:
        return None
    name = look_up_path(task, path)
    if not isinstance(name, str):
        return ""
    # Names are stored without leading and trailing spaces.
    return name.strip().casefold() if fold else name


def may_open(expression: Expression) -> bool:
    """Return whether more load can make a worker meet this expression who does not meet it yet.

    If so, another pass is worth while. Most conditions on load only turn false as it grows, such
    as a free percentage above some number.
    """
    found: bool | None = expression.derived.get("may open")
    if found is None:
        found = expression.derived["may open"] = _may_open(expression)
    return found


def _may_open(expression: Expression) -> bool:
    return any(
        path.root == "worker" and path.segments[:1] == ("channel",)
        for comparison in list_comparisons(expression.node)
        if not _only_closes(comparison)
        for path in list_paths(comparison)
    )


_NEVER_GROWS = frozenset({"configured_capacity", "available", "assigned_tasks"})
"""Channel figures that an offer does not increase."""


def _only_closes(comparison: Comparison) -> bool:
    left, right = comparison.left, comparison.right
    if not isinstance(left, Path) or not isinstance(right, Literal):
        return False
    figure = left.segments[-1]
    if figure in _NEVER_GROWS:
        return True
    if figure == "available_capacity_percentage":
        return comparison.operator in (">", ">=") or (comparison.operator, right.value) == (
            "==",
            100,
        )
    if figure == "busy_capacity_percentage":
        return comparison.operator in ("<", "<=") or (comparison.operator, right.value) == ("==", 0)
    return False
