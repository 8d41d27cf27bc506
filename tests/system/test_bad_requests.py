"""Malformed requests are refused with a reason, and affect no other client."""

from __future__ import annotations

import base64
import http.client
import json
import socket

import pytest

from tests.server import Cordboard

pytestmark = pytest.mark.system


def authorization(cordboard: Cordboard) -> str:
    known = cordboard.credentials()
    pair = f"{known['ACCOUNT_SID']}:{known['AUTH_TOKEN']}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize("body", [b"", b"broken", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: x"])
def test_a_multipart_body_is_refused_with_a_message(cordboard: Cordboard, body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(cordboard.port), timeout=20)
    headers = {
        "Authorization": authorization(cordboard),
        "Content-Type": "multipart/form-data; boundary=x",
    }
    connection.request("POST", "/v1/Workspaces", body, headers)
    answer = connection.getresponse()
    error = json.load(answer)
    connection.close()
    assert (answer.status, error["code"]) == ((415, 20415) if body else (400, 20001))
    assert error["message"]


def test_a_truncated_body_changes_nothing_and_affects_no_other_client(
    cordboard: Cordboard,
) -> None:
    head = (
        "POST /v1/Workspaces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
        f"Authorization: {authorization(cordboard)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\nFriendlyName=Half"
    )
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", int(cordboard.port)), timeout=20) as client:
            client.sendall(head.encode())
    connection = http.client.HTTPConnection("127.0.0.1", int(cordboard.port), timeout=20)
    headers = {"Authorization": authorization(cordboard)}
    connection.request("GET", "/v1/Workspaces?FriendlyName=Half", headers=headers)
    assert json.load(connection.getresponse())["workspaces"] == []
    connection.close()


def test_a_chunked_form_is_read(cordboard: Cordboard) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(cordboard.port), timeout=20)
    headers = {
        "Authorization": authorization(cordboard),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = iter([b"FriendlyName=In+", b"pieces"])
    connection.request("POST", "/v1/Workspaces", body, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["friendly_name"]) == (201, "In pieces")
    connection.close()


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_of_hundreds_of_megabytes_is_refused_before_it_is_read(
    cordboard: Cordboard, is_chunked: bool
) -> None:
    how = "Transfer-Encoding: chunked" if is_chunked else "Content-Length: 419430400"
    head = f"POST /v1/Workspaces HTTP/1.1\r\nHost: 127.0.0.1\r\n{how}\r\n\r\n"
    piece = b"x" * 65_536
    with socket.create_connection(("127.0.0.1", int(cordboard.port)), timeout=20) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        client.sendall(head.encode())
        if is_chunked:
            for _ in range(2 * 1024 * 1024 // len(piece) + 2):
                client.sendall(b"10000\r\n" + piece + b"\r\n")
        answer = client.recv(4096)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b'"code": 20413' in answer
        assert sent_until_cut_off(client, piece) < 64 * 1024 * 1024


def sent_until_cut_off(client: socket.socket, piece: bytes) -> int:
    """Send on until the connection is cut, and return how many bytes were sent."""
    sent = 0
    try:
        while sent < 400 * 1024 * 1024:
            sent += client.send(piece)
    except OSError:
        return sent
    return sent
