"""Server-side request forgery: only permitted addresses are called, whatever names resolve to."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from config import environment
from routing.webhooks import addresses, destinations, http_client
from routing.webhooks.destinations import Unacceptable
from tests.webhooks.receiver import Receiver

FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",  # noqa: S104 - not listened on
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2001:db8::1",
]
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.fixture
def private_refused(settings: Any) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = []


def allow(settings: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CALLBACK_ALLOW_PRIVATE", value)
    settings.CALLBACK_ALLOW_PRIVATE = environment.parse_networks("CALLBACK_ALLOW_PRIVATE")


def resolves(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[str]:
    """Resolve every name to these addresses; return the names that were looked up."""
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[Any]:
        asked.append(host)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in found
        ]

    monkeypatch.setattr(addresses, "resolve_name", look_up)
    return asked


def post(url: str, *, seconds: float = 5.0) -> http_client.Answer:
    signed = {"auth_token": "the token that signs", "token": "EV1"}
    return http_client.post_form(url, {"A": "1"}, seconds=seconds, **signed)


@pytest.mark.usefixtures("private_refused")
@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_not_called(address: str) -> None:
    assert not addresses.is_allowed(ipaddress.ip_address(address))
    shown = f"[{address}]" if ":" in address else address
    with pytest.raises(Unacceptable, match="CALLBACK_ALLOW_PRIVATE"):
        destinations.parse_url(f"http://{shown}/hook")


@pytest.mark.usefixtures("private_refused")
@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called(address: str) -> None:
    assert addresses.is_allowed(ipaddress.ip_address(address))


@pytest.mark.usefixtures("private_refused")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost"])
def test_this_machine_by_its_name_is_refused_at_saving(host: str) -> None:
    with pytest.raises(Unacceptable, match="CALLBACK_ALLOW_PRIVATE"):
        destinations.parse_url(f"https://{host}/")


@pytest.mark.usefixtures("private_refused")
@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_an_address_in_another_spelling_is_refused_when_it_is_called(host: str) -> None:
    answer = post(f"http://{host}:9/")
    assert (answer.kind, answer.status) in {("no", None), ("ct", None)}
    assert "127.0.0.1" not in answer.words or "not found" in answer.words


@pytest.mark.usefixtures("private_refused")
@pytest.mark.parametrize("found", [["10.0.0.7"], ["::1"], ["169.254.169.254", "fe80::1%eth0"]])
def test_a_name_that_resolves_to_a_private_address_is_not_called(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    resolves(monkeypatch, *found)
    answer = post("http://innocent.example/hook")
    assert answer.kind == "no"
    assert "CALLBACK_ALLOW_PRIVATE" in answer.words


def test_only_the_allowed_of_several_addresses_are_tried(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    resolves(monkeypatch, "10.0.0.7", "127.0.0.1")
    places = addresses.resolve_allowed("mixed.example", receiver.port, seconds=1)
    assert [place.address[0] for place in places] == ["127.0.0.1"]


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    asked = resolves(monkeypatch, "127.0.0.1")
    answer = post(f"http://hook.example:{receiver.port}/hook?a=1")
    assert answer.succeeded
    assert asked == ["hook.example"]
    (request,) = receiver.requests
    assert request.handler.headers["Host"] == f"hook.example:{receiver.port}"
    assert request.handler.path == "/hook?a=1"


@pytest.mark.parametrize(
    ("value", "allowed", "refused"),
    [
        ("1", ["127.0.0.1", "10.0.0.1", "::1", "fd12::1"], ["169.254.169.254", "fd00:ec2::254"]),
        ("10.0.0.0/8", ["10.9.9.9", "::ffff:10.0.0.1"], ["127.0.0.1", "192.168.0.1"]),
        ("192.168.1.7, fd12::/16", ["192.168.1.7", "fd12::9"], ["192.168.1.8"]),
        ("169.254.0.0/16", ["169.254.1.1"], ["169.254.169.254"]),
        ("169.254.169.254", ["169.254.169.254"], ["169.254.1.1"]),
        ("0", [], ["127.0.0.1"]),
        ("", [], ["127.0.0.1"]),
    ],
)
def test_an_operator_allows_networks(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    value: str,
    allowed: list[str],
    refused: list[str],
) -> None:
    allow(settings, monkeypatch, value)
    for address in allowed:
        assert addresses.is_allowed(ipaddress.ip_address(address)), address
    for address in refused:
        assert not addresses.is_allowed(ipaddress.ip_address(address)), address


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.respond = lambda request: request.answer(
        307, Location=f"http://127.0.0.1:{receiver.port}/elsewhere"
    )
    answer = post(receiver.url)
    assert not answer.succeeded
    assert answer.words == "307: redirects are not followed"
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/", "not an absolute http"),
        ("file:///etc/passwd", "not an absolute http"),
        ("gopher://127.0.0.1:70/_x", "not an absolute http"),
        ("//example.com/", "not an absolute http"),
        ("http://", "not an absolute http"),
        ("http://[::1", "not an absolute http"),
        ("http://example.com:99999/", "not an absolute http"),
        ("http://example.com:0/", "port 0"),
        ("http://exa mple.com/", "a space or a control character"),
        ("http://example.com/\r\nX: y", "a space or a control character"),
        (f"http://{'a' * 64}.example/", "is not a valid host"),
        ("https://example.com/#section", "not one of the connection overrides"),
        ("https://example.com/#rc=6", "from 0 to 5"),
        ("https://example.com/#rc=-1", "from 0 to 5"),
        ("https://example.com/#rc=1&rc=2", "rc twice"),
        ("https://example.com/#ct=99", "from 100 to 10000"),
        ("https://example.com/#rt=15001", "from 100 to 15000"),
        ("https://example.com/#tt=soon", "from 100 to 15000"),
        ("https://example.com/#rp=often", "one or more of"),
        ("https://example.com/#sni=n", "always verified"),
        ("https://example.com/#e=ashburn", "this server has none"),
        ("https://example.com/#x=1", "not one of the connection overrides"),
    ],
)
def test_an_invalid_url_is_refused_with_a_message(url: str, words: str) -> None:
    with pytest.raises(Unacceptable, match=words):
        destinations.parse_url(url)


def test_the_fragment_is_stored_and_never_sent() -> None:
    found = destinations.parse_url(
        "https://u:p%40@Example.com:8443/a b?x=ü#ct=2000&rt=500&rc=2&rp=all".replace(" ", "%20")
    )
    assert found.url == "https://example.com:8443/a%20b?x=%C3%BC"
    assert (found.authority, found.target) == ("example.com:8443", "/a%20b?x=%C3%BC")
    assert found.authorization == "Basic dTpwQA=="
    assert found.overrides == destinations.Overrides(
        connect=2.0, read=0.5, retries=2, retried=frozenset({"4xx", "5xx", "ct", "rt"})
    )


def test_a_url_without_a_path_and_with_a_foreign_name_is_spelled_as_it_is_sent() -> None:
    found = destinations.parse_url("http://bücher.example?x=1")
    assert found.url == "http://xn--bcher-kva.example/?x=1"
