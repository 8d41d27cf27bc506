"""Save what a user chooses for their desks; this changes no routing and records no event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, TypedDict, Unpack

from django.db import transaction

from routing import models

MOST_SILENT_CHANNELS: Final = 200
"""Maximum number of silent channels that are kept, over all workspaces of the user."""


class Choices(TypedDict):
    """The columns that a user chooses."""

    sound: bool
    tone: str
    volume: int
    notifications: bool


@transaction.atomic
def save_desk_settings(
    *,
    user_id: int,
    workspace: models.Workspace,
    calling: Collection[str],
    **choices: Unpack[Choices],
) -> models.DeskSettings:
    """Save a user's settings, whose values were checked before.

    Arguments:
        calling: the sids of the workspace's channels that ring; its others are silent. Channels of
            other workspaces stay as they are.
    """
    row = models.DeskSettings.objects.select_for_update().filter(user_id=user_id).first()
    here = list(workspace.task_channels.order_by("pk").values_list("sid", flat=True))
    elsewhere = [] if row is None else [sid for sid in row.silent_channels if sid not in here]
    silent = [*elsewhere, *(sid for sid in here if sid not in calling)][-MOST_SILENT_CHANNELS:]
    row, _ = models.DeskSettings.objects.update_or_create(
        user_id=user_id, defaults={"silent_channels": silent, **choices}
    )
    return row


def save_alarm(*, user_id: int, sound: bool, notifications: bool) -> None:
    """Save whether alerts of the cockpit sound for a user, and whether the system notifies."""
    models.DeskSettings.objects.update_or_create(
        user_id=user_id,
        defaults={"alert_sound": sound, "alert_notifications": notifications},
    )


def save_personal_settings(
    *,
    user_id: int,
    language: str,
    theme: str,
    time_zone: str,
    single_keys: bool,
    keys: Mapping[str, str],
) -> models.DeskSettings:
    """Save a user's language, colours, time zone and shortcuts, whose values were checked before.

    Arguments:
        keys: the key of each action that has not the usual one.
    """
    row, _ = models.DeskSettings.objects.update_or_create(
        user_id=user_id,
        defaults={
            "language": language,
            "theme": theme,
            "time_zone": time_zone,
            "single_keys": single_keys,
            "keys": dict(keys),
        },
    )
    return row
