"""Parse an SDK request: a method and a path of the API, in the body of a POST."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing.operations.errors import ApiError
from routing.operations.forms import Form, parse_json

LONGEST_BODY: Final = 256 * 1024
MAX_PARAMS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One request of the SDK.

    Arguments:
        path: the path without host, version and outer slashes.
        params: the query of a GET, the form of a POST, with the types of JSON.
        if_match: the version that a change requires; empty means any.
    """

    method: str
    path: str
    params: Mapping[str, Any]
    token: object
    if_match: str = ""

    @property
    def said(self) -> Mapping[str, str]:
        """Return the parameters as text, without those that are null."""
        return {name: _text(value) for name, value in self.params.items() if value is not None}

    @property
    def form(self) -> Form:
        """Return the parameters as a form."""
        return {name: [value] for name, value in self.said.items()}

    @property
    def digest(self) -> str:
        """Return the token's digest, for places where the token must not appear."""
        return digest(self.token)


def parse_envelope(body: bytes, *, if_match: str = "") -> Envelope:
    """Parse a JSON body, whatever its Content-Type. Raises `ApiError`."""
    said = parse_json(body)
    if not isinstance(said, dict):
        raise ApiError("The request's body must be an object with url, method, params and token")
    url, method, params = said.get("url"), said.get("method"), said.get("params")
    if not isinstance(url, str) or not isinstance(method, str) or len(url) > 1_000:
        raise ApiError("The request must have a url and a method, both of them texts")
    if params is not None and not isinstance(params, dict):
        raise ApiError("The params of a request must be an object")
    if params and len(params) > MAX_PARAMS:
        raise ApiError(f"The request has {len(params)} params; at most {MAX_PARAMS} are allowed")
    return Envelope(
        method=method.upper(),
        path=url.strip("/"),
        params=params or {},
        token=said.get("token"),
        if_match=if_match,
    )


def digest(token: object) -> str:
    """Return a token's digest, for places where the token must not appear."""
    return hashlib.sha256(str(token).encode()).hexdigest()[:32]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
