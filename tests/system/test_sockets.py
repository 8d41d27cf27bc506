"""Websockets of a running server."""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.server import Cordboard, running_server

pytestmark = pytest.mark.system
LONGER_THAN_A_REDIS_READ = 6.5
"""Seconds; a client library once gave up after five, and closed each socket that was quiet."""


def log_in(server: Cordboard) -> str:
    """Log in as the demo's agent; return the cookies as a header."""
    given = server.credentials()
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"{server.url}/accounts/login/"
    browser.open(page).close()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken") or ""
    form = {
        "username": given["AGENT_USER"],
        "password": given["AGENT_PASSWORD"],
        "csrfmiddlewaretoken": token,
    }
    with browser.open(page, urllib.parse.urlencode(form).encode()) as answer:
        assert answer.url == f"{server.url}/agent/"
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def socket(server: Cordboard, path: str, *, origin: str, cookies: str = "") -> ClientConnection:
    """Open a websocket as a page of `origin` would."""
    url = f"ws://127.0.0.1:{server.port}{path}"
    return connect(url, additional_headers={"Origin": origin, "Cookie": cookies})


def test_an_idle_desk_stays_connected(demo: Cordboard) -> None:
    cookies = log_in(demo)
    with socket(demo, "/agent/socket", origin=demo.url, cookies=cookies) as desk:
        assert json.loads(desk.recv(timeout=10))["event"] == "desk.ready"
        quiet_until = time.monotonic() + LONGER_THAN_A_REDIS_READ
        while (left := quiet_until - time.monotonic()) > 0:
            try:
                desk.recv(timeout=left)
            except TimeoutError:
                break
        desk.ping().wait(timeout=10)


def test_a_page_of_another_site_is_refused_a_socket(demo: Cordboard) -> None:
    cookies = log_in(demo)
    with pytest.raises(InvalidStatus) as refused:
        socket(demo, "/agent/socket", origin="http://evil.example", cookies=cookies)
    assert refused.value.response.status_code == 403


def test_an_unknown_address_is_refused_without_an_error_in_the_log(demo: Cordboard) -> None:
    with pytest.raises(InvalidStatus) as refused:
        socket(demo, "/no/such/socket", origin=demo.url)
    assert refused.value.response.status_code == 403
    assert "Traceback" not in demo.said()


def test_a_later_start_keeps_the_demo_login(tmp_path: Path) -> None:
    with running_server(tmp_path / "var", demo=True) as server:
        before = server.credentials()
        assert {"AGENT_USER", "AGENT_PASSWORD"} <= before.keys()
        server.end()
        server.start()
        assert server.credentials() == before
        assert log_in(server)
