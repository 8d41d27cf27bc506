"""The arguments of the cockpit's commands, as forms.

A form's fields are named as in the addresses that prefill it. `arguments` returns what the command
of `routing.actions.supervision` takes, which is stored with the act.
"""

from __future__ import annotations

import json
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models
from routing.actions.support.task_changes import MAX_PRIORITY
from routing.actions.task_moves import LONGEST_REASON
from routing.core.attribute_edits import EditKind
from routing.core.rates import ServiceLevelFormula, WaitClock
from routing.core.vocabulary import GrabPolicy
from routing.core.waits import EDGES
from routing.models.batches import LONGEST_NOTE
from routing.models.worker_channels import MAX_CAPACITY
from supervisors.read_attributes import find_read_attributes

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


class _Channel(ActForm):
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


def _check_one_of_two(form: ActForm) -> None:
    given = [form.cleaned_data.get(name) is not None for name in ("to", "by")]
    if not form.errors and given.count(True) != 1:
        raise ValidationError(_("Enter either the new number, or by how much it changes."))


def _number(form: ActForm) -> dict[str, int]:
    values = {name: form.cleaned_data[name] for name in ("to", "by")}
    return {name: value for name, value in values.items() if value is not None}


class SlotsForm(_Channel):
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
        _check_one_of_two(self)
        return self.cleaned_data

    def arguments(self) -> dict[str, Any]:
        """Return channel and number."""
        return super().arguments() | _number(self)


class SwitchForm(_Channel):
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
        _check_one_of_two(self)
        return self.cleaned_data

    def arguments(self) -> dict[str, Any]:
        """Return the number."""
        return _number(self)


class _NamedForm(ActForm):
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


class AssignForm(_NamedForm):
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


class MoveForm(_NamedForm):
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


class TransferForm(_NamedForm):
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


def _edge(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        choices=(("", "–"), *((edge, str(edge)) for edge in EDGES)),
        coerce=int,
        empty_value=None,
        required=False,
    )


class TargetForm(_Channel):
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
