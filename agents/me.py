"""The agent's own page: language, appearance, time zone and shortcuts."""

from __future__ import annotations

import json
from typing import Any, Final

from django import forms
from django.utils.translation import gettext

from agents import desk_groups, shortcuts
from routing import models
from routing.actions import desk_settings
from routing.models.desk_settings import Language, Theme
from routing.time_zones import time_zone_names

_PREFIX: Final = "key_"


class MeForm(forms.Form):
    """A form with all settings of the page; boxes that are not ticked are absent."""

    language = forms.ChoiceField(required=False)
    theme = forms.ChoiceField(choices=Theme.choices)
    time_zone = forms.ChoiceField(required=False)
    single_keys = forms.BooleanField(required=False)

    def __init__(self, *args: Any, workspace: models.Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages = [("", gettext("As the browser")), *Language.choices]
        self.fields["language"].choices = languages  # type: ignore[attr-defined]
        zones = [(name, name) for name in time_zone_names()]
        usual = ("", gettext("As the workspace: %(zone)s") % {"zone": workspace.time_zone})
        self.fields["time_zone"].choices = [usual, *zones]  # type: ignore[attr-defined]
        for name, (usual_key, words) in shortcuts.ACTIONS.items():
            self.fields[_PREFIX + name] = forms.CharField(
                label=str(words), max_length=1, required=False, initial=usual_key
            )

    @property
    def key_fields(self) -> list[forms.BoundField]:
        """Return the fields of the shortcuts."""
        return [self[_PREFIX + name] for name in shortcuts.ACTIONS]

    def clean(self) -> dict[str, Any]:
        """Refuse keys that cannot be chosen, and the same key for two actions."""
        values: dict[str, Any] = super().clean() or {}
        keys: dict[str, str] = {}
        for name, (usual, _) in shortcuts.ACTIONS.items():
            try:
                keys[name] = shortcuts.check_key(values.get(_PREFIX + name) or usual)
            except shortcuts.KeyRefused as refused:
                self.add_error(_PREFIX + name, str(refused))
        for name, other in shortcuts.find_conflicts(keys).items():
            words = {"key": keys[name].upper(), "action": other}
            self.add_error(
                _PREFIX + name, gettext("“%(key)s” is used twice, also for: %(action)s.") % words
            )
        values["keys"] = {
            name: key for name, key in keys.items() if key != shortcuts.ACTIONS[name][0]
        }
        return values


def build_form(worker: models.Worker, settings: models.DeskSettings) -> MeForm:
    """Return the form with a user's settings."""
    keys = shortcuts.apply_keys(settings.keys)
    initial = {
        "language": settings.language,
        "theme": settings.theme,
        "time_zone": settings.time_zone,
        "single_keys": settings.single_keys,
        **{_PREFIX + name: key for name, key in keys.items()},
    }
    return MeForm(workspace=worker.workspace, initial=initial)


def save_form(worker: models.Worker, form: MeForm, *, language: str) -> models.DeskSettings:
    """Save a valid form; the user's open desks load their page again in another language.

    Arguments:
        language: the one that the user had before.
    """
    assert worker.user_id is not None
    values = form.cleaned_data
    saved = desk_settings.save_personal_settings(
        user_id=worker.user_id,
        language=values["language"],
        theme=values["theme"],
        time_zone=values["time_zone"],
        single_keys=values["single_keys"],
        keys=values["keys"],
    )
    if saved.language != language:
        theirs = models.Worker.objects.filter(user=worker.user_id).values_list("sid", flat=True)
        desk_groups.send_to_desks(theirs, "desk.language")
    return saved


def build_context(settings: models.DeskSettings) -> dict[str, Any]:
    """Return what the desk's template and its script need of the settings."""
    keys = shortcuts.apply_keys(settings.keys)
    return {
        "theme": settings.theme,
        "keys_json": json.dumps(keys if settings.single_keys else {"help": keys["help"]}),
        "single_keys": settings.single_keys,
        "shortcuts": [
            (key.upper(), shortcuts.ACTIONS[name][1], name) for name, key in keys.items()
        ],
    }
