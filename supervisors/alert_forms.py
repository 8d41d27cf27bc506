"""The form of a threshold."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models
from routing.actions.thresholds import ThresholdValues
from routing.core.alerting import AlertFigure, AlertScope
from routing.models.alerts import MOST_HOLD, MOST_MARGIN
from supervisors.alert_words import FIGURES, add_unit

HOLDS: Final = 10
"""Seconds that a new threshold holds."""


class ThresholdForm(forms.Form):
    """What a threshold is about, and its limits."""

    about = forms.ChoiceField(label=gettext_lazy("About"))
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    figure = forms.ChoiceField(label=gettext_lazy("Figure"))
    watch = forms.IntegerField(
        label=gettext_lazy("Watch at"), required=False, min_value=0, max_value=1_000_000
    )
    act = forms.IntegerField(
        label=gettext_lazy("Act at"), required=False, min_value=0, max_value=1_000_000
    )
    hold = forms.IntegerField(
        label=gettext_lazy("For so many seconds"),
        min_value=0,
        max_value=MOST_HOLD,
        initial=HOLDS,
        help_text=gettext_lazy(
            "An alert is raised or cleared once the figure stays so for so long."
        ),
    )
    margin = forms.IntegerField(
        label=gettext_lazy("Clears when better by, in percent"),
        min_value=0,
        max_value=MOST_MARGIN,
        initial=10,
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        self._queues = {
            row.sid: row for row in workspace.task_queues.order_by("friendly_name", "pk")
        }
        self._channels = {
            row.unique_name: row for row in workspace.task_channels.order_by("friendly_name", "pk")
        }
        self._choose(
            "about",
            [
                (AlertScope.EACH_QUEUE.value, _("Each queue")),
                (AlertScope.FLOOR.value, _("The whole floor")),
                *((sid, row.friendly_name) for sid, row in self._queues.items()),
            ],
        )
        self._choose(
            "channel",
            [
                ("", _("All channels")),
                *((name, row.friendly_name) for name, row in self._channels.items()),
            ],
        )
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"
        self._choose("figure", [(figure.value, _name(figure)) for figure in AlertFigure])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def values(self) -> ThresholdValues:
        """Return what the actions take."""
        given = self.cleaned_data
        queue = self._queues.get(given["about"])
        return {
            "scope": AlertScope.QUEUE if queue else AlertScope(given["about"]),
            "task_queue": queue,
            "task_channel": self._channels.get(given["channel"]),
            "figure": AlertFigure(given["figure"]),
            "watch": given["watch"],
            "act": given["act"],
            "hold": given["hold"],
            "margin": given["margin"],
        }


def _name(figure: AlertFigure) -> str:
    return add_unit(FIGURES[figure], figure.unit)


def read_initial(row: models.Threshold) -> dict[str, Any]:
    """Return a threshold as the form's fields."""
    return {
        "about": row.task_queue.sid if row.task_queue else row.scope,
        "channel": row.task_channel.unique_name if row.task_channel else "",
        "figure": row.figure,
        "watch": row.watch,
        "act": row.act,
        "hold": row.hold,
        "margin": row.margin,
    }
