"""View for access tokens, with which other desks act for a worker or a supervisor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from rest_framework.request import Request
from rest_framework.response import Response

from routing import keys, models, secretbox, tokens
from routing.api import idempotency, inputs
from routing.api.base import POST_ONLY, Resource
from routing.api.errors import ApiError
from routing.fields.declarations import date_text
from routing.fields.schemas import date, sample_sid, sid, text, word
from routing.fields.shapes import Shape
from routing.tokens import DEFAULT_TTL, MAX_TTL, Role

SHAPE: Final = Shape(
    "Token",
    {
        "token": text("The secret token. Pass it to the desk only.", "eyJhbGciOiJIUzI1NiJ9…"),
        "account_sid": sid("The account that it belongs to.", "AC"),
        "workspace_sid": sid("The workspace that it is valid for.", "WS"),
        "worker_sid": sid("The worker that it acts for.", "WK", null=True),
        "role": word("The role of the token.", Role, "worker"),
        "date_expires": date("When it expires.", "2026-03-02T10:30:00Z"),
    },
    "An access token for the worker SDK.",
)


class WorkspaceToken(Resource):
    """An access token for one workspace, signed with the caller's credentials."""

    http_method_names = POST_ONLY
    created = 201
    repeatable = sealed = True
    shape = SHAPE
    about = {
        "post": "Create an access token\n\nFor the worker SDK: a desk of your own sends it"
        " with each request. It is signed with the caller's key, and ends when that is revoked."
        " The official libraries can create such tokens without a request."
    }
    params = (
        inputs.reference("WorkerSid", models.Worker, "WK", argument="worker").says(
            "The worker it acts for. Without one it opens no session and is read-only, unless its"
            " role allows more.",
            sample_sid("WK"),
        ),
        inputs.one_of("Role", Role).says(
            "The role: `worker`, the default, may change the worker, their offers and"
            " their tasks; `supervisor` and `admin` may also change others'.",
            "worker",
        ),
        inputs.whole("Ttl", least=1, most=MAX_TTL).says(
            f"The lifetime in seconds. Defaults to {DEFAULT_TTL}.", DEFAULT_TTL
        ),
        inputs.text("Identity", limit=256).says(
            "A name of your choice that is stored in it.", "mari"
        ),
    )

    def represent(self, row: Any) -> dict[str, Any]:
        shown: dict[str, Any] = row
        return shown

    def post(self, request: Request, **kwargs: str) -> Response:
        """Sign and return a token."""
        _ = self.workspace
        return idempotency.once(self, self._sign)

    def _sign(self) -> Response:
        workspace, given = self.workspace, self.given()
        worker: models.Worker | None = given.get("worker")
        role: Role = given.get("role", Role.WORKER)
        ttl: int = given.get("ttl", DEFAULT_TTL)
        signed_by = self.actor.sid or ""
        key, sealed = keys.find_key(signed_by), self.caller.sealed
        if key is None or not secretbox.matches_any_secret(key.secrets, sealed):
            raise ApiError(
                f"The credentials of {signed_by} were revoked while the request was carried out",
                status=409,
                code=20409,
            )
        token = tokens.mint_token(
            account=self.caller.account,
            key_sid=signed_by,
            secret=secretbox.unseal(sealed),
            workspace_sid=workspace.sid,
            worker_sid=None if worker is None else worker.sid,
            role=role,
            identity=given.get("identity") or None,
            ttl=ttl,
            now=self.now,
        )
        return self.answer(
            {
                "token": token,
                "account_sid": self.caller.account.sid,
                "workspace_sid": workspace.sid,
                "worker_sid": None if worker is None else worker.sid,
                "role": role.value,
                "date_expires": date_text(self.now + timedelta(seconds=ttl)),
            },
            status=self.created,
        )
