"""The arguments of commands on queues."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing.core.rates import ServiceLevelFormula, WaitClock
from routing.core.vocabulary import GrabPolicy
from routing.core.waits import EDGES
from supervisors.forms.base import ActForm, ChannelForm


def _edge(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        choices=(("", "–"), *((edge, str(edge)) for edge in EDGES)),
        coerce=int,
        empty_value=None,
        required=False,
    )


class TargetForm(ChannelForm):
    """What a queue promises on a channel; empty fields stay as they are."""

    threshold = _edge(gettext_lazy("Answer within, in seconds"))
    goal = forms.IntegerField(
        label=gettext_lazy("Share in percent"), required=False, min_value=1, max_value=100
    )
    short_abandon = _edge(gettext_lazy("Short abandon, in seconds"))
    formula = forms.ChoiceField(
        label=gettext_lazy("Formula"),
        required=False,
        choices=(
            ("", "–"),
            (ServiceLevelFormula.STRICT.value, gettext_lazy("A: who gives up is a miss")),
            (ServiceLevelFormula.SHORT_IGNORED.value, gettext_lazy("B: but short ones count not")),
            (ServiceLevelFormula.LENIENT.value, gettext_lazy("C: an early one is a success")),
            (ServiceLevelFormula.EARLY_IGNORED.value, gettext_lazy("D: early ones count not")),
        ),
    )
    clock = forms.ChoiceField(
        label=gettext_lazy("Measured from"),
        required=False,
        choices=(
            ("", "–"),
            (WaitClock.QUEUE.value, gettext_lazy("Entering the queue")),
            (WaitClock.CREATION.value, gettext_lazy("Creation of the task")),
        ),
    )

    def clean(self) -> dict[str, Any]:
        """Require at least one value."""
        if not self.errors and len(self.arguments()) == 1:
            raise ValidationError(_("Enter what changes: at least one of the values."))
        return self.cleaned_data

    def arguments(self) -> dict[str, Any]:
        """Return the channel, and the values that are given."""
        names = ("threshold", "goal", "short_abandon", "formula", "clock")
        given = {name: self.cleaned_data.get(name) for name in names}
        values = {name: value for name, value in given.items() if value not in (None, "")}
        return super().arguments() | values


class GrabPolicyForm(ActForm):
    """What may be grabbed from a queue."""

    policy = forms.ChoiceField(
        label=gettext_lazy("Agents may grab"),
        choices=(
            (GrabPolicy.ANYTHING.value, gettext_lazy("Everything that waits")),
            (GrabPolicy.OLDEST.value, gettext_lazy("Only the oldest tasks")),
            (GrabPolicy.WAITED.value, gettext_lazy("Only what has waited for some time")),
            (GrabPolicy.OFF.value, gettext_lazy("Nothing")),
        ),
    )
    limit = forms.IntegerField(
        label=gettext_lazy("Number of oldest tasks"), required=False, min_value=1, max_value=10_000
    )
    after = forms.IntegerField(
        label=gettext_lazy("Seconds of waiting"), required=False, min_value=0, max_value=1_209_600
    )

    def arguments(self) -> dict[str, Any]:
        """Return the policy, and its number if one is given."""
        given = {
            "grab_policy": self.cleaned_data["policy"],
            "grab_limit": self.cleaned_data["limit"],
            "grab_after": self.cleaned_data["after"],
        }
        return {name: value for name, value in given.items() if value is not None}
