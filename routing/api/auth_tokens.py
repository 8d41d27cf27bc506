"""Rotate an account's auth token: create a secondary one, promote it, or delete it."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from routing import models
from routing.actions import accounts
from routing.api import idempotency
from routing.api.base import POST_ONLY, ResourceView
from routing.api.responses import ApiResponse
from routing.fields.declarations import date_text
from routing.fields.schemas import EXAMPLE_HOST, Schema, date, sid, text
from routing.fields.shapes import Shape
from routing.operations.errors import ApiError, NotFound

_PATH: Final = "/AuthTokens"
_EXAMPLE: Final = "0123456789abcdef0123456789abcdef"


def _shape(name: str, token: str, words: str, path: str) -> Shape:
    url: Schema = {
        "type": "string",
        "format": "uri",
        "description": "This resource.",
        "examples": [f"{EXAMPLE_HOST}/v1{_PATH}/{path}"],
    }
    return Shape(
        name,
        {
            "account_sid": sid("The account that it belongs to.", "AC"),
            token: text(words, _EXAMPLE),
            "date_created": date("When the account was created."),
            "date_updated": date("When the account or its tokens changed last."),
            "url": url,
        },
    )


class AuthTokens(ResourceView):
    """Base view of the auth token resources. API keys may not manage auth tokens."""

    token: str
    path: str

    @property
    def account(self) -> models.Account:
        """Return the caller's account."""
        if self.caller.actor.type != "account":
            raise ApiError(
                "An API key does not manage auth tokens; send the account's sid and an auth token",
                status=403,
                code=20403,
            )
        return self.caller.account

    def represent(self, row: Any) -> dict[str, Any]:
        account, token = row
        return {
            "account_sid": account.sid,
            self.token: token,
            "date_created": date_text(account.date_created),
            "date_updated": date_text(account.date_updated),
            "url": f"{self.base}{_PATH}/{self.path}",
        }


class SecondaryAuthToken(AuthTokens):
    """The account's secondary auth token."""

    http_method_names = ["post", "delete", "options"]
    created = 201
    repeatable = sealed = True
    token, path = "secondary_auth_token", "Secondary"
    shape = _shape("SecondaryAuthToken", token, "The token. It is shown only once.", path)
    refusals = {"post": (403,), "delete": (403, 404)}
    about = {
        "post": "Create a secondary auth token\n\nIt grants the same access as the primary one,"
        " and both are"
        " valid. Callbacks are signed with the primary one. An account has one secondary token at"
        " most: a second request gets 409. API keys are refused.",
        "delete": "Delete the secondary auth token\n\nIt becomes invalid at once, together with the"
        " tokens that it signed.",
    }

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Create the secondary token."""
        account = self.account  # Checked before a stored answer is replayed to an API key.
        return idempotency.answer_creation(self, lambda: self._create(account))

    def _create(self, account: models.Account) -> ApiResponse:
        self.operation.read_arguments(self.form)
        token = accounts.create_secondary_token(account=account, now=self.now)
        return self.answer((account, token), status=self.created)

    def delete(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Delete the secondary token."""
        account = self.account
        try:
            accounts.delete_secondary_token(account=account, now=self.now)
        except accounts.NoSecondaryToken:
            raise NotFound(request.path) from None
        return ApiResponse(status=204)


class AuthTokenPromotion(AuthTokens):
    """Promotion of the secondary auth token to primary."""

    http_method_names = POST_ONLY
    token, path = "auth_token", "Promote"
    shape = _shape("AuthTokenPromotion", token, "The new primary auth token.", path)
    refusals = {"post": (403, 404)}
    about = {
        "post": "Promote the secondary auth token\n\nThe primary token becomes invalid at once. The"
        " secondary one replaces it and signs callbacks. 404 if there is no secondary token.",
    }

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Promote the secondary token."""
        account = self.account
        self.operation.read_arguments(self.form)
        try:
            token = accounts.promote_secondary_token(account=account, now=self.now)
        except accounts.NoSecondaryToken:
            raise NotFound(request.path) from None
        return self.answer((account, token))
