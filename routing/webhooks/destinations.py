"""Parse callback URLs: the destination, and connection overrides in the fragment.

The fragment is never sent. It may hold TaskRouter's connection overrides, such as
`#ct=2000&rc=2&rp=5xx`. An unsupported one is refused when the URL is saved.
"""

from __future__ import annotations

import base64
import functools
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from routing.webhooks import addresses

_SPANS: Final = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000)}
"""Allowed milliseconds for connecting, for reading, and for the whole request."""
MOST_RETRIES: Final = 5
RETRIED: Final = ("4xx", "5xx", "ct", "rt", "all")
"""Reasons for a retry: an answer's status, no connection, or no answer in time."""
_SAFE: Final = "%/:?#[]@!$&'()*+,;=~-._"
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f]")


class Unacceptable(Exception):
    """A URL cannot be called; the message explains what would be right."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Connection overrides of a URL.

    Arguments:
        connect, read, total: time limits in seconds; None means the default.
        retries: the number of immediate retries of an attempt.
        retried: the failures that are retried.
    """

    connect: float | None = None
    read: float | None = None
    total: float | None = None
    retries: int = 0
    retried: frozenset[str] = frozenset({"ct"})


@dataclass(frozen=True, slots=True)
class Destination:
    """The destination of a form.

    Arguments:
        url: the URL that the receiver sees and that is signed, without fragment and credentials.
        authority: the Host header.
        target: the path and the query.
        authorization: the Authorization header for the URL's credentials, if any.
    """

    url: str
    host: str
    port: int
    tls: bool
    authority: str
    target: str
    authorization: str | None
    overrides: Overrides


@functools.lru_cache(maxsize=256)
def _parse_url(url: str) -> Destination:
    if _CONTROLS.search(url):
        raise Unacceptable("contains a space or a control character")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Unacceptable("is not an absolute http or https URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Unacceptable("is not an absolute http or https URL")
    if port == 0:
        raise Unacceptable("names port 0, which cannot be connected to")
    try:
        host = host if ":" in host else host.encode("idna").decode()
    except UnicodeError:
        raise Unacceptable(f"names {host!r}, which is not a valid host") from None
    tls = parts.scheme == "https"
    host_text = f"[{host}]" if ":" in host else host
    authority = host_text if port is None else f"{host_text}:{port}"
    path = quote(parts.path or "/", safe=_SAFE)
    query = quote(parts.query, safe=_SAFE)
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Destination(
        url=urlunsplit((parts.scheme, authority, path, query, "")),
        host=host,
        port=port or (443 if tls else 80),
        tls=tls,
        authority=authority,
        target=f"{path}?{query}" if query else path,
        authorization=authorization,
        overrides=_overrides(parts.fragment),
    )


def parse_url(url: str) -> Destination:
    """Parse a URL; raises `Unacceptable`, also for an address that is not allowed.

    Names are resolved only when the URL is called.
    """
    destination = _parse_url(url)
    address = addresses.parse_address(destination.host)
    if address is not None and not addresses.is_allowed(address):
        raise Unacceptable(f"cannot be called: {addresses.describe_refusal(destination.host)}")
    return destination


def redact_url(url: str) -> str:
    """Return a URL in a form safe to show: without credentials and fragment."""
    try:
        return _parse_url(url).url
    except Unacceptable:
        return "a URL that cannot be called"


def _overrides(fragment: str) -> Overrides:
    """Parse the connection overrides, and refuse unsupported ones."""
    if not fragment:
        return Overrides()
    given: dict[str, str] = {}
    try:
        pairs = parse_qsl(fragment, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise Unacceptable(
            f"has the fragment #{fragment[:40]}, which is not one of the connection overrides"
            " ct, rt, tt, rc, rp (such as #ct=2000&rc=2)"
        ) from None
    for name, value in pairs:
        if name in given:
            raise Unacceptable(f"has {name} twice after the #; give it once")
        given[name] = value
    seconds = {name: _span(name, given.pop(name)) for name in _SPANS if name in given}
    retries = _retries(given.pop("rc", "0"))
    retried = _retried(given.pop("rp", "ct"))
    if given.pop("sni", "y") != "y":
        raise Unacceptable("turns off host verification by sni=n; the host is always verified")
    if "e" in given:
        raise Unacceptable("names an edge (e=) after the #; this server has none")
    for name in given:
        raise Unacceptable(
            f"has {name[:40]!r} after the #, which is not one of the connection overrides"
            " ct, rt, tt, rc, rp"
        )
    return Overrides(
        connect=seconds.get("ct"),
        read=seconds.get("rt"),
        total=seconds.get("tt"),
        retries=retries,
        retried=retried,
    )


def _span(name: str, value: str) -> float:
    least, most = _SPANS[name]
    if not value.isascii() or not value.isdecimal() or not least <= int(value[:6]) <= most:
        raise Unacceptable(
            f"has {name}={value[:20]} after the #; it must be a number of milliseconds from"
            f" {least} to {most}"
        )
    return int(value) / 1_000


def _retries(value: str) -> int:
    if value not in {str(number) for number in range(MOST_RETRIES + 1)}:
        raise Unacceptable(
            f"has rc={value[:20]} after the #; it must be a number from 0 to {MOST_RETRIES}"
        )
    return int(value)


def _retried(value: str) -> frozenset[str]:
    named = frozenset(value.split(","))
    if not named <= set(RETRIED):
        raise Unacceptable(
            f"has rp={value[:20]} after the #; it must be one or more of {', '.join(RETRIED)}"
        )
    return named - {"all"} | (set(RETRIED) - {"all"} if "all" in named else set())
