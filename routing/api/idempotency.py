"""Read a client's idempotency key, and answer a repeated creation with the first answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import InvalidToken
from rest_framework.response import Response

from routing import models, secretbox
from routing.actions.idempotency import Answer, Creation, answer_once
from routing.api.errors import ApiError
from routing.api.parsers import Form

if TYPE_CHECKING:
    from routing.api.base import Resource

HEADERS: Final = ("I-Twilio-Idempotency-Token", "Idempotency-Key")
REPLAYED: Final = "Idempotent-Replayed"
"""The response header that marks a replayed answer."""
KEY_LIMIT: Final = 255
_META: Final = tuple((name, f"HTTP_{name.upper().replace('-', '_')}") for name in HEADERS)
KEY_PATTERN: Final = rf"[!-~]{{1,{KEY_LIMIT}}}"
_KEY: Final = re.compile(KEY_PATTERN)


def read_key(meta: Mapping[str, Any]) -> str | None:
    """Return the key in a request's headers, if any; raises `ApiError`."""
    keys = {}
    for name, variable in _META:
        if (value := meta.get(variable)) is not None:
            if not _KEY.fullmatch(value):
                raise ApiError(
                    f"{name} must have 1 to {KEY_LIMIT} visible ASCII characters, such as a UUID"
                )
            keys[name] = value
    if len(set(keys.values())) > 1:
        raise ApiError(f"{' and '.join(HEADERS)} differ; send one of them")
    return next(iter(keys.values()), None)


def once(resource: Resource, create: Callable[[], Response]) -> Response:
    """Run a creation; with an idempotency key, a repetition gets the first answer."""
    asked = creation(
        resource.request.META,
        account=resource.caller.account,
        path=resource.request.path,
        form=lambda: resource.form,
    )
    if asked is None:
        return create()

    def carry_out() -> Answer:
        made = create()
        body = json.dumps(made.data, ensure_ascii=False)
        stored = secretbox.seal(body) if resource.sealed else body
        return Answer(status=made.status_code, body=stored, etag=made.headers.get("ETag", ""))

    answer = answer_once(asked, carry_out, now=resource.now)
    headers = {"ETag": answer.etag} if answer.etag else {}
    if answer.repeated:
        headers[REPLAYED] = "true"
    body = _unsealed(answer.body) if resource.sealed else answer.body
    return Response(json.loads(body), status=answer.status, headers=headers)


def _unsealed(body: str) -> str:
    try:
        return secretbox.unseal(body)
    except InvalidToken:
        raise ApiError(
            "The first answer to this idempotency key cannot be decrypted: the server's"
            " SECRET_KEY has changed since; create again with a new key",
            status=409,
            code=20409,
        ) from None


def creation(
    meta: Mapping[str, Any],
    *,
    account: models.Account,
    path: str,
    form: Callable[[], Form],
    scope: str = "",
) -> Creation | None:
    """Return what identifies a creation, if the request's headers have a key.

    Repetitions have the same key, path and form.
    """
    key = read_key(meta)
    if key is None:
        return None
    said = json.dumps([path, sorted(form().items())])
    digest = hashlib.sha256(said.encode()).hexdigest()
    return Creation(account=account, scope=scope, key=key, digest=digest)
