"""A new SECRET_KEY: secrets of the old one stay readable, and can be sealed again."""

from __future__ import annotations

import inspect
import io
import json
import secrets
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from routing import diagnosis, models, secretbox, web_sessions
from routing.actions import api_keys, resealing
from tests import factories
from tests.api.conftest import basic

pytestmark = pytest.mark.django_db

OLD, NEW, LATER = "old" * 20, "new" * 20, "later" * 20


@pytest.fixture
def account(settings: Any) -> models.Account:
    """Return an account whose token the old key has sealed; the new key is set after it."""
    settings.SECRET_KEY = OLD
    account = factories.account(auth_token="the token")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    return account


def status(account: models.Account, presented: str = "the token") -> int:
    headers = {"Authorization": basic(account.sid, presented)}
    return Client().get("/v1/Workspaces", headers=headers).status_code


def reseal() -> str:
    printed = io.StringIO()
    call_command("reseal", stdout=printed)
    return printed.getvalue().strip()


def test_secrets_of_an_older_key_are_readable_while_that_key_is_kept(
    account: models.Account, settings: Any
) -> None:
    assert status(account) == 200
    assert status(account, "another") == 401
    settings.SECRET_KEY_FALLBACKS = []
    assert status(account) == 401


def test_the_older_key_is_not_needed_after_resealing(
    account: models.Account, settings: Any
) -> None:
    _, secret = api_keys.create_api_key(account=account, friendly_name="key", now=timezone.now())
    assert reseal() == "1 of 2 secrets were sealed with the current key."
    assert reseal() == "0 of 2 secrets were sealed with the current key."
    settings.SECRET_KEY_FALLBACKS = []
    assert status(account) == 200
    key = models.ApiKey.objects.get()
    assert secretbox.unseal(key.sealed_secret) == secret


def test_an_unreadable_secret_is_reported_and_the_others_are_resealed(
    account: models.Account, settings: Any
) -> None:
    settings.SECRET_KEY = LATER
    lost = factories.account(auth_token="lost")
    settings.SECRET_KEY = NEW
    with pytest.raises(CommandError, match=f"the auth token of {lost.sid}"):
        reseal()
    settings.SECRET_KEY_FALLBACKS = []
    assert status(account) == 200
    assert status(lost, "lost") == 401


def test_resealing_keeps_the_value_of_a_secret(account: models.Account, settings: Any) -> None:
    before = account.sealed_auth_token
    after = secretbox.reseal(before)
    assert after != before
    assert secretbox.matches_any_secret([after], before)
    assert not secretbox.matches_any_secret([secretbox.seal("another")], before)
    assert not secretbox.matches_any_secret([], before)
    settings.SECRET_KEY_FALLBACKS = []
    assert not secretbox.matches_any_secret([after], before)
    with pytest.raises(InvalidToken):
        secretbox.reseal(before)


def test_sessions_and_open_desks_survive_a_new_key(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    browser = Client()
    user = User.objects.create_user("ann", password="x")
    browser.force_login(user)
    key = browser.session.session_key
    assert key is not None
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    # A desk whose websocket comes back first must not take the browser's session away.
    assert web_sessions.load_session_user(key) == user
    assert web_sessions.load_session_user(key) == user
    assert web_sessions.send_session_user(key, user.pk).result() == user
    assert browser.get("/agent/").status_code == 403  # logged in, without a worker
    renewed = browser.session.session_key
    assert renewed not in (None, key)
    settings.SECRET_KEY_FALLBACKS = []
    assert browser.get("/agent/").status_code == 403
    assert web_sessions.load_session_user(str(renewed)) == user


def test_every_kind_of_secret_is_resealed_and_the_doctor_agrees(
    account: models.Account, settings: Any
) -> None:
    now = timezone.now()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    key, _ = api_keys.create_api_key(account=account, friendly_name="key", now=now)
    asked = Client().post(
        "/v1/AuthTokens/Secondary",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(account.sid, "the token"), "Idempotency-Key": "once"},
    )
    assert asked.status_code == 201
    examine()
    settings.SECRET_KEY = NEW
    with pytest.raises(CommandError, match="4 problems"):
        examine()
    found = "\n".join(diagnosis.find_problems())
    for name in (
        f"the auth token of {account.sid} cannot be read",
        f"the secondary auth token of {account.sid} cannot be read",
        f"the secret of {key.sid} cannot be read",
        f"an answer kept for a day for {account.sid} cannot be read",
    ):
        assert name in found
    assert OLD not in found
    settings.SECRET_KEY_FALLBACKS = [OLD]
    examine()
    assert reseal() == "4 of 4 secrets were sealed with the current key."
    settings.SECRET_KEY_FALLBACKS = []
    examine()
    secondary = json.loads(asked.content)["secondary_auth_token"]
    assert status(account, secondary) == 200


def test_every_sealed_column_is_resealed() -> None:
    columns = {
        field.name
        for model in apps.get_app_config("routing").get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("sealed")
    }
    source = inspect.getsource(resealing.list_sealed_secrets)
    assert {name for name in columns if f'"{name}"' not in source} == set()
    assert columns


def test_a_repeated_creation_with_an_unreadable_answer_is_refused_with_a_message(
    settings: Any,
) -> None:
    token = secrets.token_hex(16)
    account = factories.account(auth_token=token)
    workspace = factories.workspace(account=account)
    headers = {"Authorization": basic(account.sid, token), "Idempotency-Key": "once"}

    def create() -> Any:
        return Client().post(
            f"/v1/Workspaces/{workspace.sid}/Tokens",
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )

    assert create().status_code == 201
    settings.SECRET_KEY = LATER
    sealed = secretbox.seal(token)
    models.Account.objects.filter(pk=account.pk).update(sealed_auth_token=sealed)
    answer = create()
    assert answer.status_code == 409
    assert "SECRET_KEY has changed" in json.loads(answer.content)["message"]


def examine() -> None:
    call_command("doctor", stdout=io.StringIO())
