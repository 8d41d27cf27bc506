"""What the forms of commands have in common: a note, a channel, a number, a name."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models
from routing.models.batches import LONGEST_NOTE

MOST_NAMES: Final = 200
"""The number of names that a field proposes; any other name can be typed."""


class ActForm(forms.Form):
    """The arguments that every command has."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=LONGEST_NOTE,
        help_text=gettext_lazy("Agents who are concerned read it on their desk."),
    )

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        self.workspace = workspace
        # The note comes last.
        self.order_fields([name for name in self.fields if name != "note"])
        for name, rows in self.choices().items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows

    def choices(self) -> dict[str, QuerySet[Any]]:
        """Return the rows that fields choose from, by the field's name."""
        return {}

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the command."""
        return {}


class ChannelForm(ActForm):
    """A form with a task channel."""

    channel = forms.ModelChoiceField(
        models.TaskChannel.objects.none(),
        label=gettext_lazy("Channel"),
        to_field_name="unique_name",
        empty_label=None,
    )

    def choices(self) -> dict[str, QuerySet[Any]]:
        """Return the workspace's channels."""
        return {"channel": self.workspace.task_channels.order_by("friendly_name", "pk")}

    def arguments(self) -> dict[str, Any]:
        """Return the channel's sid."""
        return {"channel": self.cleaned_data["channel"].sid}


def check_one_of_two(form: ActForm) -> None:
    given = [form.cleaned_data.get(name) is not None for name in ("to", "by")]
    if not form.errors and given.count(True) != 1:
        raise ValidationError(_("Enter either the new number, or by how much it changes."))


def read_number(form: ActForm) -> dict[str, int]:
    values = {name: form.cleaned_data[name] for name in ("to", "by")}
    return {name: value for name, value in values.items() if value is not None}


class NamedForm(ActForm):
    """A form whose field `to` is a sid or a name that a list proposes."""

    to = forms.CharField(
        label=gettext_lazy("To"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "act-names", "autocomplete": "off"}),
    )

    def rows(self) -> list[QuerySet[Any]]:
        """Return the rows that can be named."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """Return names to propose."""
        found: list[str] = []
        for rows in self.rows():
            ordered = rows.order_by("friendly_name").values_list("friendly_name", flat=True)
            found += ordered[: MOST_NAMES - len(found)]
        return found

    def clean_to(self) -> str:
        """Return the sid of the only row with this sid or name."""
        text = self.cleaned_data["to"].strip()
        if not text:
            return ""
        for column in ("sid", "friendly_name__iexact"):
            found = [sid for rows in self.rows() for sid in _find(rows, column, text)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ValidationError(
                    _("“%(name)s” names several; enter the sid instead."), params={"name": text}
                )
        raise ValidationError(_("There is nothing named “%(name)s” here."), params={"name": text})


def _find(rows: QuerySet[Any], column: str, text: str) -> list[str]:
    return list(rows.filter(**{column: text}).values_list("sid", flat=True)[:2])
