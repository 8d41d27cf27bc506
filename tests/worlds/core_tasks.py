"""Tasks of the world in memory, and their snapshots for the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.core import lanes, lifecycle, overdue, snapshot, workflow_position
from routing.core.clock import SECOND
from routing.core.vocabulary import AssignmentStatus
from routing.core.vocabulary import ReservationStatus as R
from workflows import expressions
from workflows.configuration import Configuration

CHANNELS = ("default", "voice", "sms", "chat", "video")


@dataclass
class Task:
    """A task with its reservations by worker."""

    id: int
    name: str
    attributes: dict[str, Any]
    channel: str
    priority: int
    created_us: int
    virtual_start_us: int
    expires_us: int
    step: workflow_position.Step
    queue: str | None = None
    version: int = 0
    over: AssignmentStatus | None = None
    reservations: dict[str, R] = field(default_factory=dict)
    deadline_us: int = 0

    @property
    def status(self) -> AssignmentStatus:
        return self.over or lifecycle.derive_task_status(self.reservations.values())

    def view(self, now_us: int) -> expressions.View:
        """Return the task as expressions see it."""
        return workflow_position.build_task_view(
            self.attributes,
            sid=f"WT{self.id:032x}",
            channel_unique_name=self.channel,
            channel_sid=f"TC{CHANNELS.index(self.channel):032x}",
            priority=self.priority,
            workflow_sid=None,
            age=(now_us - self.created_us) // SECOND,
        )

    def waiting(self, configuration: Configuration, now_us: int) -> overdue.WaitingTask:
        """Return the task as one whose time or step is in question."""
        return overdue.WaitingTask(
            sid=self.name,
            version=self.version,
            view=self.view(now_us),
            expires_us=self.expires_us,
            configuration=configuration,
            step=self.step,
        )

    def lane(
        self,
        queues: Mapping[str, snapshot.TaskQueue],
        configuration: Configuration,
        now_us: int,
    ) -> snapshot.Lane:
        """Return a lane of its own for each task: lanes only save work, they decide nothing."""
        identity = lanes.identify_lane(
            workflow_position.find_target(configuration, self.step),
            self.view(now_us),
            task_channel_sid="",
        )
        text = identity.expression
        return snapshot.Lane(
            id=self.id,
            task_queue=queues[identity.task_queue_sid or ""],
            task_channel_id=CHANNELS.index(self.channel),
            expression=expressions.compile_expression(text, subject="target") if text else None,
            order_by=(
                expressions.compile_ordering(identity.order_by) if identity.order_by else None
            ),
            known_worker_sid=identity.known_worker_sid,
            known_worker_name=identity.known_worker_name,
        )

    def head(self) -> snapshot.Task:
        """Return the task as the only one on its lane."""
        return snapshot.Task(
            id=self.id,
            sid=self.name,
            lane_id=self.id,
            version=self.version,
            priority=self.priority,
            virtual_start_us=self.virtual_start_us,
            created_us=self.created_us,
        )
