"""The arguments of commands on workers."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from routing import models
from routing.core.attribute_edits import EditKind
from routing.models.worker_channels import MAX_CAPACITY
from supervisors.forms.base import ActForm, ChannelForm, check_one_of_two, read_number
from supervisors.read_attributes import find_read_attributes


class SlotsForm(ChannelForm):
    """A number of slots: a new one, or a difference."""

    to = forms.IntegerField(
        label=gettext_lazy("New number"), required=False, min_value=0, max_value=MAX_CAPACITY
    )
    by = forms.IntegerField(
        label=gettext_lazy("Or change by"),
        required=False,
        min_value=-MAX_CAPACITY,
        max_value=MAX_CAPACITY,
        help_text=gettext_lazy("For example 1 or -1."),
    )

    def clean(self) -> dict[str, Any]:
        """Require one of the two numbers."""
        check_one_of_two(self)
        return self.cleaned_data

    def arguments(self) -> dict[str, Any]:
        """Return channel and number."""
        return super().arguments() | read_number(self)


class SwitchForm(ChannelForm):
    """Whether a channel is on."""

    available = forms.ChoiceField(
        label=gettext_lazy("Switch"),
        choices=(("true", gettext_lazy("On")), ("false", gettext_lazy("Off"))),
    )

    def arguments(self) -> dict[str, Any]:
        """Return channel and switch."""
        return super().arguments() | {"to": self.cleaned_data["available"] == "true"}


class ActivityForm(ActForm):
    """An activity, and what becomes of open offers."""

    activity = forms.ModelChoiceField(
        models.Activity.objects.none(),
        label=gettext_lazy("Activity"),
        to_field_name="sid",
        empty_label=None,
    )
    reject_offers = forms.BooleanField(
        label=gettext_lazy("Reject open offers"),
        required=False,
        help_text=gettext_lazy("Without this, agents with open offers stay where they are."),
    )

    def choices(self) -> dict[str, QuerySet[Any]]:
        """Return the workspace's activities."""
        rows = self.workspace.activities.order_by("-available", "friendly_name", "pk")
        return {"activity": rows}

    def arguments(self) -> dict[str, Any]:
        """Return activity and switch."""
        return {
            "to": self.cleaned_data["activity"].sid,
            "reject_offers": self.cleaned_data["reject_offers"],
        }


class AttributeForm(ActForm):
    """One edit of the attributes."""

    operation = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=(
            (EditKind.ADD.value, gettext_lazy("Add to a list")),
            (EditKind.REMOVE.value, gettext_lazy("Remove from a list")),
            (EditKind.SET.value, gettext_lazy("Set")),
        ),
    )
    path = forms.RegexField(
        r"^[^.\s]+(\.[^.\s]+)*$",
        label=gettext_lazy("Attribute"),
        max_length=200,
        widget=forms.TextInput(attrs={"list": "act-paths", "autocomplete": "off"}),
        help_text=gettext_lazy("As expressions name it, such as languages or team.name."),
    )
    value = forms.CharField(
        label=gettext_lazy("Value"),
        max_length=1_000,
        widget=forms.TextInput(attrs={"list": "act-values", "autocomplete": "off"}),
        help_text=gettext_lazy('A word, or JSON such as 3, true or ["en", "de"].'),
    )

    @cached_property
    def lists(self) -> dict[str, list[tuple[str, str]]]:
        """Return what the fields propose: attributes that expressions read, and their values."""
        read = find_read_attributes(self.workspace)
        written = {path: [_write(value) for value in values] for path, values in read.items()}
        values = dict.fromkeys(value for of_path in written.values() for value in of_path)
        return {
            "act-paths": [(path, ", ".join(of_path)) for path, of_path in written.items()],
            "act-values": [(value, "") for value in values],
        }

    def clean_value(self) -> Any:
        """Return the value: JSON, or the text itself."""
        text = self.cleaned_data["value"]
        try:
            return json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return text

    def arguments(self) -> dict[str, Any]:
        """Return the edit."""
        given = self.cleaned_data
        edit = {"kind": given["operation"], "path": given["path"], "value": given["value"]}
        return {"edits": [edit]}


def _write(value: Any) -> str:
    """Return a value as the field takes it: a text without quotes where it reads as itself."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return value
    return json.dumps(value, ensure_ascii=False)


def _refuse_constant(word: str) -> Any:
    raise ValueError(word)
