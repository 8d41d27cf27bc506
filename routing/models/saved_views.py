"""Saved views: names for what supervisors look at in the cockpit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from routing.models.workspaces import Workspace


class SavedViews(models.QuerySet["SavedView"]):
    """Saved views."""

    def visible(self, workspace: Workspace, user: User) -> SavedViews:
        """Return those that a supervisor sees: their own, and those that are shared."""
        return self.filter(Q(owner=user) | Q(owner__isnull=True), workspace=workspace)


class SavedView(models.Model):
    """A name for the query of a page of the cockpit, of one user or of the whole workspace."""

    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="saved_views"
    )
    # Null for a view that all supervisors of the workspace see.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        null=True,
    )
    slug = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    # The name of the page's URL, such as `tasks`.
    page = models.CharField(max_length=16)
    query = models.TextField()
    # The login of who saved it, as the list shows it.
    saved_by = models.CharField(max_length=150)
    date_created = models.DateTimeField()

    objects = SavedViews.as_manager()

    class Meta:
        db_table = "saved_views"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "owner", "slug"],
                condition=Q(owner__isnull=False),
                name="saved_views_own",
            ),
            models.UniqueConstraint(
                fields=["workspace", "slug"],
                condition=Q(owner__isnull=True),
                name="saved_views_shared",
            ),
        ]

    def __str__(self) -> str:
        return self.name
