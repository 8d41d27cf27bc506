"""Answer failed requests: turn every exception into the error body that clients read."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from django.core.exceptions import (
    DisallowedHost,
    ObjectDoesNotExist,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.log import log_response

from routing import request_ids
from routing.actions.idempotency import KeyInUse, KeyReused
from routing.actions.support.errors import (
    ActionError,
    InvalidInput,
    NotEligible,
    Rescinded,
    StaleState,
)
from routing.operations.errors import ApiError, NotFound
from routing.operations.parameters import parameter_name

logger = logging.getLogger(__name__)

_UNQUOTED = re.compile(r"[^'\"“\n]*")


def answer_error(
    request: HttpRequest, error: Exception, *, conditional: bool = False
) -> HttpResponse:
    """Return the response to a failed request; unexpected errors are logged once.

    Arguments:
        conditional: whether the client sent If-Match.
    """
    described = describe_error(request, error, conditional=conditional)
    response = _response(request, described)
    if described.code == 20500:
        log_response(
            "Internal Server Error: %s",
            request.path,
            response=response,
            request=request,
            exception=error,
        )
    elif isinstance(error, DatabaseError | InterfaceError | ObjectDoesNotExist):
        logger.warning("%s %s: %s", request.method, request.path, error)
    # Either logged above or not worth logging. Django logs every 5xx that is not marked.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def describe_error(request: HttpRequest, error: Exception, *, conditional: bool) -> ApiError:
    """Return the client's view of an exception. No other code maps exceptions to answers."""
    match error:
        case ApiError():
            return error
        case ActionError():
            return _describe_action_error(error, conditional=conditional)
        case RequestDataTooBig():
            return ApiError("The request's body is too large", status=413, code=20413)
        case UnreadablePostError():
            return ApiError("The request's body ended before it was complete")
        case DisallowedHost():
            return ApiError(
                "The Host header does not name this server; the operator must list the name in"
                " ALLOWED_HOSTS"
            )
        case SuspiciousOperation():
            return ApiError("The request is malformed")
        case IntegrityError() | ObjectDoesNotExist():
            return ApiError(
                "Something that the request refers to was changed by another request; try again",
                status=409,
                code=20409,
            )
        case OperationalError() | InterfaceError():
            return ApiError(
                "The database does not answer; try again",
                status=503,
                code=20503,
                headers={"Retry-After": "1"},
            )
    return _unexpected_error()


def _describe_action_error(error: ActionError, *, conditional: bool) -> ApiError:
    match error:
        case InvalidInput():
            return ApiError(_name_parameters(error))
        case Rescinded():
            return ApiError(error.message, status=410, code=20410)
        case KeyReused():
            return ApiError(error.message, status=409, code=20491)
        case KeyInUse():
            return ApiError(error.message, status=409, code=20492, headers={"Retry-After": "1"})
        case NotEligible():
            return ApiError(
                error.message, status=409, code=20409, details={"reason": error.refusal.value}
            )
        case StaleState() if conditional:
            return ApiError(_sentence(error.message), status=412, code=20412)
        case StaleState():
            return ApiError(_sentence(error.message), status=409, code=20409)
    return ApiError(_sentence(error.message))


def _name_parameters(error: InvalidInput) -> str:
    """Replace argument names by the client's parameter names, and name the one at fault.

    Only our own wording is changed: the first mention of each argument, before any quoted value.
    """
    own = _UNQUOTED.match(error.message)
    head = own[0] if own else ""
    tail = error.message[len(head) :]
    for name in (error.field, *error.mentions):
        head = re.sub(rf"\b{re.escape(name)}\b", parameter_name(name), head, count=1)
    field = parameter_name(error.field)
    return _sentence(head + tail) if field in head else f"{field}: {head}{tail}"


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]


def error_body(request: HttpRequest, error: ApiError) -> dict[str, Any]:
    """Return the error body, which never has keys named `type` or `title`."""
    found: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "more_info": _more_info(request, error.code),
        "status": error.status,
    }
    if error.details is not None:
        found["details"] = error.details
    return found


def _more_info(request: HttpRequest, code: int) -> str:
    path = f"/docs/errors/{code}"
    try:
        return request.build_absolute_uri(path)
    except DisallowedHost:
        return path


def _response(request: HttpRequest, error: ApiError) -> HttpResponse:
    return HttpResponse(
        json.dumps(error_body(request, error), ensure_ascii=False),
        content_type="application/json",
        status=error.status,
        headers=dict(error.headers),
    )


def answer_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a path without a resource: for `handler404`, and the last of the API's own paths."""
    return answer_error(request, NotFound(request.path))


def answer_bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that Django refused before any view ran: for `handler400`."""
    return answer_error(request, exception or ApiError("The request is malformed"))


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Answer a request that failed outside the views: for `handler500`, which has logged it."""
    return _response(request, _unexpected_error())


def _unexpected_error() -> ApiError:
    """Return the answer to an internal error, with the id under which it was logged."""
    request_id = request_ids.current_request_id()
    noted = f"noted as {request_id}" if request_id else "noted"
    return ApiError(f"An unexpected error has been {noted}; try again", status=500, code=20500)
