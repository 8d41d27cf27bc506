"""Slow down addresses with many failed logins, whatever user names they try.

django-axes counts failures by name and address together, so that guesses at a name lock out neither
a whole office nor that name everywhere. It never slows down a client that tries each name once; the
count by address does.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from config import proxies

logger = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 900
"""Seconds over which failures of an address are counted together."""


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts failures by name and address, and by address alone."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Return whether this login is locked out."""
        is_slowed = _count(request, 0) >= settings.LOGIN_FAILURES_PER_ADDRESS
        return is_slowed or super().is_locked(request, credentials)

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count a failure; one from a locked out address is not recorded further."""
        most = settings.LOGIN_FAILURES_PER_ADDRESS
        if request is not None:
            count = _count(request, 1)
            if count > most:
                request.axes_locked_out = True  # type: ignore[attr-defined]
                return
            if count == most:
                logger.warning("login.address_locked address=%s", _network(request))
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is not None:
            # The name is omitted, as people type passwords into the wrong field.
            is_locked = getattr(request, "axes_locked_out", False)
            event = "login_locked" if is_locked else "login_failed"
            logger.info("%s address=%s", event, _network(request))


def _network(request: HttpRequest) -> str:
    return proxies.network_key(get_client_ip_address(request))


def _count(request: HttpRequest, more: int) -> int:
    """Add to the failures of an address, and return its count in this window."""
    # Imported here, as every process loads the handler, and most do not need the API.
    from routing.operations import rate_limits

    window = int(timezone.now().timestamp()) // WINDOW_SECONDS
    name = f"cordboard:logins:{_network(request)}:{window}"
    return rate_limits.increment_counter(name, seconds=WINDOW_SECONDS, more=more)
