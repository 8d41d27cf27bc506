"""Desk settings: how the desk calls an agent who looks elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models

MAX_VOLUME = 100


class Tone(models.TextChoices):
    """The sounds of an offer; static/agents/ringing.js has their notes."""

    BELL = "bell", "Bell"
    CHIME = "chime", "Chime"
    PULSE = "pulse", "Pulse"


class DeskSettings(models.Model):
    """A user's choice of sound and notifications, for all their desks."""

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

    class Meta:
        db_table = "desk_settings"

    def __str__(self) -> str:
        return f"desk settings of {self.user_id}"
