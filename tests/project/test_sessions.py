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


def whose(client: Client, user: User) -> web_sessions.AnyUser:
    """Return the present user of the browser's session, as both ways to load it agree."""
    key = client.session.session_key
    assert key is not None
    return load_twice(key, user)


def load_twice(key: str, user: User) -> web_sessions.AnyUser:
    """Return the user of a session, loaded without and with the id that is expected."""
    found = web_sessions.load_session_user(key)
    assert web_sessions.send_session_user(key, user.pk).result().pk == found.pk
    return found


def test_a_session_belongs_to_the_user_who_logged_in(user: User, client: Client) -> None:
    assert whose(client, user) == user


def test_a_session_of_another_user_has_not_the_expected_one(client: Client) -> None:
    other = User.objects.create_user("olga", password="secret of olga")
    key = client.session.session_key
    assert key is not None
    assert not web_sessions.send_session_user(key, other.pk).result().is_authenticated


def test_an_expired_session_has_no_user(user: User, client: Client) -> None:
    key = client.session.session_key
    assert key is not None
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not load_twice(key, user).is_authenticated


def test_an_unknown_session_has_no_user(user: User, client: Client) -> None:
    assert not load_twice("x" * 32, user).is_authenticated


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "another"}])
def test_a_deactivated_user_has_no_session(
    user: User, client: Client, change: dict[str, object]
) -> None:
    User.objects.filter(pk=user.pk).update(**change)
    assert not whose(client, user).is_authenticated


def test_a_deleted_user_has_no_session(user: User, client: Client) -> None:
    key, pk = client.session.session_key, user.pk
    assert key is not None
    user.delete()
    user.pk = pk
    assert not load_twice(key, user).is_authenticated
