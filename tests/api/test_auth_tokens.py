"""Rotation of the auth token: for a while two are valid, and no program is cut off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant

from routing import models, secretbox, tokens
from routing.actions import accounts, api_keys
from routing.webhook_delivery import loop
from tests.api.conftest import TOKEN, Api, basic

SECONDARY, PROMOTE = "AuthTokens/Secondary", "AuthTokens/Promote"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def by(account: models.Account, token: str) -> Api:
    return Api(account, basic(account.sid, token))


def test_both_tokens_are_valid_until_the_second_one_is_promoted(
    api: Api, account: models.Account, root: str
) -> None:
    made = api.post(SECONDARY)
    assert made.status == 201
    second = by(account, made["secondary_auth_token"])
    assert {api.get(root).status, second.get(root).status} == {200}
    assert by(account, "neither").get(root).status == 401
    promoted = second.post(PROMOTE)
    assert (promoted.status, promoted["auth_token"]) == (200, made["secondary_auth_token"])
    assert promoted["account_sid"] == account.sid
    assert (api.get(root).status, second.get(root).status) == (401, 200)


def test_a_deleted_secondary_token_is_refused_and_the_primary_one_accepted(
    api: Api, account: models.Account, root: str
) -> None:
    second = by(account, api.post(SECONDARY)["secondary_auth_token"])
    assert second.get(root).status == 200
    assert api.delete(SECONDARY).status == 204
    assert (api.get(root).status, second.get(root).status) == (200, 401)


def test_a_missing_secondary_token_is_neither_promoted_nor_deleted(api: Api) -> None:
    for answer in (api.post(PROMOTE), api.delete(SECONDARY)):
        assert (answer.status, answer["code"]) == (404, 20404)


def test_a_secondary_token_in_use_is_not_replaced(
    api: Api, account: models.Account, root: str
) -> None:
    second = by(account, api.post(SECONDARY)["secondary_auth_token"])
    answer = api.post(SECONDARY)
    assert (answer.status, answer["code"]) == (409, 20409)
    assert "promote it or delete it first" in answer.message
    assert second.get(root).status == 200


def test_an_api_key_manages_no_auth_tokens(
    api: Api, account: models.Account, now: datetime
) -> None:
    key, secret = api_keys.create_api_key(account=account, friendly_name="key", now=now)
    by_key = Api(account, basic(key.sid, secret))
    for answer in (by_key.post(SECONDARY), by_key.post(PROMOTE), by_key.delete(SECONDARY)):
        assert (answer.status, answer["code"]) == (403, 20403)
    account.refresh_from_db()
    assert account.sealed_secondary_token == ""


def test_callbacks_are_signed_by_the_primary_token(
    api: Api, account: models.Account, now: datetime
) -> None:
    second = api.post(SECONDARY)["secondary_auth_token"]
    account.refresh_from_db()
    assert loop.decrypt_auth_token(account) == TOKEN
    accounts.promote_secondary_token(account=account, now=now)
    account.refresh_from_db()
    assert loop.decrypt_auth_token(account) == second


def test_a_token_of_the_library_is_valid_whichever_auth_token_signed_it(
    api: Api, account: models.Account, workspace: models.Workspace, now: datetime
) -> None:
    second = api.post(SECONDARY)["secondary_auth_token"]

    def signed(secret: str) -> Any:
        made = AccessToken(account.sid, account.sid, secret, ttl=60)
        made.add_grant(TaskRouterGrant(workspace_sid=workspace.sid, role="supervisor"))
        return made.to_jwt()

    old, new = signed(TOKEN), signed(second)
    grants = [tokens.verify_token(each, now=now) for each in (old, new)]
    with pytest.raises(tokens.TokenRefused):
        tokens.verify_token(signed("neither" * 8), now=now)
    assert still_good(grants) == [True, True]
    accounts.promote_secondary_token(account=account, now=now)
    assert tokens.verify_token(new, now=now).workspace == workspace
    with pytest.raises(tokens.TokenRefused):
        tokens.verify_token(old, now=now)
    assert still_good(grants) == [False, True]


def still_good(grants: list[tokens.Grant]) -> list[bool]:
    """Return for each open session whether its token is still valid."""
    keys = tokens.list_valid_secrets({grant.key_sid for grant in grants})
    return [secretbox.matches_any_secret(keys[grant.key_sid], grant.sealed) for grant in grants]


def test_a_worker_token_lives_as_long_as_the_auth_token_that_requested_it(
    api: Api, account: models.Account, root: str, now: datetime
) -> None:
    second = by(account, api.post(SECONDARY)["secondary_auth_token"])
    made = second.post(f"{root}/Tokens")["token"]
    accounts.promote_secondary_token(account=account, now=now)
    assert tokens.verify_token(made, now=now).account == account


def test_a_secondary_token_that_no_key_can_read_is_not_promoted(
    api: Api, account: models.Account, root: str
) -> None:
    models.Account.objects.update(sealed_secondary_token="gAAAAAsealed by a key that is lost")
    assert api.get(root).status == 200
    answer = api.post(PROMOTE)
    assert answer.status == 400
    assert "can read the secondary auth token" in answer.message
    assert api.delete(SECONDARY).status == 204


def test_a_retry_of_the_creation_gets_the_same_token_and_an_api_key_does_not(
    api: Api, account: models.Account, now: datetime
) -> None:
    headers = {"Idempotency-Key": "rotation-of-November"}
    first, again = (api.send("POST", SECONDARY, headers=headers) for _ in range(2))
    key, secret = api_keys.create_api_key(account=account, friendly_name="key", now=now)
    by_key = Api(account, basic(key.sid, secret))
    assert by_key.send("POST", SECONDARY, headers=headers).status == 403
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    stored = models.IdempotencyKey.objects.get()
    assert first["secondary_auth_token"] not in stored.body
