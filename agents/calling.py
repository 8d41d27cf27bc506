"""How the desk calls an agent who looks elsewhere: the settings, their form and their JSON."""

from __future__ import annotations

import json
import zoneinfo
from typing import Any, Final

from django import forms

from agents import desk_groups
from routing import models
from routing.actions import desk_settings
from routing.db.compiled import CompiledQuery
from routing.models.desk_settings import MAX_VOLUME, Tone
from routing.time_zones import find_zone


class CallingForm(forms.Form):
    """A form with all settings; boxes that are not ticked are absent."""

    sound = forms.BooleanField(required=False)
    tone = forms.ChoiceField(choices=Tone.choices)
    volume = forms.IntegerField(min_value=0, max_value=MAX_VOLUME)
    notifications = forms.BooleanField(required=False)
    calling = forms.MultipleChoiceField(required=False)

    def __init__(self, data: Any, *, workspace: models.Workspace) -> None:
        super().__init__(data)
        channels = workspace.task_channels.values_list("sid", "friendly_name")
        self.fields["calling"].choices = list(channels)  # type: ignore[attr-defined]


def load_settings(worker: models.Worker) -> models.DeskSettings:
    """Return the settings of a worker's user, which are the defaults until they are changed."""
    for saved in _SETTINGS(worker.pk):
        return saved
    return models.DeskSettings()


_SETTINGS: Final = CompiledQuery(
    lambda worker: models.DeskSettings.objects.filter(user__workers__pk=worker)
)


def find_user_zone(worker: models.Worker) -> zoneinfo.ZoneInfo:
    """Return the time zone of a worker's user: their own, or the workspace's."""
    return find_zone(load_settings(worker).time_zone or worker.workspace.time_zone)


def describe_settings(settings: models.DeskSettings) -> dict[str, Any]:
    """Return settings as the desk's script reads them."""
    return {
        "sound": settings.sound,
        "tone": str(settings.tone),
        "volume": settings.volume,
        "notifications": settings.notifications,
        "silent": settings.silent_channels,
    }


def build_context(settings: models.DeskSettings) -> dict[str, Any]:
    """Return the template context of the dialog."""
    return {
        "calling": settings,
        "calling_json": json.dumps(describe_settings(settings)),
        "tones": Tone.choices,
    }


def save_settings(worker: models.Worker, form: CallingForm) -> dict[str, Any]:
    """Save a valid form, and apply it to all open desks of the user."""
    assert worker.user_id is not None
    row = desk_settings.save_desk_settings(
        user_id=worker.user_id, workspace=worker.workspace, **form.cleaned_data
    )
    described = describe_settings(row)
    theirs = models.Worker.objects.filter(user=worker.user_id).values_list("sid", flat=True)
    desk_groups.send_to_desks(theirs, "desk.settings", settings=described)
    return described


def describe_errors(form: CallingForm) -> str:
    """Return what is wrong with a form, field by field."""
    found = form.errors.get_json_data()
    return " ".join(f"{name}: {each['message']}" for name in found for each in found[name])
