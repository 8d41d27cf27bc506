"""Boards for a screen on the wall, and the links that show them without a login."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from routing.models.base import Dated, sid_field, unique_sid


class Board(Dated):
    """A screen of tiles; see `routing.core.tiles`."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="boards"
    )
    name = models.CharField(max_length=64)
    tiles = models.JSONField(default=list)
    # Between these times of the workspace's day, as HH:MM, it makes no sound; empty for never.
    quiet_from = models.CharField(max_length=5, blank=True)
    quiet_until = models.CharField(max_length=5, blank=True)

    class Meta:
        db_table = "boards"
        constraints = [
            unique_sid("boards"),
            models.UniqueConstraint(fields=["workspace", "name"], name="boards_name"),
        ]

    def __str__(self) -> str:
        return self.name


class KioskLink(models.Model):
    """A link that shows boards without a login, reading only, until it ends or is revoked."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="kiosk_links"
    )
    name = models.CharField(max_length=64)
    # The sids of its boards in the order in which they take turns.
    boards = models.JSONField(default=list)
    turn_seconds = models.PositiveSmallIntegerField(default=30)
    # SHA-256 of the token, which is kept nowhere.
    token_digest = models.CharField(max_length=64)
    created_by = models.CharField(max_length=150)
    date_created = models.DateTimeField()
    date_expires = models.DateTimeField()
    date_revoked = models.DateTimeField(null=True)
    date_used = models.DateTimeField(null=True)
    used_from = models.GenericIPAddressField(null=True)

    class Meta:
        db_table = "kiosk_links"
        constraints = [
            unique_sid("kiosk_links"),
            models.UniqueConstraint(fields=["token_digest"], name="kiosk_links_token"),
            models.CheckConstraint(
                condition=Q(date_expires__gt=models.F("date_created")), name="kiosk_links_expire"
            ),
        ]

    def __str__(self) -> str:
        return self.name
