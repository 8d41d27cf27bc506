"""Errors that an operation raises: what a client reads, with a status and a code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

BAD_INPUT: Final = 20001


class ApiError(Exception):
    """An error answer to a request.

    Arguments:
        status: the HTTP status.
        code: the number by which clients tell errors apart.
        details: machine-readable details, beside the message.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: int = BAD_INPUT,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.details = details
        self.headers = headers or {}


class NotFound(ApiError):
    """The path names nothing that belongs to this account."""

    def __init__(self, path: str) -> None:
        super().__init__(f"The requested resource {path} was not found", status=404, code=20404)
