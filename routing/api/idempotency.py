"""Answer a repeated creation with the first answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cryptography.fernet import InvalidToken

from routing import secretbox
from routing.actions.idempotency import Answer, answer_once
from routing.api.responses import ApiResponse
from routing.operations.errors import ApiError
from routing.operations.idempotency import identify_creation

if TYPE_CHECKING:
    from routing.api.base import ResourceView

REPLAYED: Final = "Idempotent-Replayed"
"""The response header that marks a replayed answer."""


def answer_creation(view: ResourceView, create: Callable[[], ApiResponse]) -> ApiResponse:
    """Run a creation; with an idempotency key, a repetition gets the first answer."""
    request = view.request
    creation = identify_creation(
        request.META, account=view.caller.account, path=request.path, form=lambda: view.form
    )
    if creation is None:
        return create()

    def carry_out() -> Answer:
        made = create()
        body = json.dumps(made.data, ensure_ascii=False)
        stored = secretbox.seal(body) if view.sealed else body
        return Answer(status=made.status_code, body=stored, etag=made.headers.get("ETag", ""))

    answer = answer_once(creation, carry_out, now=view.now)
    headers = {"ETag": answer.etag} if answer.etag else {}
    if answer.repeated:
        headers[REPLAYED] = "true"
    body = _unseal(answer.body) if view.sealed else answer.body
    return ApiResponse(json.loads(body), status=answer.status, headers=headers)


def _unseal(body: str) -> str:
    try:
        return secretbox.unseal(body)
    except InvalidToken:
        raise ApiError(
            "The first answer to this idempotency key cannot be decrypted: the server's"
            " SECRET_KEY has changed since; create again with a new key",
            status=409,
            code=20409,
        ) from None
