"""Handle the SDK's POSTs: one URL, the request in the body, the answer in a `payload`."""

from __future__ import annotations

import json
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from routing import tokens
from routing.operations import error_answers, rate_limits
from routing.operations.errors import ApiError
from routing.sdk import envelope, handlers, list_notices, permissions

ALLOWED_HEADERS: Final = (
    "apiVersion, clientVersion, If-Match, Content-Type, Accept, Idempotency-Key,"
    " I-Twilio-Idempotency-Token"
)
_METHODS: Final = "POST, OPTIONS"


@csrf_exempt
def wschannels(
    request: HttpRequest, account_sid: str | None = None, channel: str | None = None
) -> HttpResponseBase:
    """Handle an SDK request. Any origin is allowed, as only the token authenticates."""
    try:
        response = _answered(request, account_sid, channel)
    except Exception as error:
        conditional = bool(request.headers.get("If-Match"))
        response = error_answers.answer_error(request, error, conditional=conditional)
    response["Access-Control-Allow-Origin"] = "*"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _answered(request: HttpRequest, account_sid: str | None, channel: str | None) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(
            status=204,
            headers={
                "Allow": _METHODS,
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": ALLOWED_HEADERS,
                "Access-Control-Max-Age": "600",
            },
        )
    if request.method != "POST":
        raise ApiError(
            "The worker SDK's bridge answers to POST, and to websockets",
            status=405,
            code=20004,
            headers={"Allow": _METHODS},
        )
    call = envelope.parse_envelope(_body(request), if_match=request.headers.get("If-Match", ""))
    grant = verified(call.token)
    use = rate_limits.count_request(grant.account.sid, now=timezone.now().timestamp())
    if use is not None:
        use.check()
    if account_sid is not None and not grant.serves(account_sid, channel):
        raise permissions.forbidden("it is for another account or channel")
    version = list_notices.find_read_version(grant, call)
    payload, handled = handlers.handle_request(grant, call, request.META)
    list_notices.record_read(handled, payload, version=version)
    return HttpResponse(
        json.dumps({"payload": payload}, ensure_ascii=False), content_type="application/json"
    )


def verified(token: object) -> tokens.Grant:
    """Return what a token grants; raises `ApiError` if it is invalid."""
    try:
        return tokens.verify_token(token, now=timezone.now())
    except tokens.TokenExpired as error:
        raise ApiError(str(error), status=401, code=20104) from None
    except tokens.TokenRefused as error:
        raise ApiError(str(error), status=401, code=20101) from None


def _body(request: HttpRequest) -> bytes:
    """Return the raw body; its Content-Type says that it is a form, but it is JSON."""
    body = request.read(envelope.LONGEST_BODY + 1)
    if len(body) > envelope.LONGEST_BODY:
        raise ApiError(
            f"The request's body is too large; at most {envelope.LONGEST_BODY} bytes are allowed",
            status=413,
            code=20413,
        )
    return body
