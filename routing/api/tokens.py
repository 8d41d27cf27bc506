"""View for access tokens, with which other desks act for a worker or a supervisor."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest

from routing.api import idempotency
from routing.api.base import POST_ONLY, ResourceView
from routing.api.responses import ApiResponse
from routing.fields.declarations import date_text
from routing.fields.schemas import date, sid, text, word
from routing.fields.shapes import Shape
from routing.operations.tokens import SignedToken, WorkspaceTokenOperation
from routing.tokens import Role

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


class WorkspaceToken(ResourceView):
    """An access token for one workspace, signed with the caller's credentials."""

    operation_class = WorkspaceTokenOperation
    http_method_names = POST_ONLY
    created = 201
    repeatable = sealed = True
    shape = SHAPE
    about = {
        "post": "Create an access token\n\nFor the worker SDK: a desk of your own sends it"
        " with each request. It is signed with the caller's key, and ends when that is revoked."
        " The official libraries can create such tokens without a request."
    }

    def represent(self, row: SignedToken) -> dict[str, Any]:
        return {
            "token": row.token,
            "account_sid": self.caller.account.sid,
            "workspace_sid": self.workspace.sid,
            "worker_sid": None if row.worker is None else row.worker.sid,
            "role": row.role.value,
            "date_expires": date_text(row.expires),
        }

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Sign and return a token."""
        operation: WorkspaceTokenOperation = self.operation
        return idempotency.answer_creation(self, lambda: self._sign(operation))

    def _sign(self, operation: WorkspaceTokenOperation) -> ApiResponse:
        arguments = operation.read_arguments(self.form)
        signed = operation.sign(arguments, sealed=self.caller.sealed)
        return self.answer(signed, status=self.created)
