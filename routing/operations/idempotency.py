"""Read a client's idempotency key, which lets it repeat a creation safely."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from routing import models
from routing.actions.idempotency import Creation
from routing.operations.errors import ApiError
from routing.operations.forms import Form

HEADERS: Final = ("I-Twilio-Idempotency-Token", "Idempotency-Key")
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


def identify_creation(
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
