"""Save and delete views of the cockpit; this changes no routing and records no event."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from routing import models
from routing.actions.support.errors import InvalidInput

MOST_OWN: Final = 50
"""The number of views that one user may have in a workspace."""
MOST_SHARED: Final = 100
"""The number of views that all supervisors of a workspace share."""
LONGEST_NAME: Final = 64
LONGEST_QUERY: Final = 8_000
"""The number of characters of a query, as it has to fit into an address."""


class Refusal(StrEnum):
    """Why a view is not saved."""

    NAME = "name"
    TAKEN = "taken"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"


class ViewRefused(InvalidInput):
    """A view that is not saved, with the reason."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message, field="name")
        self.reason = reason


@transaction.atomic
def save_view(
    *,
    workspace: models.Workspace,
    user: User,
    is_shared: bool,
    name: str,
    page: str,
    query: str,
    now: datetime,
) -> models.SavedView:
    """Save the query of a page under a name.

    Raises `ViewRefused`.
    """
    name = name.strip()
    slug = slugify(name, allow_unicode=True)[:LONGEST_NAME]
    if not slug or len(name) > LONGEST_NAME or "\0" in name:
        raise ViewRefused(
            Refusal.NAME, f"a name has letters or digits, and at most {LONGEST_NAME} characters"
        )
    if len(query) > LONGEST_QUERY:
        raise ViewRefused(
            Refusal.TOO_LONG,
            f"the filters have {len(query)} characters; at most {LONGEST_QUERY} can be saved",
        )
    owner = None if is_shared else user
    most = MOST_SHARED if is_shared else MOST_OWN
    if models.SavedView.objects.filter(workspace=workspace, owner=owner).count() >= most:
        raise ViewRefused(Refusal.TOO_MANY, f"there are {most} views already; delete one first")
    try:
        with transaction.atomic():
            return models.SavedView.objects.create(
                workspace=workspace,
                owner=owner,
                slug=slug,
                name=name,
                page=page,
                query=query,
                saved_by=user.get_username(),
                date_created=now,
            )
    except IntegrityError:
        raise ViewRefused(
            Refusal.TAKEN, f"a view named {name!r} exists already; choose another name"
        ) from None


def delete_view(*, workspace: models.Workspace, user: User, view_id: int) -> bool:
    """Delete a view of this user, or one that the workspace shares; return whether it was there."""
    rows = models.SavedView.objects.visible(workspace, user).filter(pk=view_id)
    return bool(rows.delete()[0])
