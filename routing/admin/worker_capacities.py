"""Capacities of several channels in one form: of a new worker, or of many workers at once."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import HttpRequest

from routing import models
from routing.actions import worker_channels
from routing.admin.base import action_context
from routing.models.worker_channels import MAX_CAPACITY

MAX_CHANNELS: Final = 50
"""Maximum number of channels in a form; a worker's page has all of them."""
_CAPACITY: Final = "configured_capacity"
_SWITCH: Final = "available"
_KEPT: Final = "reserved_for_manual"
_COLUMNS: Final = (_CAPACITY, _SWITCH, _KEPT)
_WORDS: Final = {_CAPACITY: "capacity", _SWITCH: "switch", _KEPT: "kept for grabbing"}
_SWITCHES: Final = (("", "leave as it is"), ("on", "on"), ("off", "off for a while"))


def list_channels(workspace: models.Workspace) -> list[models.TaskChannel]:
    """Return the channels that a form shows."""
    return list(workspace.task_channels.order_by("pk")[:MAX_CHANNELS])


def form_for_new_worker(form: type[Any], workspace: models.Workspace | None) -> type[Any]:
    """Return the worker form with a capacity field for each channel."""
    fields: dict[str, Any] = {
        _name(_CAPACITY, channel): _number(label=channel.friendly_name, initial=1)
        for channel in (list_channels(workspace) if workspace else ())
    }
    return type(form.__name__, (form,), fields)


def capacity_field_names(workspace: models.Workspace | None) -> list[str]:
    """Return the names of the fields that `form_for_new_worker` adds."""
    return [
        _name(_CAPACITY, channel) for channel in (list_channels(workspace) if workspace else ())
    ]


def set_capacities_of_new_worker(
    worker: models.Worker, values: dict[str, Any], request: HttpRequest
) -> None:
    """Change the capacities that differ from the default of 1."""
    for held in worker.channels.select_related("task_channel").order_by("pk"):
        wanted = values.get(_name(_CAPACITY, held.task_channel))
        if wanted is not None and wanted != held.configured_capacity:
            worker_channels.update_worker_channel(
                channel=held, configured_capacity=wanted, **action_context(request)
            )


class CapacityForm(forms.Form):
    """Form for the channels of the selected workers; empty fields change nothing."""

    def __init__(self, *args: Any, workspace: models.Workspace, **options: Any) -> None:
        super().__init__(*args, **options)
        self.channels = list_channels(workspace)
        for channel in self.channels:
            switch = forms.ChoiceField(required=False, choices=_SWITCHES, label="Switch")
            self.fields[_name(_CAPACITY, channel)] = _number(label="Capacity")
            self.fields[_name(_SWITCH, channel)] = switch
            self.fields[_name(_KEPT, channel)] = _number(label="Kept for grabbing")

    @property
    def rows(self) -> list[tuple[models.TaskChannel, list[forms.BoundField]]]:
        """Return the fields of each channel, for a table."""
        return [
            (channel, [self[_name(column, channel)] for column in _COLUMNS])
            for channel in self.channels
        ]

    def clean(self) -> dict[str, Any]:
        """Require at least one change."""
        if not self.errors and not any(map(self._changes, self.channels)):
            raise forms.ValidationError("Enter what to change: capacity, switch or kept slots.")
        return self.cleaned_data

    def _changes(self, channel: models.TaskChannel) -> dict[str, Any]:
        """Return the values entered for a channel, as the action's arguments."""
        given = {column: self.cleaned_data.get(_name(column, channel)) for column in _COLUMNS}
        switch = given.pop(_SWITCH)
        found = {name: value for name, value in given.items() if value is not None}
        return found | ({_SWITCH: switch == "on"} if switch else {})

    def apply(self, request: HttpRequest, rows: list[models.Worker]) -> list[str]:
        """Change the channels of each worker, and return a line of text for each channel."""
        wanted = {channel: found for channel in self.channels if (found := self._changes(channel))}
        changed: dict[models.TaskChannel, list[str]] = {channel: [] for channel in wanted}
        held = models.WorkerChannel.objects.filter(worker__in=rows, task_channel__in=wanted)
        # Ordered by worker, as other changes lock them in this order.
        named = held.select_related("worker", "task_channel")
        for before in named.order_by("worker_id", "pk"):
            changes = wanted[before.task_channel]
            if any(getattr(before, name) != value for name, value in changes.items()):
                worker_channels.update_worker_channel(
                    channel=before, **changes, **action_context(request)
                )
                changed[before.task_channel].append(before.worker.friendly_name)
        return [
            summarize_change(f"{channel}: {_in_words(changes)}", changed[channel], len(rows))
            for channel, changes in wanted.items()
        ]


MAX_NAMED_WORKERS: Final = 20
"""Maximum number of workers named in a message or on a page."""


def summarize_change(what: str, changed: list[str], total: int) -> str:
    """Return a text for a change: the workers it changed, and how many had the value already."""
    names = ", ".join(changed[:MAX_NAMED_WORKERS])
    more = (
        f" and {len(changed) - MAX_NAMED_WORKERS} more" if len(changed) > MAX_NAMED_WORKERS else ""
    )
    same = total - len(changed)
    rest = f" {same} of {total} had that already." if same else ""
    done = f"changed: {names}{more}." if changed else "nothing to change."
    return f"{what} – {done}{rest}"


def _in_words(changes: dict[str, Any]) -> str:
    return ", ".join(
        f"{_WORDS[name]} {'on' if value is True else 'off' if value is False else value}"
        for name, value in changes.items()
    )


def _name(column: str, channel: models.TaskChannel) -> str:
    return f"{column}_{channel.pk}"


def _number(**options: Any) -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, max_value=MAX_CAPACITY, **options)
