"""Add and remove supervisors of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import transaction

from routing import models
from routing.actions.support import inputs

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@transaction.atomic
def add_membership(*, workspace: models.Workspace, user: User) -> models.Membership:
    """Make a user a supervisor of a workspace, with access to the admin.

    Raises `InvalidInput` when they supervise it already.
    """
    with inputs.refuse_duplicates(
        f"{user.get_username()} supervises {workspace.friendly_name!r} already", field="user"
    ):
        membership = models.Membership.objects.create(workspace=workspace, user=user)
    get_user_model().objects.filter(pk=user.pk, is_staff=False).update(is_staff=True)
    return membership


def remove_membership(*, membership: models.Membership) -> None:
    """Remove a supervisor of a workspace; without another membership they lose the admin."""
    models.Membership.objects.filter(pk=membership.pk).delete()
