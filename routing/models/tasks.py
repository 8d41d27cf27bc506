"""Tasks: the work that is offered to workers, accepted and completed."""

from __future__ import annotations

from collections.abc import Collection

from django.db import models
from django.db.models import F, Q

from routing.core.lifecycle import FINAL_TASK
from routing.core.vocabulary import AssignmentStatus
from routing.models.base import Dated, choices, sid_field, unique_sid, words

_PENDING = Q(assignment_status=AssignmentStatus.PENDING.value)


class Tasks(models.QuerySet["Task"]):
    """Tasks, with the filters that the router uses most."""

    def pending(self) -> Tasks:
        """Filter those that wait."""
        return self.filter(assignment_status__spelled=[AssignmentStatus.PENDING])

    def in_statuses(self, statuses: Collection[AssignmentStatus]) -> Tasks:
        """Filter by status, in a form for which the database uses the smallest index."""
        if set(statuses) == {AssignmentStatus.PENDING}:
            return self.pending().filter(date_finished=None)
        rows = self.filter(assignment_status__in=[status.value for status in statuses])
        return rows if FINAL_TASK.intersection(statuses) else rows.filter(date_finished=None)

    def expiring(self) -> Tasks:
        """Filter those that no worker has accepted, so that their lifetime counts."""
        return self.filter(
            assignment_status__spelled=[AssignmentStatus.PENDING, AssignmentStatus.RESERVED]
        )


