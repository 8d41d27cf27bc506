"""The two pages, and who may read them. All others get the 404 of an unknown path."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_FORWARDING: Final = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")


@never_cache
def show_floor(request: HttpRequest) -> HttpResponse:
    """Show the metrics of workspaces and channels."""
    from config.metrics.pages import read_floor

    return _show(request, read_floor)


@never_cache
def show_queues(request: HttpRequest) -> HttpResponse:
    """Show the metrics of queues."""
    from config.metrics.pages import read_queues

    return _show(request, read_queues)


def _show(request: HttpRequest, read: Callable[..., bytes]) -> HttpResponse:
    if not may_read(request):
        raise Http404
    return _answer(request, read)


@require_safe
def _answer(_request: HttpRequest, read: Callable[..., bytes]) -> HttpResponse:
    text = read(now=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def may_read(request: HttpRequest) -> bool:
    """Return whether metrics are on, and the client has the token or an allowed address."""
    if not settings.METRICS or not _came_to_its_port(request):
        return False
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        given = token.strip().encode()
        if secrets.compare_digest(given, settings.METRICS_TOKEN.encode()):
            return True
    return _is_allowed(request)


def _came_to_its_port(request: HttpRequest) -> bool:
    """Return whether a request came to the port for metrics, if there is one."""
    port = settings.METRICS_PORT
    return not port or request.META.get("SERVER_PORT") == str(port)


def _is_allowed(request: HttpRequest) -> bool:
    """Return whether the client's own address is in an allowed network.

    A request through a proxy that is not trusted has the proxy's address, which proves nothing.
    """
    if not settings.TRUSTED_PROXIES and any(name in request.headers for name in _FORWARDING):
        return False
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in settings.METRICS_ALLOW)
