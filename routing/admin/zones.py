"""Show each page of the admin in the time zone of the workspace that it is about."""

from __future__ import annotations

import zoneinfo
from contextlib import AbstractContextManager

from django.http import HttpRequest
from django.utils import timezone

from routing import models
from routing.admin import access


def of_workspace(workspace: models.Workspace | None) -> zoneinfo.ZoneInfo:
    """Return a workspace's time zone; UTC where there is none, or one that is no longer known."""
    try:
        return zoneinfo.ZoneInfo("UTC" if workspace is None else workspace.time_zone)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        return zoneinfo.ZoneInfo("UTC")


def of_page(request: HttpRequest) -> AbstractContextManager[object]:
    """Return a context in which moments are in the zone of the workspace of a list or form."""
    known = request.user.is_authenticated
    return timezone.override(of_workspace(access.chosen_workspace(request) if known else None))


def use(workspace: models.Workspace | None) -> None:
    """Go over to a workspace's zone, until the page is finished."""
    timezone.activate(of_workspace(workspace))
