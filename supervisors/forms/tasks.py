"""The arguments of commands on tasks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from routing import models
from routing.actions.support.task_changes import MAX_PRIORITY
from routing.actions.task_moves import LONGEST_REASON
from supervisors.forms.base import MOST_NAMES, ActForm, NamedForm, check_one_of_two, read_number


class PriorityForm(ActForm):
    """A priority: a new one, or a difference."""

    to = forms.IntegerField(
        label=gettext_lazy("New priority"), required=False, min_value=0, max_value=MAX_PRIORITY
    )
    by = forms.IntegerField(
        label=gettext_lazy("Or change by"),
        required=False,
        min_value=-MAX_PRIORITY,
        max_value=MAX_PRIORITY,
    )

    def clean(self) -> dict[str, Any]:
        """Require one of the two numbers."""
        check_one_of_two(self)
        return self.cleaned_data

    def arguments(self) -> dict[str, Any]:
        """Return the number."""
        return read_number(self)


class AssignForm(NamedForm):
    """The worker who gets a task, and how."""

    hand_over = forms.BooleanField(
        label=gettext_lazy("Hand over: accept it for them at once"), required=False
    )
    ignore_capacity = forms.BooleanField(
        label=gettext_lazy("Even without a free slot"), required=False
    )
    ignore_expressions = forms.BooleanField(
        label=gettext_lazy("Even though they do not meet what it asks for"), required=False
    )

    def rows(self) -> list[QuerySet[Any]]:
        """Return the workers, and to propose those who take work."""
        return [self.workspace.workers.all()]

    def names(self) -> list[str]:
        """Return the names of those who take work."""
        rows = self.workspace.workers.filter(activity__available=True).order_by("friendly_name")
        return list(rows.values_list("friendly_name", flat=True)[:MOST_NAMES])

    def arguments(self) -> dict[str, Any]:
        """Return the worker and the ticks."""
        names = ("to", "hand_over", "ignore_capacity", "ignore_expressions")
        return {name: self.cleaned_data[name] for name in names}


class MoveForm(NamedForm):
    """The queue or workflow to which a task moves."""

    priority = forms.IntegerField(
        label=gettext_lazy("New priority"), required=False, min_value=0, max_value=MAX_PRIORITY
    )

    def rows(self) -> list[QuerySet[Any]]:
        """Return queues and workflows."""
        return [self.workspace.task_queues.all(), self.workspace.workflows.all()]

    def arguments(self) -> dict[str, Any]:
        """Return the place, and the priority if one is given."""
        priority = self.cleaned_data["priority"]
        given = {"to": self.cleaned_data["to"]}
        return given if priority is None else given | {"priority": priority}


class TransferForm(NamedForm):
    """The worker or queue to which a task in hand is transferred."""

    def rows(self) -> list[QuerySet[Any]]:
        """Return workers and queues."""
        return [self.workspace.workers.all(), self.workspace.task_queues.all()]

    def arguments(self) -> dict[str, Any]:
        """Return the receiver."""
        return {"to": self.cleaned_data["to"]}


class _Reason(ActForm):
    """A form with a reason that must be given."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_REASON)

    def arguments(self) -> dict[str, Any]:
        """Return the reason."""
        return {"reason": self.cleaned_data["reason"]}


class ReasonForm(_Reason):
    """The reason why a task ends."""


class WrapUpForm(ActForm):
    """A reason that may be left out."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=LONGEST_REASON, required=False
    )

    def arguments(self) -> dict[str, Any]:
        """Return the reason, if one is given."""
        return {"reason": self.cleaned_data["reason"] or None}


class TakeBackForm(_Reason):
    """Why a task is taken back, and the queue in which it waits."""

    to = forms.ModelChoiceField(
        models.TaskQueue.objects.none(),
        label=gettext_lazy("Queue"),
        to_field_name="sid",
        required=False,
        empty_label=gettext_lazy("Where it waited before"),
    )

    def choices(self) -> dict[str, QuerySet[Any]]:
        """Return the workspace's queues."""
        return {"to": self.workspace.task_queues.order_by("friendly_name", "pk")}

    def arguments(self) -> dict[str, Any]:
        """Return reason and queue."""
        queue = self.cleaned_data["to"]
        return super().arguments() | {"to": None if queue is None else queue.sid}
