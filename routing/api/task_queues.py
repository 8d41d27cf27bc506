"""Views for task queues."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.queues import TASK_QUEUE
from routing.operations.task_queues import TaskQueueInstanceOperation, TaskQueueListOperation


class _TaskQueues(ResourceView):
    shape = TASK_QUEUE

    def represent(self, row: models.TaskQueue) -> dict[str, Any]:
        row.workspace = self.workspace
        return TASK_QUEUE.represent(row, base=self.base)


class TaskQueueList(_TaskQueues, ListView):
    """The task queues of a workspace."""

    operation_class = TaskQueueListOperation
    key = "task_queues"
    about = {
        "get": "List task queues",
        "post": "Create a task queue\n\nA queue that no worker serves is allowed: its tasks wait.",
    }


class TaskQueueInstance(_TaskQueues, InstanceView):
    """One task queue."""

    operation_class = TaskQueueInstanceOperation
    about = {
        "get": "Fetch a task queue",
        "post": "Change a task queue",
        "delete": "Delete a task queue\n\nRefused while a workflow names it or a task is in it.",
    }
