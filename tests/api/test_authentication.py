"""Authentication: an account by its token, or a key by its secret; all others get 401."""

from __future__ import annotations

import base64
import logging

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models, secretbox, sids
from routing.actions import accounts, api_keys
from tests import factories
from tests.api.conftest import TOKEN, Api, basic
from tests.factories import NOW, later

SECRET = "a secret that only the tests know"


@pytest.fixture
def key(account: models.Account) -> models.ApiKey:
    return api_keys.create_api_key(
        account=account, friendly_name="integration", secret=SECRET, now=timezone.now()
    )[0]


def test_an_account_reaches_its_workspaces_by_its_token(api: Api, root: str) -> None:
    assert api.get(root).status == 200


def test_a_key_acts_on_the_account_that_owns_it(
    account: models.Account, key: models.ApiKey, root: str
) -> None:
    by_key = Api(account, basic(key.sid, SECRET))
    assert by_key.get(root)["account_sid"] == account.sid
    by_key.post(f"{root}/Activities", FriendlyName="Lunch")
    event = models.Event.objects.get(event_type="activity.created", actor_type="api-key")
    assert (event.actor_sid, event.source, event.source_ip_address) == (
        key.sid,
        "api",
        "127.0.0.1",
    )


def test_a_revoked_key_is_refused(account: models.Account, key: models.ApiKey, root: str) -> None:
    by_key = Api(account, basic(key.sid, SECRET))
    assert by_key.get(root).status == 200
    api_keys.revoke_api_key(key=key, now=timezone.now())
    assert by_key.get(root).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Bearer abc",
        basic("AC" + "0" * 32, TOKEN),
        basic("SK" + "0" * 32, TOKEN),
        basic("ac\x00", TOKEN),
        basic("", ""),
    ],
)
def test_without_valid_credentials_the_answer_is_401(
    account: models.Account, root: str, authorization: str | None
) -> None:
    answer = Api(account, authorization).get(root)
    assert (answer.status, answer["code"]) == (401, 20003)
    assert answer.response.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_token_is_refused_where_the_right_one_is_not(
    account: models.Account, root: str
) -> None:
    assert Api(account, basic(account.sid, TOKEN)).get(root).status == 200
    assert Api(account, basic(account.sid, TOKEN + "x")).get(root).status == 401
    assert Api(account, basic(account.sid, "")).get(root).status == 401


def test_an_unknown_sid_is_compared_with_a_secret_too(
    account: models.Account, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    second = factories.account(auth_token=TOKEN)
    accounts.create_secondary_token(account=second, now=timezone.now())

    def note(sealed: str, presented: str) -> bool:
        compared.append(sealed)
        return False

    monkeypatch.setattr("routing.secretbox.matches_secret", note)
    for sid in (account.sid, second.sid, sids.new_sid("AC"), sids.new_sid("SK"), "nonsense"):
        compared.clear()
        assert Api(account, basic(sid, TOKEN)).get(root).status == 401
        assert len(compared) == 2


def test_a_secret_is_decrypted_once_and_a_wrong_one_compared_each_time(
    api: Api, account: models.Account, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    matches = secretbox.matches_secret

    def count(sealed: str, presented: str) -> bool:
        compared.append(presented)
        return matches(sealed, presented)

    monkeypatch.setattr(secretbox, "matches_secret", count)
    for secret, status in ((TOKEN, 200), (TOKEN, 200), ("wrong", 401), ("wrong", 401)):
        assert Api(account, basic(account.sid, secret)).get(root).status == status
    assert compared == [TOKEN, *["wrong"] * 4]


def test_a_secret_that_cannot_be_decrypted_is_refused_and_logged(
    account: models.Account, root: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        override_settings(SECRET_KEY="another one, long enough to be a secret key of its own"),
        caplog.at_level(logging.ERROR),
    ):
        assert Api(account, basic(account.sid, TOKEN)).get(root).status == 401
    assert "SECRET_KEY" in caplog.text
    assert TOKEN not in caplog.text


def test_a_session_is_no_credential(
    account: models.Account, root: str, django_user_model: type
) -> None:
    user = django_user_model.objects.create_superuser("root", password="x")  # type: ignore[attr-defined]
    api = Api(account, None)
    api.client.force_login(user)
    assert api.get(root).status == 401


def test_a_key_s_use_is_stored_once_a_minute(
    account: models.Account, key: models.ApiKey, root: str
) -> None:
    by_key = Api(account, basic(key.sid, SECRET))
    with time_machine.travel(NOW, tick=False) as clock:
        by_key.get(root)
        key.refresh_from_db()
        assert key.date_last_used == NOW
        clock.shift(59)
        with CaptureQueriesContext(connection) as asked:
            by_key.get(root)
        assert not [query for query in asked if query["sql"].startswith("UPDATE")]
        clock.shift(1)
        by_key.get(root)
        key.refresh_from_db()
        assert key.date_last_used == later(60)


def test_a_refused_secret_does_not_count_as_use_of_the_key(
    account: models.Account, key: models.ApiKey, root: str
) -> None:
    assert Api(account, basic(key.sid, "wrong")).get(root).status == 401
    key.refresh_from_db()
    assert key.date_last_used is None


def test_a_renewed_token_works_and_the_old_one_does_not(
    api: Api, account: models.Account, root: str
) -> None:
    assert api.get(root).status == 200
    token = accounts.renew_auth_token(account=account, now=NOW)
    assert api.get(root).status == 401
    assert Api(account, basic(account.sid, token)).get(root).status == 200
