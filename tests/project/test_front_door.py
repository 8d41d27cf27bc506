"""The entry of every visitor: redirects, refusals, and headers."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.test import Client

from config.serve import credentials

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """Return a user with a login."""
    return User.objects.create_user("ada", password="right")


def test_an_anonymous_visitor_is_sent_to_the_login(client: Client) -> None:
    assert client.get("/")["Location"] == "/accounts/login/"


def test_an_agent_is_sent_to_the_desk(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get("/")["Location"] == "/agent/"


def test_a_supervisor_is_sent_to_the_admin(client: Client, ada: User) -> None:
    ada.is_staff = True
    ada.save()
    client.force_login(ada)
    assert client.get("/")["Location"] == "/admin/"


def test_a_login_leads_agents_to_the_desk_and_supervisors_to_the_admin(
    client: Client, ada: User
) -> None:
    answer = client.post("/accounts/login/", {"username": "ada", "password": "right"})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_an_unknown_address_of_the_api_is_answered_in_json(client: Client) -> None:
    answer = client.get("/v1/No/Such/Thing")
    assert answer.status_code == 404
    assert answer.json().keys() == {"code", "message", "more_info", "status"}
    assert answer.json()["status"] == 404


@pytest.mark.parametrize("path", ["/metrics", "/supervisors", "/typo"])
def test_an_unknown_address_is_answered_with_a_list_of_existing_ones(
    client: Client, ada: User, path: str
) -> None:
    for logged_in in (False, True):
        if logged_in:
            client.force_login(ada)
        page = client.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
        assert page.status_code == 404
        for known in (path, "/agent/", "/admin/", "/api/docs", "/healthz"):
            assert known in page.text
    answer = client.get(path, headers={"Accept": "application/openmetrics-text,*/*;q=0.1"})
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert answer.json()["message"].startswith(f"This server has nothing at {path}; it answers at")


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/admin/login/", "/no/such/page"])
def test_every_answer_has_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(
        directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; ")
    )
    for kind in ("default-src", "script-src", "style-src", "img-src", "connect-src"):
        assert policy[kind] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_a_name_that_fails_too_often_is_locked_without_locking_others(
    client: Client, ada: User, settings: Any
) -> None:
    settings.AXES_ENABLED = True
    User.objects.create_user("bob", password="right")

    def log_in(name: str, password: str) -> int:
        return client.post("/accounts/login/", {"username": name, "password": password}).status_code

    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert log_in("ada", "wrong") == 200
    assert log_in("ada", "wrong") == 429
    assert log_in("ada", "right") == 429
    assert log_in("bob", "right") == 302


def test_a_failed_login_is_logged_in_one_line_without_the_name(
    client: Client, ada: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AXES_ENABLED = True
    client.post("/accounts/login/", {"username": "ada", "password": "wrong"})
    (line,) = caplog.messages
    assert line == "login_failed address=127.0.0.1"


def test_passwords_changed_since_the_first_start_are_detected(ada: User) -> None:
    given = {"ADMIN_USER": "olga", "ADMIN_PASSWORD": "hers"}
    User.objects.create_superuser("olga", password="hers")
    given |= {"AGENT_USER": "ada", "AGENT_PASSWORD": "right"}
    assert credentials.outdated_users(given) == set()
    ada.set_password("new")
    ada.save()
    assert credentials.outdated_users(given) == {"ada"}
    assert credentials.outdated_users({}) == set()


def test_an_address_that_fails_with_many_names_is_locked_without_locking_others(
    client: Client, ada: User, settings: Any
) -> None:
    settings.AXES_ENABLED = True
    settings.LOGIN_FAILURES_PER_ADDRESS = 5

    def log_in(name: str, password: str, address: str) -> int:
        given = {"username": name, "password": password}
        return client.post("/accounts/login/", given, REMOTE_ADDR=address).status_code

    for number in range(5):
        assert log_in(f"name {number}", "guess", "2001:db8::5") == 200
    assert log_in("another", "guess", "2001:db8::5") == 429
    # Another address of the same network is the same client's.
    assert log_in("ada", "right", "2001:db8::6") == 429
    assert log_in("ada", "right", "2001:db8:0:1::5") == 302


@pytest.mark.parametrize("parameters", [(2, 102_400, 8), (2, 19_456, 1)])
def test_password_hashes_with_earlier_parameters_match_and_are_replaced(
    parameters: tuple[int, int, int], settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["config.hashers.Argon2PasswordHasher"]
    before = Argon2PasswordHasher()
    before.time_cost, before.memory_cost, before.parallelism = parameters
    encoded = before.encode("right", "a salt that is long enough")
    hashed: list[str] = []
    assert check_password("right", encoded, setter=hashed.append)
    assert not check_password("wrong", encoded)
    assert bool(hashed) == (parameters != (2, 19_456, 1))
    assert "m=19456,t=2,p=1" in make_password("right")
