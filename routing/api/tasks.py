"""Views for tasks."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpResponse

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.db import guarded
from routing.fields.tasks import TASK
from routing.operations.tasks import TaskInstanceOperation, TaskListOperation


class _Tasks(ResourceView):
    shape = TASK

    def represent(self, row: models.Task) -> dict[str, Any]:
        row.workspace = self.workspace
        return TASK.represent(row, base=self.base, now=self.now)


class TaskList(_Tasks, ListView):
    """The tasks of a workspace."""

    operation_class = TaskListOperation
    key = "tasks"
    about = {
        "get": "List tasks\n\nOldest first, unless Ordering is given. Includes finished tasks"
        " until they are deleted.",
        "post": "Create a task\n\nIts workflow puts it into a queue, and the router looks for a"
        " worker at once. The answer shows the task as it was created, before any offer.",
    }

    def carry_out(self, request: Any, **names: str) -> HttpResponse:
        """Create a task by cached rows, whose versions the insert checks."""
        if request.method != "POST" or not guarded.can_guard():
            return super().carry_out(request, **names)
        reads = guarded.Reads()
        with reads.use():
            self.perform_authentication(request)
        self.check_throttles(request)

        def create_again() -> HttpResponse:
            self.perform_authentication(request)
            self.forget_rows()
            return self.post(request, **names)

        return reads.run(partial(self.post, request, **names), again=create_again)


class TaskInstance(_Tasks, InstanceView):
    """One task."""

    operation_class = TaskInstanceOperation
    about = {
        "get": "Fetch a task",
        "post": "Change, cancel, wrap up or complete a task\n\nNew attributes route a waiting task"
        " again. Attributes cannot be changed in the request that wraps up or completes.",
        "delete": "Delete a task\n\nAllowed in any status. A worker who has it loses it.",
    }
