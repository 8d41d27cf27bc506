"""Say which addresses may be called, and look names up once, so that what was checked is called.

Whoever may save a callback URL must not thereby reach what only this machine reaches: its own
services, its neighbours on a private network, the metadata of its cloud.
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
"""Where clouds tell a machine its secrets: allowed to nobody who has not named that very one."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given out of IPv6 to be reached from everywhere."""
# Written out, as what the standard library calls global differs from version to version.
_SPECIAL: Final = [
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]
"""What the registries have set aside: of both protocols, not to be reached from everywhere."""


class NotAllowed(Exception):
    """An address may not be called; the words say what would have to be set."""


class NotFound(Exception):
    """A name leads nowhere, or nobody said where in time."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a socket may connect to."""

    family: int
    address: tuple[Any, ...]


def is_allowed(address: Address) -> bool:
    """Tell whether the server may call this address."""
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
    """Return the IPv4 address that an IPv6 one only wraps, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def literal(host: str) -> Address | None:
    """Return the address that a URL's host is, if it is one and no name."""
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def refusal(host: str) -> str:
    """Return why a host is not called."""
    return (
        f"{host} is an address of this machine or of a private network; the operator can allow"
        " it by the setting CALLBACK_ALLOW_PRIVATE"
    )


def look_up(host: str, port: int) -> list[Any]:
    """Ask the machine's resolver."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def places(host: str, port: int, *, seconds: float) -> list[Place]:
    """Return where a host may be called, having looked it up once.

    Raises `NotAllowed` when none of its addresses may be, `NotFound` when it has none in time.
    """
    try:
        found = _in_time(lambda: look_up(host, port), seconds)
    except TimeoutError:
        raise NotFound(f"{host} was not found in time") from None
    except (OSError, UnicodeError) as error:
        raise NotFound(f"{host} was not found ({error})") from None
    allowed = [
        Place(family, address)
        for family, _, _, _, address in found
        if is_allowed(ipaddress.ip_address(str(address[0]).partition("%")[0]))
    ]
    if not allowed:
        raise NotAllowed(refusal(host))
    return allowed


def _in_time(work: Callable[[], T], seconds: float) -> T:
    """Do something that cannot be interrupted, and wait no longer than so many seconds for it."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # handed to whoever waits
            future.set_exception(error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return future.result(timeout=max(seconds, 0.001))
