"""The tables, one noun per file; other code imports them as `models.Task`."""

from __future__ import annotations

from routing.models.accounts import Account
from routing.models.activities import Activity
from routing.models.alerts import Alert, AlertPlace, Threshold
from routing.models.api_keys import ApiKey
from routing.models.assignment_callbacks import AssignmentCallback
from routing.models.batches import Batch, BatchRow
from routing.models.boards import Board, KioskLink
from routing.models.callback_deliveries import CallbackDelivery
from routing.models.callback_receivers import CallbackReceiver
from routing.models.desk_settings import DeskSettings
from routing.models.dismissals import Dismissals
from routing.models.events import Event, Events, UnpublishedEvent
from routing.models.figures import (
    ActivityFigure,
    Bookmark,
    Figure,
    FigureWait,
    MetricTotal,
    SlotFigure,
)
from routing.models.idempotency_keys import IdempotencyKey
from routing.models.lanes import Lane
from routing.models.memberships import Membership
from routing.models.outcome_codes import OutcomeCode
from routing.models.queue_targets import QueueTarget
from routing.models.reservations import Reservation, Reservations
from routing.models.saved_views import SavedView
from routing.models.task_channels import TaskChannel
from routing.models.task_counts import TaskCount
from routing.models.task_queues import TaskQueue
from routing.models.tasks import Task, Tasks
from routing.models.transfers import Transfer
from routing.models.worker_channels import WorkerChannel
from routing.models.workers import Worker
from routing.models.workflows import Workflow, WorkflowRevision
from routing.models.workspaces import Workspace

__all__ = [
    "Account",
    "Activity",
    "ActivityFigure",
    "Alert",
    "AlertPlace",
    "ApiKey",
    "AssignmentCallback",
    "Batch",
    "BatchRow",
    "Board",
    "Bookmark",
    "CallbackDelivery",
    "CallbackReceiver",
    "DeskSettings",
    "Dismissals",
    "Event",
    "Events",
    "Figure",
    "FigureWait",
    "IdempotencyKey",
    "KioskLink",
    "Lane",
    "Membership",
    "MetricTotal",
    "OutcomeCode",
    "QueueTarget",
    "Reservation",
    "Reservations",
    "SavedView",
    "SlotFigure",
    "Task",
    "TaskChannel",
    "TaskCount",
    "TaskQueue",
    "Tasks",
    "Threshold",
    "Transfer",
    "UnpublishedEvent",
    "Worker",
    "WorkerChannel",
    "Workflow",
    "WorkflowRevision",
    "Workspace",
]
