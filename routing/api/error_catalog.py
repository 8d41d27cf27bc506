"""Explain every error code and how to fix it, for the API description and the error pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """One error code and its explanation.

    Arguments:
        example: an example of a message with this code.
    """

    code: int
    status: int
    title: str
    meaning: str
    repair: str
    example: str


ERRORS: Final = (
    ErrorWords(
        20001,
        400,
        "The request cannot be carried out as it is",
        "A parameter is missing, has the wrong type, names something outside this workspace,"
        " or asks for something that the current state forbids, such as completing a task that no"
        " worker has accepted. Nothing was changed.",
        "The message names the parameter, its value, and what would be right. Correct it and send"
        " the request again. Repeating it unchanged does not help.",
        "The FriendlyName field is required",
    ),
    ErrorWords(
        14241,
        400,
        "The time window begins too early",
        "Events and statistics are kept for a limited time (30 days by default), and"
        " StartDate is earlier than that.",
        "Use a later StartDate, or use Minutes for the last minutes.",
        "StartDate is '2020-01-01T00:00:00Z'; it must lie within the last 30 days",
    ),
    ErrorWords(
        40153,
        400,
        "Pages cannot be addressed by number",
        "Page was given without a PageToken. A page number alone is ambiguous, because rows are"
        " added and removed between requests.",
        "Follow `next_page_url` of the previous page unchanged, or begin with the first page.",
        "Page is 3 without a PageToken; pages cannot be addressed by number: follow next_page_url",
    ),
    ErrorWords(
        20003,
        401,
        "Authentication failed",
        "The request has no credentials, or wrong ones: the account or key does not exist,"
        " the token or secret is wrong, or the key was revoked.",
        "Send HTTP basic authentication: an account's sid and its auth token, or an API key's sid"
        " and its secret. `var/credentials.env` holds both after `make run`; an administrator can"
        " create new ones.",
        "Authenticate with HTTP basic: an account sid and its auth token, or the sid of an API key"
        " and its secret",
    ),
    ErrorWords(
        20101,
        401,
        "The token is invalid",
        "The worker SDK sent something that is not a token of this server: its signature,"
        " algorithm, key, account, workspace or worker is wrong, or its key was revoked.",
        "Create a new one with a valid API key: by POST …/Tokens, `manage.py token`, or the"
        " official libraries' AccessToken with a TaskRouterGrant.",
        "The token's key is unknown or revoked",
    ),
    ErrorWords(
        20104,
        401,
        "The token has expired",
        "The worker SDK sent an expired token.",
        "Pass a new one to the SDK's updateToken when it emits `tokenExpired`.",
        "The token has expired",
    ),
    ErrorWords(
        20403,
        403,
        "These credentials do not allow this",
        "An API key may not manage the account's auth tokens."
        " A worker's token may change that worker's activity and attributes, their offers, and the"
        " tasks they hold. It may not prioritize or cancel tasks; a task on offer is not held yet."
        " A capability token may do what its policies allow. No token reaches another workspace.",
        "For auth tokens, send the account's sid and an auth token. Otherwise use the token of the"
        " worker concerned, or one with the role supervisor or admin.",
        "This token does not allow it: it is for another worker",
    ),
    ErrorWords(
        20404,
        404,
        "Not found",
        "The path is not part of the API, or what it names does not exist, was deleted, or belongs"
        " to"
        " another account or workspace.",
        "Compare the path with the API's description, and the sids with those in lists. Finished"
        " tasks are deleted after their retention time.",
        "The requested resource /v1/Workspaces/WS0/Tasks was not found",
    ),
    ErrorWords(
        20004,
        405,
        "Method not allowed",
        "The path exists but does not support this method. Changes are made with POST: there is"
        " no PUT and no PATCH.",
        "The `Allow` header of the answer lists the allowed methods.",
        "PUT is not possible on /v1/Workspaces",
    ),
    ErrorWords(
        20408,
        408,
        "The request took too long to arrive",
        "A request's head must arrive within 20 seconds, and its body at 2 kB a second or more.",
        "Send it again over a better connection.",
        "The request's head must arrive within 20 seconds",
    ),
    ErrorWords(
        20409,
        409,
        "Conflict with another change or with the current state",
        "The data was changed by another request at the same time, or, for a grab, the worker may"
        " not have the task: `details.reason` says why. Nothing was changed.",
        "Read the resource again, then decide again. For a grab, fetch the task's Explanation: for"
        " every worker it gives the reason against it.",
        "The worker has no free slot on this channel",
    ),
    ErrorWords(
        20491,
        409,
        "The idempotency key was used for another request",
        "Within the last day this account sent the key with another form or to another path."
        " That first creation is unaffected; this request was not carried out.",
        "Use a new key, such as a random UUID, for every creation. Reuse it only to repeat"
        " that creation unchanged.",
        "The idempotency key was used for another request; use a new key for every creation",
    ),
    ErrorWords(
        20492,
        409,
        "A request with this idempotency key is being carried out",
        "Two requests with the same key arrived at once, and the first is still running.",
        "Repeat the request unchanged after `Retry-After` seconds: it gets the first one's answer.",
        "A request with this idempotency key is being carried out; repeat it in a second",
    ),
    ErrorWords(
        20410,
        410,
        "The offer was rescinded",
        "The reservation was rescinded: the task was on offer to several workers, and another one"
        " accepted first.",
        "There is nothing to fix: wait for the next offer.",
        "Reservation WR0 was rescinded",
    ),
    ErrorWords(
        20412,
        412,
        "The resource has another version",
        "The request has an If-Match header, and the task, worker or reservation has another"
        " version. Nothing was changed.",
        "Read it again, check what has changed, and send the request with the new ETag.",
        'If-Match is "3", but it has the version 4: read it again before you change it',
    ),
    ErrorWords(
        20413,
        413,
        "The request's body is too large",
        "No request needs a body this large. The largest is a workflow's configuration.",
        "Send less: attributes may have 4,096 characters, a configuration 1,038,576 bytes.",
        "The request's body is too large; at most 2162688 bytes are allowed",
    ),
    ErrorWords(
        20415,
        415,
        "Unsupported content type",
        "Parameters must be sent as a form, not as JSON or multipart.",
        "Send `Content-Type: application/x-www-form-urlencoded`, and each parameter as a field;"
        " attributes and configurations are fields whose text is JSON.",
        "Content-Type is 'application/json'; send the parameters as a form",
    ),
    ErrorWords(
        20429,
        429,
        "Too many requests",
        "The account has sent more requests than the operator of this server allows.",
        "Wait for the seconds in `Retry-After`, then continue. Slow down when"
        " `X-Rate-Limit-Remaining` approaches 0.",
        "Too many requests: at most 100 in a second; try again in 1 second",
    ),
    ErrorWords(
        20500,
        500,
        "Unexpected error",
        "The server has a fault. It was written to the server's log.",
        "Try again. If it happens again, give the operator the id in the message.",
        "An unexpected error has been noted as RQ0123456789abcdef0123456789abcdef; try again",
    ),
    ErrorWords(
        20501,
        501,
        "No telephone network",
        "The instruction controls a telephone call (`call`, `conference`, `dequeue`, `redirect`,"
        " `supervise`), and this server has no calls. Its parameters were checked.",
        "Answer offers with `accept` or `reject`, and let your telephony react to the assignment"
        " callback or to events.",
        "The dequeue instruction needs a telephone network, and this server has none; accept and"
        " reject work",
    ),
    ErrorWords(
        20503,
        503,
        "The server is busy",
        "The database is busy or unreachable, or too many requests are waiting. Nothing was"
        " changed.",
        "Try again after the seconds in `Retry-After`, and wait longer each time.",
        "The database does not answer; try again",
    ),
)

BY_CODE: Final = {words.code: words for words in ERRORS}
OF_STATUS: Final = {words.status: words for words in reversed(ERRORS)}
"""The explanation of each status; the first one if a status has several codes."""
