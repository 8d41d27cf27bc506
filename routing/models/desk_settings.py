"""Desk settings: what a user chooses for their desks."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy

MAX_VOLUME = 100


class Tone(models.TextChoices):
    """The sounds of an offer; static/agents/ringing.js has their notes."""

    BELL = "bell", gettext_lazy("Bell")
    CHIME = "chime", gettext_lazy("Chime")
    PULSE = "pulse", gettext_lazy("Pulse")


class Theme(models.TextChoices):
    """The colours of all pages; the values are those of Django's admin."""

    AUTO = "auto", gettext_lazy("As the system")
    LIGHT = "light", gettext_lazy("Light")
    DARK = "dark", gettext_lazy("Dark")


class Language(models.TextChoices):
    """The languages of the pages, each by its own name."""

    ENGLISH = "en", "English"
    GERMAN = "de", "Deutsch"
    ARABIC = "ar", "العربية"


class DeskSettings(models.Model):
    """A user's choice of sound, notifications, language, colours, time zone and keys."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="desk_settings",
    )
    sound = models.BooleanField(default=True)
    tone = models.CharField(max_length=16, choices=Tone, default=Tone.BELL)
    volume = models.PositiveSmallIntegerField(
        default=60, validators=[MaxValueValidator(MAX_VOLUME)]
    )
    notifications = models.BooleanField(default=False)
    # The sids of channels whose offers neither ring nor notify.
    silent_channels = models.JSONField(default=list)
    # Empty until it is chosen here; until then each browser keeps its own.
    theme = models.CharField(max_length=5, blank=True, default="", choices=Theme)
    # Empty for that of the browser.
    language = models.CharField(
        max_length=5, blank=True, default="", db_default="", choices=Language
    )
    # Empty for the workspace's.
    time_zone = models.CharField(max_length=64, blank=True, default="")
    single_keys = models.BooleanField(default=True)
    # Keys of shortcuts that are not the usual ones, by action.
    keys = models.JSONField(default=dict)

    # Whether alerts of the cockpit sound, and whether the system notifies of them.
    alert_sound = models.BooleanField(default=False, db_default=False)
    alert_notifications = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "desk_settings"

    def __str__(self) -> str:
        return f"desk settings of {self.user_id}"
