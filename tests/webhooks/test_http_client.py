"""Posting is bounded in time and size, signed, and repeated at once only where the URL says so."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twilio.request_validator import RequestValidator

from routing.webhooks import http_client, signatures
from tests.webhooks.receiver import Receiver, Request, silent
from tests.webhooks.test_destinations import post, resolves


@pytest.mark.parametrize(
    "url",
    ["https://example.com/", "https://example.com:8443/a?b=c&d=%20e", "http://example.com/x?y=z"],
)
def test_a_signature_is_what_the_official_library_computes(url: str) -> None:
    form = {"b": "2", "a": "", "Ab": "ü & ö", "aB": '{"x": [1]}', "A": "z" * 5000}
    ours = signatures.sign_form(url, form, "token")
    assert RequestValidator("token").validate(url, form, ours)
    assert not RequestValidator("other").validate(url, form, ours)


def test_credentials_of_the_url_are_sent_as_a_header_and_not_signed(receiver: Receiver) -> None:
    assert post(receiver.url.replace("127", "u:p@127")).succeeded
    assert receiver.requests[0].handler.headers["Authorization"] == "Basic dTpw"


def test_a_silent_receiver_times_out(receiver: Receiver) -> None:
    with silent() as url:
        answer = post(f"{url}#rt=100")
        assert (answer.status, answer.kind) == (None, "rt")
        assert post(url, seconds=0.1).kind == "rt"


def test_an_answer_that_arrives_too_slowly_is_cut_off(receiver: Receiver) -> None:
    def drip(request: Request) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + b"x" * 10_000:
            request.raw(bytes([byte]))
            if receiver.gone.wait(0.01):
                return

    receiver.respond = drip
    begun = time.monotonic()
    answer = post(receiver.url, seconds=0.5)
    receiver.gone.set()
    assert answer.kind == "rt"
    assert time.monotonic() - begun < 30


def test_endless_headers_are_cut_off(receiver: Receiver) -> None:
    def pour(request: Request) -> None:
        request.raw(b"HTTP/1.1 200 OK\r\n")
        while not receiver.gone.is_set():
            request.raw(b"X-A: " + b"b" * 60_000 + b"\r\n")

    receiver.respond = pour
    answer = post(receiver.url)
    receiver.gone.set()
    assert answer.kind == "rt"


def test_endless_continuations_are_cut_off(receiver: Receiver) -> None:
    def pour(request: Request) -> None:
        while not receiver.gone.is_set():
            request.raw(b"HTTP/1.1 100 Continue\r\n\r\n")

    receiver.respond = pour
    answer = post(receiver.url)
    receiver.gone.set()
    assert answer.kind == "rt"


@pytest.mark.parametrize("chunk", [1, 50_000])
def test_only_the_beginning_of_an_endless_body_is_read(receiver: Receiver, chunk: int) -> None:
    sent = 0

    def pour(request: Request) -> None:
        nonlocal sent
        request.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        piece = b"%x\r\n%s\r\n" % (chunk, b"y" * chunk) * (60_000 // chunk)
        while not receiver.gone.is_set():
            request.raw(piece)
            sent += len(piece)

    receiver.respond = pour
    answer = post(receiver.url)
    receiver.gone.set()
    assert (answer.status, answer.whole) == (200, False)
    assert len(answer.body) <= http_client.LONGEST_BODY
    assert len(answer.words) < 500


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"",
    ],
)
def test_garbage_is_no_answer_and_no_error(receiver: Receiver, data: bytes) -> None:
    def garble(request: Request) -> None:
        request.raw(data)
        request.handler.connection.shutdown(socket.SHUT_RDWR)

    receiver.respond = garble
    answer = post(receiver.url)
    assert not answer.succeeded or answer.whole
    assert "\x00" not in answer.words


def test_a_closed_port_is_no_connection() -> None:
    with silent() as url:
        pass
    answer = post(url)
    assert answer.kind == "ct"
    assert answer.words.startswith("no connection")


def test_a_name_that_is_not_found_is_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(host: str, port: int) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("routing.webhooks.addresses.resolve_name", nowhere)
    assert post("http://nowhere.example/").kind == "ct"


def test_a_name_resolution_that_hangs_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr("routing.webhooks.addresses.resolve_name", lambda *_: let_go.wait(10))
    answer = post("http://hanging.example/", seconds=0.1)
    let_go.set()
    assert answer.kind == "ct"
    assert "in time" in answer.words


@pytest.mark.parametrize(
    ("fragment", "status", "asked"),
    [
        ("", 500, 1),
        ("#rc=3", 500, 1),
        ("#rc=3&rp=5xx", 500, 4),
        ("#rc=3&rp=5xx", 404, 1),
        ("#rc=2&rp=4xx,5xx", 404, 3),
        ("#rc=2&rp=all", 503, 3),
        ("#rc=2&rp=all", 200, 1),
    ],
)
def test_a_post_is_retried_at_once_as_the_fragment_says(
    receiver: Receiver, fragment: str, status: int, asked: int
) -> None:
    receiver.respond = lambda request: request.answer(status)
    assert post(receiver.url + fragment).status == status
    assert len(receiver.requests) == asked


def test_a_post_is_retried_after_a_broken_connection_if_the_fragment_says_so() -> None:
    with silent() as url:
        pass
    tried: list[Any] = []
    original = http_client.open_connection

    def count(*given: Any) -> Any:
        tried.append(given)
        return original(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(http_client, "open_connection", count)
        post(f"{url}#rc=2")
        post(f"{url}#rc=2&rp=rt")
    assert len(tried) == 3 + 1


# --- TLS ---------------------------------------------------------------------------------------


def certificate(directory: Path, name: str) -> Path:
    """Write a certificate that its own key signs, and the key, for one host."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def trusted(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """Return a receiver behind TLS that is hook.example, whose certificate is trusted."""
    path = certificate(tmp_path, "hook.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    receiver.server.handle_error = lambda *_: None  # type: ignore[method-assign]
    client = ssl.create_default_context(cafile=str(path))
    monkeypatch.setattr(http_client, "tls_context", lambda: client)
    receiver.scheme = "https"
    return receiver


def test_tls_verifies_the_name_and_not_the_address(
    trusted: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves(monkeypatch, "127.0.0.1")
    assert post(f"https://hook.example:{trusted.port}/hook").succeeded
    other = post(f"https://other.example:{trusted.port}/hook")
    assert other.kind == "ct"
    assert "certificate" in other.words
    assert len(trusted.requests) == 1


def test_an_unknown_authority_is_refused(
    trusted: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves(monkeypatch, "127.0.0.1")
    monkeypatch.setattr(http_client, "tls_context", ssl.create_default_context)
    assert "certificate" in post(f"https://hook.example:{trusted.port}/hook").words
    assert trusted.requests == []
