"""The user of a browser's session, and when it has none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from routing import web_sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    """Return a user who can log in."""
    return User.objects.create_user("mari", password="secret of mari")


@pytest.fixture
def client(user: User) -> Client:
    """Return a browser in which the user has logged in by password."""
    browser = Client()
    answer = browser.post("/accounts/login/", {"username": "mari", "password": "secret of mari"})
    assert answer.status_code == 302
    return browser


def whose(client: Client) -> web_sessions.AnyUser:
    """Return the present user of the browser's session."""
    key = client.session.session_key
    assert key is not None
    return web_sessions.load_session_user(key)


def test_a_session_belongs_to_the_user_who_logged_in(user: User, client: Client) -> None:
    assert whose(client) == user


def test_an_expired_session_has_no_user(client: Client) -> None:
    key = client.session.session_key
    assert key is not None
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not web_sessions.load_session_user(key).is_authenticated


def test_an_unknown_session_has_no_user(client: Client) -> None:
    assert not web_sessions.load_session_user("x" * 32).is_authenticated


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
def test_a_deactivated_user_has_no_session(
    user: User, client: Client, change: dict[str, object]
) -> None:
    User.objects.filter(pk=user.pk).update(**change)
    assert not whose(client).is_authenticated


def test_a_deleted_user_has_no_session(user: User, client: Client) -> None:
    user.delete()
    assert not whose(client).is_authenticated
