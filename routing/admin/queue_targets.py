"""The targets of a queue, inline: what it promises on each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from routing import models
from routing.actions import queue_targets
from routing.admin.base import ActionForm, action_context
from routing.core.rates import ServiceLevelFormula, WaitClock

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline

_FORMULAS = {
    ServiceLevelFormula.STRICT: "A: who gives up counts as missed",
    ServiceLevelFormula.SHORT_IGNORED: "B: as A, without who gives up at once",
    ServiceLevelFormula.LENIENT: "C: who gives up within the time counts as answered",
    ServiceLevelFormula.EARLY_IGNORED: "D: who gives up within the time does not count",
}
_CLOCKS = {WaitClock.QUEUE: "entering the queue", WaitClock.CREATION: "creation of the task"}


class QueueTargetForm(ActionForm):
    """Form of a target."""

    formula = forms.ChoiceField(choices=[(each.value, text) for each, text in _FORMULAS.items()])
    clock = forms.ChoiceField(choices=[(each.value, text) for each, text in _CLOCKS.items()])


class QueueTargetInline(TabularInline):
    """What a queue promises on each channel; channels without a row have the defaults."""

    model = models.QueueTarget
    form = QueueTargetForm
    verbose_name = "target"
    verbose_name_plural = "targets (without one: 80 % in 60 s, formula B)"
    fields = ("task_channel", "threshold", "goal", "short_abandon", "formula", "clock")
    ordering = ("task_channel__pk",)
    extra = 0

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        """Offer only channels of the queue's workspace."""
        formset = super().get_formset(request, obj, **options)
        channels = models.TaskChannel.objects.filter(workspace=obj.workspace_id)
        field: Any = formset.form.base_fields["task_channel"]
        field.queryset = channels.order_by("pk")
        return formset

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return none: a target is set for the channel that its row names."""
        return ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow every user who may see the queue."""
        return True

    has_change_permission = has_add_permission = has_delete_permission = has_view_permission


def save_targets(request: HttpRequest, formset: Any) -> None:
    """Run the actions for the rows that were added, changed and removed."""
    formset.save(commit=False)
    context = action_context(request)
    for row in formset.deleted_objects:
        queue_targets.clear_target(queue=row.task_queue, channel=row.task_channel, **context)
    for row in (*(row for row, _ in formset.changed_objects), *formset.new_objects):
        queue_targets.set_target(
            queue=row.task_queue,
            channel=row.task_channel,
            threshold=row.threshold,
            goal=row.goal,
            short_abandon=row.short_abandon,
            formula=ServiceLevelFormula(row.formula),
            clock=WaitClock(row.clock),
            **context,
        )
