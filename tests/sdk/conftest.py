"""A workspace with Alice, the keys of its account, and the SDK's requests without the SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis as redis_client
from django.test import Client
from django.utils import timezone
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant

from routing import models
from routing.actions import api_keys
from routing.sdk import consumers
from tests import factories

AUTH_TOKEN = "an auth token that only the tests know"


@dataclass
class Floor:
    """A workspace with Alice and an API key for her tokens."""

    account: models.Account
    workspace: models.Workspace
    alice: models.Worker
    key: models.ApiKey
    secret: str
    client: Client = field(default_factory=Client)

    def token(
        self,
        worker: models.Worker | None = None,
        *,
        role: str | None = "worker",
        workspace: models.Workspace | None = None,
        **given: Any,
    ) -> str:
        """Make an access token with the official library."""
        grant = TaskRouterGrant(
            workspace_sid=(workspace or self.workspace).sid,
            worker_sid=None if worker is None else worker.sid,
            role=role,
        )
        values = {
            "account_sid": self.account.sid,
            "signing_key_sid": self.key.sid,
            "secret": self.secret,
        } | given
        token = AccessToken(grants=[grant], **values)
        jwt: str = token.to_jwt()
        return jwt

    def send(
        self,
        method: str,
        path: str,
        token: object = None,
        *,
        if_match: str = "",
        key: str = "",
        **params: Any,
    ) -> tuple[int, Any]:
        """Send a request as the SDK does; return the status, and the payload or the error."""
        url = path.replace("{W}", f"Workspaces/{self.workspace.sid}").replace(
            "{K}", f"Workspaces/{self.workspace.sid}/Workers/{self.alice.sid}"
        )
        body = {
            "url": url,
            "method": method,
            "params": params,
            "token": self.token(self.alice) if token is None else token,
        }
        return self.post(json.dumps(body), if_match=if_match, key=key)

    def post(self, body: str | bytes, *, if_match: str = "", key: str = "") -> tuple[int, Any]:
        """Send a body as it is."""
        given = {"If-Match": if_match, "Idempotency-Key": key}
        answer = self.client.generic(
            "POST",
            "/v1/wschannels",
            body.encode() if isinstance(body, str) else body,
            content_type="application/x-www-form-urlencoded",
            headers={name: value for name, value in given.items() if value},
        )
        said = json.loads(answer.content)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return answer.status_code, said.get("payload", said)


def make_floor() -> Floor:
    """Make the floor."""
    account = factories.account(auth_token=AUTH_TOKEN)
    workspace = factories.workspace(account=account)
    alice = factories.worker(workspace, "Alice", capacity={"chat": 3})
    made = api_keys.create_api_key(account=account, friendly_name="desk", now=timezone.now())
    return Floor(account, workspace, alice, *made)


@pytest.fixture
def floor(db: None) -> Floor:
    """Return the floor, in a transaction that is rolled back."""
    return make_floor()


@pytest.fixture
def redis_switch(real_redis: redis_client.Redis, settings: Any) -> Iterator[Any]:
    """Return a switch that takes Redis away, and brings it back."""
    url = settings.REDIS_URL

    def switch(is_away: bool) -> None:
        settings.REDIS_URL = "unix:///nowhere/redis.sock" if is_away else url

    yield switch
    switch(False)


@pytest.fixture
def hold_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold messages back until a session's lists are read, without a further delay."""
    monkeypatch.setattr(consumers, "LONGEST_HOLD", 3_600.0)
    monkeypatch.setattr(consumers, "HOLD_SECONDS", 0.0)