class Task(Dated):
    """One piece of work: a call, a chat, a lead, anything."""

    sid = sid_field()
    # No index of its own: it leads the indexes below. With one, SQLite might read all tasks of a
    # workspace where a narrower index would do.
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="tasks", db_index=False
    )
    # Null when the task was routed directly to a worker or a queue.
    workflow = models.ForeignKey(
        "routing.Workflow", on_delete=models.SET_NULL, null=True, related_name="tasks"
    )
    revision = models.ForeignKey(
        "routing.WorkflowRevision", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    task_channel = models.ForeignKey(
        "routing.TaskChannel", on_delete=models.RESTRICT, related_name="tasks"
    )
    # For a finished task whose channel was deleted; its row then refers to the channel `default`.
    former_channel_sid = models.CharField(max_length=34, null=True, editable=False)
    former_channel_name = models.CharField(max_length=64, null=True, editable=False)
    task_queue = models.ForeignKey(
        "routing.TaskQueue", on_delete=models.RESTRICT, null=True, related_name="tasks"
    )
    # The lane of a pending task; a task on offer keeps it, to return there.
    lane = models.ForeignKey(
        "routing.Lane", on_delete=models.RESTRICT, null=True, related_name="tasks"
    )
    attributes = models.TextField(default="{}")
    assignment_status = models.CharField(
        max_length=10,
        choices=choices(AssignmentStatus),
        default=AssignmentStatus.PENDING.value,
    )
    priority = models.PositiveIntegerField(default=0)
    reason = models.TextField(null=True)
    timeout = models.PositiveIntegerField(default=86_400)
    routing_target = models.CharField(max_length=34, null=True)
    ignore_capacity = models.BooleanField(null=True)
    task_queue_entered_date = models.DateTimeField(null=True)
    date_finished = models.DateTimeField(null=True)
    assignments = models.PositiveIntegerField(default=0)  # times it went from pending to reserved
    version = models.PositiveIntegerField(default=0)
    # A worker had accepted it, and it was taken back from them, so that it waits again.
    answered_before = models.BooleanField(default=False, db_default=False, editable=False)

    # Hot columns, in microseconds. Queues are ordered by the first; cycles find due tasks by the
    # others. The first has whole seconds only, as shown to clients; ties are ordered by id.
    virtual_start_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    step_deadline_us = models.BigIntegerField(null=True)

    # The task's step in its workflow: -1 is the default filter, null no workflow at all.
    filter_index = models.SmallIntegerField(null=True)
    target_index = models.PositiveSmallIntegerField(default=0)
    # The moment up to which the timeouts of this filter's steps have been counted.
    step_clock_us = models.BigIntegerField(null=True)
    # The step was entered, and its skip_if is not evaluated yet.
    skip_unasked = models.BooleanField(default=False)

    objects = Tasks.as_manager()

    class Meta:
        db_table = "tasks"
        constraints = [
            unique_sid("tasks"),
            models.CheckConstraint(
                name="tasks_finished_when_final",
                condition=Q(assignment_status__in=words(FINAL_TASK), date_finished__isnull=False)
                | (~Q(assignment_status__in=words(FINAL_TASK)) & Q(date_finished__isnull=True)),
            ),
            models.CheckConstraint(
                name="tasks_wait_on_a_lane", condition=~_PENDING | Q(lane__isnull=False)
            ),
        ]
        indexes = [
            # The first tasks of a lane, in the two orders a queue may have.
            models.Index(
                "lane",
                F("priority").desc(),
                "virtual_start_us",
                "id",
                name="tasks_lane_fifo",
                condition=_PENDING,
            ),
            models.Index(
                "lane",
                F("virtual_start_us").desc(),
                F("id").desc(),
                name="tasks_lane_lifo",
                condition=_PENDING,
            ),
            # All waiting tasks of a workspace, in the order in which most queues are served.
            models.Index(
                "workspace",
                F("priority").desc(),
                "virtual_start_us",
                "id",
                name="tasks_served",
                condition=_PENDING,
            ),
            # The pending list of a queue, oldest first.
            models.Index(
                fields=["task_queue", "date_created", "id"],
                name="tasks_queue_pending",
                condition=_PENDING,
            ),
            # The longest waiting task: of a channel, of a workflow, of a queue, and of a queue
            # since entering it. All include the channel, because every figure is also given by
            # channel. A scope has few channels, so its oldest task is the oldest of theirs.
            models.Index(
                fields=["task_channel", "date_created", "id"],
                name="tasks_oldest_of_channel",
                condition=_PENDING,
            ),
            models.Index(
                fields=["workflow", "task_channel", "date_created", "id"],
                name="tasks_oldest_of_workflow",
                condition=_PENDING,
            ),
            models.Index(
                fields=["task_queue", "task_channel", "date_created", "id"],
                name="tasks_oldest_of_queue",
                condition=_PENDING,
            ),
            models.Index(
                fields=["task_queue", "task_channel", "task_queue_entered_date", "id"],
                name="tasks_longest_in_queue",
                condition=_PENDING,
            ),
            # Tasks whose lifetime or step is over.
            models.Index(
                fields=["workspace", "expires_us"],
                name="tasks_expiring",
                condition=Q(
                    assignment_status__in=words(
                        [AssignmentStatus.PENDING, AssignmentStatus.RESERVED]
                    )
                ),
            ),
            models.Index(
                fields=["workspace", "step_deadline_us"],
                name="tasks_step_due",
                condition=_PENDING & Q(step_deadline_us__isnull=False),
            ),
            models.Index(
                fields=["workspace", "id"],
                name="tasks_skip_unasked",
                condition=_PENDING & Q(skip_unasked=True),
            ),
            # Lists by REST, and housekeeping.
            models.Index(fields=["workspace", "date_created", "id"], name="tasks_listed"),
            # Lists of unfinished tasks, which are few among all that are kept. Each task is added
            # once and removed once, because only the last status changes this condition.
            models.Index(
                fields=["workspace", "date_created", "id"],
                name="tasks_alive",
                condition=Q(date_finished__isnull=True),
            ),
            models.Index(
                fields=["date_finished"],
                name="tasks_finished",
                condition=Q(date_finished__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.sid

    @property
    def channel_sid(self) -> str:
        """Return the sid of the task's channel, also after the channel was deleted."""
        return self.former_channel_sid or self.task_channel.sid

    @property
    def channel_name(self) -> str:
        """Return the unique name of the task's channel, also after the channel was deleted."""
        return self.former_channel_name or self.task_channel.unique_name
