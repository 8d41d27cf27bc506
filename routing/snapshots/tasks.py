"""Convert tasks to the values that expressions and workflows read."""

from __future__ import annotations

from datetime import datetime

from routing import models
from routing.core import workflow_position
from routing.snapshots import attributes
from workflows.expressions import View


def build_task_view(row: models.Task, *, now: datetime) -> View:
    """Return a task as expressions read it; unreadable attributes count as none."""
    return workflow_position.build_task_view(
        attributes.parse_attributes(row.attributes, sid=row.sid) or {},
        sid=row.sid,
        channel_unique_name=row.channel_name,
        channel_sid=row.channel_sid,
        priority=row.priority,
        workflow_sid=None if row.workflow is None else row.workflow.sid,
        age=max(int((now - row.date_created).total_seconds()), 0),
    )


def build_step(row: models.Task) -> workflow_position.Step | None:
    """Return a task's step in its workflow; None when it was routed directly."""
    if row.filter_index is None or row.step_clock_us is None:
        return None
    return workflow_position.Step(
        filter_index=row.filter_index,
        target_index=row.target_index,
        clock_us=row.step_clock_us,
        deadline_us=row.step_deadline_us,
        skip_unasked=row.skip_unasked,
    )
