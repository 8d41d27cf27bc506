"""Checks of the settings, run by `manage.py check --deploy`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def proxies_are_named(**_: Any) -> list[checks.CheckMessage]:
    """Warn if a proxy terminates HTTPS for this server and its headers are not trusted."""
    if not settings.HTTPS or settings.TRUSTED_PROXIES:
        return []
    return [
        checks.Warning(
            "HTTPS is 1, so there is a proxy in front of this server, but TRUSTED_PROXIES is not"
            " set:"
            " all clients seem to have the proxy's address, and share its limits.",
            hint="Set TRUSTED_PROXIES to the number of proxies, such as 1, or to their networks.",
            id="cordboard.W001",
        )
    ]
