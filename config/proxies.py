"""Determine each client's address behind trusted proxies, for HTTP and websockets.

`TRUSTED_PROXIES` names the proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted:
their number or their networks. A client can write anything into these headers, and proxies append
to them, so the address is counted from the right.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from asgiref.sync import markcoroutinefunction
from django.conf import settings

from config.environment import Network

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]
Trusted = int | Sequence[Network]

FORWARDED_FOR: Final = b"x-forwarded-for"
FORWARDED_PROTO: Final = b"x-forwarded-proto"
REQUEST_ID: Final = b"x-request-id"

logger = logging.getLogger(__name__)


def with_client_addresses(application: Application) -> Application:
    """Wrap an ASGI application so that its scopes have the client's own address and scheme."""

    @markcoroutinefunction
    def forwarded(scope: Scope, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] in ("http", "websocket"):
            _apply(scope, settings.TRUSTED_PROXIES)
        return application(scope, receive, send)

    return forwarded


def _apply(scope: Scope, trusted: Trusted) -> None:
    """Replace the address of a trusted proxy, and drop untrusted schemes and request ids."""
    if not trusted:
        return
    peer = scope.get("client")
    address = None if peer is None else str(peer[0])
    if not is_proxy(address, trusted):
        claimed = (FORWARDED_PROTO, REQUEST_ID)
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in claimed]
        return
    found = client_address(address, _values(scope, FORWARDED_FOR), trusted)
    if found is not None and found != address:
        scope["client"] = [found, 0]


def is_proxy(peer: str | None, trusted: Trusted) -> bool:
    """Return whether the other end of a connection is a trusted proxy.

    Arguments:
        peer: its address; None for a unix socket, which only this machine can reach.
    """
    if not trusted:
        return False
    return isinstance(trusted, int) or peer is None or _is_within(peer, trusted)


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Trusted) -> str | None:
    """Return the address of the client behind trusted proxies, or the peer's own.

    Arguments:
        forwarded: the values of all X-Forwarded-For headers, in order.
        trusted: the number of proxies, or their networks.
    """
    if not is_proxy(peer, trusted):
        return peer
    entries = [_parsed(entry) for value in forwarded for entry in value.split(",")]
    if isinstance(trusted, int):
        # With fewer entries than proxies, the request entered behind the outermost one.
        nearest = entries[-trusted:]
        return (nearest[0] if nearest else None) or peer
    found = peer
    for entry in reversed(entries):
        if entry is None:
            break
        found = entry
        if not _is_within(entry, trusted):
            break
    return found


def _parsed(entry: str) -> str | None:
    """Return the address of an entry, which may have a port; None if it is invalid."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def network_key(address: str | None) -> str:
    """Return the key of a client in limits: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "local"
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def install_daphne_flag() -> None:
    """Make Daphne's `--proxy-headers` equivalent to `TRUSTED_PROXIES=1`.

    Daphne trusts the first entry of X-Forwarded-For, which the client writes.
    """
    # Imported here, as other processes than web import this module and do not need Daphne.
    from daphne import http_protocol, ws_protocol

    http_protocol.parse_x_forwarded_for = _daphne_flag
    ws_protocol.parse_x_forwarded_for = _daphne_flag


def _daphne_flag(
    headers: Any,
    _address_header: str = "",
    _port_header: str = "",
    _proto_header: str = "",
    original_addr: Any = None,
    original_scheme: Any = None,
) -> tuple[Any, Any]:
    """Return the client and scheme of a request, in place of Daphne's own function."""
    if settings.TRUSTED_PROXIES:
        return original_addr, original_scheme
    pairs = headers.items() if isinstance(headers, dict) else headers.getAllRawHeaders()
    scope: Scope = {
        "client": original_addr,
        "headers": [
            (name.lower(), value)
            for name, given in pairs
            for value in (given if isinstance(given, list) else [given])
        ],
    }
    _apply(scope, 1)
    schemes = _values(scope, FORWARDED_PROTO)
    return scope["client"], schemes[-1].strip() if schemes else original_scheme
