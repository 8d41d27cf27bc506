"""A PostgreSQL that falls silent is noticed, and waiting statements fail; a slow one is not."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from config import environment
from config.patches.postgresql import base, silence
from config.patches.postgresql.silence import Watch
from tests.chaos.proxy import Proxy

LONGEST = 30
"""Seconds before a wait fails the test."""


class Server:
    """A fake database for the watch."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked = 0
        self.renewed = 0

    def ask(self) -> None:
        """Answer, or fail as the driver does."""
        self.asked += 1
        if not self.is_there:
            raise psycopg.OperationalError("no route")

    def renew(self) -> None:
        """Count the calls after its return."""
        self.renewed += 1


@pytest.fixture
def server() -> Server:
    """Return a database that answers."""
    return Server()


@pytest.fixture
def watched(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Return a watch that suspects at once, and checks when a test says so."""
    monkeypatch.setattr(silence, "PROBE_SECONDS", 0.2)
    made = Watch(suspect_seconds=0.0, check_seconds=LONGEST)
    made.start(server.ask, on_back=server.renew)
    yield made
    made.stop()


def test_a_database_that_answers_another_connection_counts_as_slow(
    watched: Watch, server: Server
) -> None:
    with watched.waiting():
        watched.look()
        assert server.asked == 1
        assert not watched.is_silent


def test_a_database_that_answers_nothing_counts_as_silent_until_it_answers(
    watched: Watch, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.is_there = False
    with caplog.at_level(logging.INFO), watched.waiting():
        for _ in range(3):
            watched.look()
        assert watched.is_silent
        with pytest.raises(psycopg.OperationalError, match="does not answer"), watched.waiting():
            pass
        server.is_there = True
        for _ in range(3):
            watched.look()
    assert not watched.is_silent
    assert server.renewed == 1
    told = [record.message.partition(":")[0] for record in caplog.records]
    assert told == ["database.silent", "database.back"]


def test_nothing_is_checked_while_nothing_waits(watched: Watch, server: Server) -> None:
    watched.look()
    assert server.asked == 0


def test_an_answer_to_another_statement_disproves_silence(watched: Watch, server: Server) -> None:
    server.is_there = False
    watched._ask = lambda: _answer_another_statement(watched)
    with watched.waiting():
        watched.look()
    assert not watched.is_silent


def _answer_another_statement(watched: Watch) -> None:
    with watched.waiting():
        pass
    raise psycopg.OperationalError("too many connections")


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """Return a proxy to the private PostgreSQL."""
    home = parse_qs(urlsplit(postgres_url).query)["host"][0]
    with Proxy(f"{home}/.s.PGSQL.5432").running() as running:
        yield running


Open = Callable[[], base.DatabaseWrapper]


@pytest.fixture
def opened(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[base.DatabaseWrapper]:
    """Return a connection through the proxy, in a process that watches."""
    monkeypatch.setattr(silence, "PROBE_SECONDS", 1)
    url = f"postgres://tests@127.0.0.1:{proxy.port}/postgres"
    settings = connection.settings_dict | environment.database(url, tmp_path)
    made = base.DatabaseWrapper(settings, alias="watched")
    watch = Watch(suspect_seconds=0.2, check_seconds=0.05)
    monkeypatch.setattr(silence, "watch", watch)
    made.watch()
    yield made
    silence.watch.stop()
    proxy.resume()
    made.close()
    made.close_pool()  # type: ignore[attr-defined]


def ask(wrapper: base.DatabaseWrapper, sql: str) -> Any:
    """Return the first value of what a statement finds."""
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_statement_on_a_cut_connection_fails_and_the_next_fails_at_once(
    opened: base.DatabaseWrapper, proxy: Proxy
) -> None:
    assert ask(opened, "SELECT 1") == 1
    proxy.stall()
    began = time.monotonic()
    with pytest.raises(OperationalError, match="does not answer"):
        ask(opened, "SELECT 2")
    assert time.monotonic() - began < LONGEST
    opened.close()
    with pytest.raises(OperationalError, match="does not answer"):
        opened.insist_on_answer()
    proxy.resume()
    back = threading.Event()
    while silence.watch.is_silent:
        assert not back.wait(0.05)
        assert time.monotonic() - began < LONGEST
    opened.close()
    assert ask(opened, "SELECT 3") == 3


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_slow_statement_is_not_cut_off(opened: base.DatabaseWrapper) -> None:
    assert ask(opened, "SELECT 4 FROM pg_sleep(1.0)") == 4
    assert not silence.watch.is_silent


@pytest.mark.postgres
@pytest.mark.django_db
def test_sessions_of_a_watching_process_have_limits_that_can_be_lifted(
    opened: base.DatabaseWrapper,
) -> None:
    assert ask(opened, "SHOW statement_timeout") == "30s"
    assert ask(opened, "SHOW idle_in_transaction_session_timeout") == "5s"
    with opened.without_limits():
        assert ask(opened, "SHOW statement_timeout") == "0"
    assert ask(opened, "SHOW statement_timeout") == "30s"
    silence.watch.stop()
    opened.close()
    opened.close_pool()  # type: ignore[attr-defined]
    assert ask(opened, "SHOW statement_timeout") == "0"


@pytest.mark.postgres
@pytest.mark.django_db
def test_threads_that_wait_for_a_connection_of_a_silent_database_fail(
    opened: base.DatabaseWrapper, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.stall()
    opened.settings_dict["OPTIONS"]["pool"]["timeout"] = 1
    opened.close_pool()  # type: ignore[attr-defined]

    def answer(_: int) -> str:
        own = base.DatabaseWrapper(opened.settings_dict, alias="watched")
        try:
            ask(own, "SELECT 1")
        except OperationalError as error:
            return str(error)
        finally:
            own.close()
        return ""

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(answer, range(4)))


def fail_without_database(_request: object) -> HttpResponse:
    """Fail like a view without a database."""
    raise OperationalError("the database does not answer")


urlpatterns = [path("page", fail_without_database), path("v1/thing", fail_without_database)]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("place", ["/page", "/v1/thing"])
def test_a_request_without_a_database_is_answered_503(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get(place)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    assert "database does not answer" in answer.content.decode()


handler500 = "config.views.server_error"
