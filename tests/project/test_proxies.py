"""Which address a client has behind proxies, for HTTP requests and websockets."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from daphne.utils import parse_x_forwarded_for as believing_daphne

from config import proxies
from config.proxies import Scope

PROXY = "10.0.0.1"
NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


async def seen(kind: str, peer: Any, **headers: str) -> Scope:
    """Return the scope that the application sees."""
    scopes: list[Scope] = []

    async def application(scope: Scope, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {"type": kind, "client": peer, "headers": given}
    await proxies.with_client_addresses(application)(scope, None, None)
    return scopes[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("trusted", [1, NETWORKS])
async def test_entries_before_the_proxy_s_own_are_not_trusted(
    kind: str, trusted: Any, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = trusted
    scope = await seen(kind, (PROXY, 4000), x_forwarded_for="198.51.100.7, 203.0.113.5")
    assert scope["client"] == ["203.0.113.5", 0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_the_header_is_not_trusted_by_default(kind: str) -> None:
    scope = await seen(kind, (PROXY, 4000), x_forwarded_for="198.51.100.7")
    assert scope["client"] == (PROXY, 4000)


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_headers_from_untrusted_networks_are_ignored(kind: str, settings: Any) -> None:
    settings.TRUSTED_PROXIES = NETWORKS
    told = {"x_forwarded_for": "198.51.100.7", "x_forwarded_proto": "https", "host": "x"}
    scope = await seen(kind, ("203.0.113.5", 4000), **told)
    assert scope["client"] == ("203.0.113.5", 4000)
    assert scope["headers"] == [(b"x-forwarded-for", b"198.51.100.7"), (b"host", b"x")]
    scope = await seen(kind, (PROXY, 4000), **told)
    assert (b"x-forwarded-proto", b"https") in scope["headers"]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "client"),
    [
        (2, ["a, 198.51.100.7, 203.0.113.5"], "198.51.100.7"),
        (2, ["198.51.100.7", "203.0.113.5"], "198.51.100.7"),
        (2, ["203.0.113.5"], "203.0.113.5"),
        (1, [], PROXY),
        (1, ["198.51.100.7, unknown"], PROXY),
        (1, ["203.0.113.5:4711"], "203.0.113.5"),
        (1, ["[2001:db8::7]:4711"], "2001:db8::7"),
        (NETWORKS, ["198.51.100.7, 203.0.113.5, 10.9.9.9"], "203.0.113.5"),
        (NETWORKS, ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (NETWORKS, ["198.51.100.7, junk, 10.2.2.2"], "10.2.2.2"),
        (NETWORKS, ["198.51.100.7, ::ffff:10.2.2.2"], "198.51.100.7"),
    ],
)
def test_the_client_address_is_counted_from_the_right(
    trusted: Any, forwarded: list[str], client: str
) -> None:
    assert proxies.client_address(PROXY, forwarded, trusted) == client


def test_a_unix_socket_is_a_proxy_on_this_machine() -> None:
    assert proxies.client_address(None, ["203.0.113.5"], NETWORKS) == "203.0.113.5"
    assert proxies.client_address(None, ["203.0.113.5"], 0) is None


def test_limits_count_an_ipv6_client_by_network_and_an_ipv4_client_by_address() -> None:
    assert proxies.network_key("2001:db8::7") == proxies.network_key("2001:db8::8")
    assert proxies.network_key("2001:db8::7") != proxies.network_key("2001:db8:0:1::7")
    assert proxies.network_key("203.0.113.5") != proxies.network_key("203.0.113.6")
    assert proxies.network_key("::ffff:203.0.113.5") == "203.0.113.5"
    assert proxies.network_key(None) == "local"


def test_the_proxy_flag_of_daphne_means_one_trusted_proxy() -> None:
    headers = {b"X-Forwarded-For": [b"198.51.100.7, 203.0.113.5"], b"X-Forwarded-Proto": [b"https"]}
    given = (headers, "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", [PROXY, 1])
    assert believing_daphne(*given)[0] == ["198.51.100.7", 0]
    assert proxies._daphne_flag(*given) == (["203.0.113.5", 0], "https")
