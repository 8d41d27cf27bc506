"""Show each page of the admin in the time zone of its workspace."""

from __future__ import annotations

import zoneinfo
from contextlib import AbstractContextManager

from django.http import HttpRequest
from django.utils import timezone

from routing import models
from routing.admin import access
from routing.time_zones import find_zone


def zone_of_workspace(workspace: models.Workspace | None) -> zoneinfo.ZoneInfo:
    """Return a workspace's time zone; UTC without a workspace."""
    return find_zone("UTC" if workspace is None else workspace.time_zone)


def override_zone(request: HttpRequest) -> AbstractContextManager[object]:
    """Return a context with the time zone of the workspace of a list or form."""
    known = request.user.is_authenticated
    return timezone.override(zone_of_workspace(access.chosen_workspace(request) if known else None))


def activate_zone(workspace: models.Workspace | None) -> None:
    """Activate a workspace's time zone until the page is finished."""
    timezone.activate(zone_of_workspace(workspace))
