"""Memberships: which Django users supervise which workspaces."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Membership(models.Model):
    """A user's permission to configure and watch one workspace."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="memberships"
    )

    class Meta:
        db_table = "memberships"
        constraints = [
            models.UniqueConstraint(fields=["user", "workspace"], name="memberships_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} supervises {self.workspace}"
