"""Decide which addresses may be called, and resolve names once, so that the checked one is used.

A user who may save a callback URL must not reach what only this machine can reach: its own
services, its private network, or its cloud's metadata.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
T = TypeVar("T")

METADATA: Final = frozenset(
    ipaddress.ip_address(each)
    for each in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")
)
"""Addresses where clouds serve a machine's secrets; only an exact setting allows them."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""The globally reachable unicast range of IPv6."""
# Listed here, as the standard library's definition of global differs between versions.
_SPECIAL: Final = [
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
"""Special-purpose ranges of both protocols that are not globally reachable."""


class NotAllowed(Exception):
    """The address may not be called; the message names the setting that would allow it."""


class NotFound(Exception):
    """The name could not be resolved, or not in time."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to connect a socket to."""

    family: int
    address: tuple[Any, ...]


def is_allowed(address: Address) -> bool:
    """Return whether the server may call this address."""
    inner = _inner(address)
    networks = settings.CALLBACK_ALLOW_PRIVATE
    here = [each for each in networks if each.version == inner.version and inner in each]
    if inner in METADATA:
        return any(each.num_addresses == 1 for each in here)
    if here:
        return True
    if isinstance(inner, ipaddress.IPv6Address) and inner not in _UNICAST:
        return False
    return not any(inner.version == each.version and inner in each for each in _SPECIAL)


def _inner(address: Address) -> Address:
    """Return the IPv4 address embedded in an IPv6 one, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def parse_address(host: str) -> Address | None:
    """Return the address if a URL's host is one and not a name."""
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def describe_refusal(host: str) -> str:
    """Return the reason why a host may not be called."""
    return (
        f"{host} is an address of this machine or of a private network; the operator can allow"
        " it by the setting CALLBACK_ALLOW_PRIVATE"
    )


def resolve_name(host: str, port: int) -> list[Any]:
    """Resolve a name with the system's resolver."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def resolve_allowed(host: str, port: int, *, seconds: float) -> list[Endpoint]:
    """Return the allowed addresses of a host, resolved once.

    Raises `NotAllowed` if none is allowed, `NotFound` if there is none in time.
    """
    try:
        resolved = _in_time(lambda: resolve_name(host, port), seconds)
    except TimeoutError:
        raise NotFound(f"{host} was not found in time") from None
    except (OSError, UnicodeError) as error:
        raise NotFound(f"{host} was not found ({error})") from None
    allowed = [
        Endpoint(family, address)
        for family, _, _, _, address in resolved
        if is_allowed(ipaddress.ip_address(str(address[0]).partition("%")[0]))
    ]
    if not allowed:
        raise NotAllowed(describe_refusal(host))
    return allowed


def _in_time(work: Callable[[], T], seconds: float) -> T:
    """Run work that cannot be interrupted in a thread, and wait for it a limited time."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # raised in the waiting thread
            future.set_exception(error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return future.result(timeout=max(seconds, 0.001))
