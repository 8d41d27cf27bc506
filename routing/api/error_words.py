"""Say of every error code what it means and how to repair it: for the description and its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """One error code, for whoever meets it.

    Arguments:
        example: a message as it could come with the code.
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
        "A parameter is missing, is not of its type, names something that is not in this workspace,"
        " or asks for what cannot be now, such as completing a task that nobody has. Nothing was"
        " changed.",
        "The message names the parameter, its value, and what would be right. Correct that and send"
        " the request again; repeating it unchanged does not help.",
        "The FriendlyName field is required",
    ),
    ErrorWords(
        14241,
        400,
        "The window begins too early",
        "Events and statistics are kept for a limited time (30 days, unless the operator set"
        " another), and StartDate lies before that.",
        "Ask for a later StartDate, or for the last minutes with Minutes.",
        "StartDate is '2020-01-01T00:00:00Z'; it must lie within the last 30 days",
    ),
    ErrorWords(
        40153,
        400,
        "Pages cannot be addressed by number",
        "Page was given without a PageToken. A number says nothing about where a page begins while"
        " rows come and go.",
        "Follow `next_page_url` of the page before, as it is, or begin with the first page.",
        "Page is 3 without a PageToken; pages cannot be addressed by number: follow next_page_url",
    ),
    ErrorWords(
        20003,
        401,
        "Nobody knows these credentials",
        "The request carries no credentials, or none that fit: the account or key does not exist,"
        " the token or secret is wrong, or the key was revoked.",
        "Send HTTP basic authentication: an account's sid and its auth token, or an API key's sid"
        " and its secret. `var/credentials.env` holds both after `make run`; an administrator can"
        " make new ones.",
        "Authenticate with HTTP basic: an account sid and its auth token, or the sid of an API key"
        " and its secret",
    ),
    ErrorWords(
        20101,
        401,
        "The token is not good",
        "What the worker SDK sends along is no token, or not one of ours: its signature, its"
        " algorithm, its key, account, workspace or worker is wrong, or its key was revoked.",
        "Make a new one, with an API key that is good: by POST …/Tokens, `manage.py token`, or the"
        " official libraries' AccessToken with a TaskRouterGrant.",
        "The token's key is unknown or revoked",
    ),
    ErrorWords(
        20104,
        401,
        "The token has expired",
        "The worker SDK sent a token whose time is over.",
        "Hand a new one to the SDK's updateToken when it says `tokenExpired`.",
        "The token has expired",
    ),
    ErrorWords(
        20403,
        403,
        "These credentials do not allow this",
        "An API key does not manage the account's auth tokens."
        " A worker's token changes that worker's activity and attributes, their offers, and the"
        " tasks they hold; it neither ranks nor cancels tasks, and a task on offer is not held yet."
        " A capability token changes what its policies allow, and none another workspace.",
        "For auth tokens, send the account's sid and an auth token. Else use the token of the"
        " worker it concerns, or one with the role supervisor or admin.",
        "This token does not allow it: it is for another worker",
    ),
    ErrorWords(
        20404,
        404,
        "There is nothing at this path",
        "The path is not one of the API's, or what it names does not exist, is gone, or belongs to"
        " another account or workspace.",
        "Compare the path with the API's description, and the sids with what lists show. Finished"
        " tasks are deleted when their time is over.",
        "The requested resource /v1/Workspaces/WS0/Tasks was not found",
    ),
    ErrorWords(
        20004,
        405,
        "This method is not possible here",
        "The path exists but does not answer to this method. Things are changed with POST: there is"
        " no PUT and no PATCH.",
        "The `Allow` header of the answer lists the methods that are possible.",
        "PUT is not possible on /v1/Workspaces",
    ),
    ErrorWords(
        20408,
        408,
        "The request took too long to arrive",
        "A request's head must arrive within 20 seconds, and its body at 2 kB a second or more.",
        "Send it again over a better connection, in one piece.",
        "The request's head must arrive within 20 seconds",
    ),
    ErrorWords(
        20409,
        409,
        "Something else was faster, or stands against it",
        "What the request builds on has changed in the same moment, or, for a grab, the worker may"
        " not have the task: `details.reason` says why. Nothing was changed.",
        "Read again and decide anew. For a grab, ask for the task's Explanation, which says for"
        " every worker what stands against it.",
        "The worker has no free slot on this channel",
    ),
    ErrorWords(
        20491,
        409,
        "The idempotency key was used for another request",
        "Within the last day this account has sent the key with another form, or to another path."
        " The creation that it was used for stands; this one was not carried out.",
        "Make a new key, such as a random UUID, for every creation, and use it again only to repeat"
        " that creation unchanged.",
        "The idempotency key was used for another request; use a new key for every creation",
    ),
    ErrorWords(
        20492,
        409,
        "A request with this idempotency key is being carried out",
        "Two requests with the same key came at once, and the first has not ended yet.",
        "Repeat the request unchanged after `Retry-After` seconds: it gets the first one's answer.",
        "A request with this idempotency key is being carried out; repeat it in a second",
    ),
    ErrorWords(
        20410,
        410,
        "The offer is gone",
        "The reservation was rescinded: the task was on offer to several workers, and another one"
        " accepted first.",
        "Nothing to repair: take the next offer.",
        "Reservation WR0 was rescinded",
    ),
    ErrorWords(
        20412,
        412,
        "It is not in the version you named",
        "The request carries If-Match, and the task, worker or reservation has another version by"
        " now. Nothing was changed.",
        "Read it again, look at what has changed, and send the request with the new ETag.",
        'If-Match is "3", but it has the version 4: read it again and decide anew',
    ),
    ErrorWords(
        20413,
        413,
        "The request's body is too large",
        "No request needs a body this large; the largest by far is a workflow's configuration.",
        "Send less: attributes may have 4,096 characters, a configuration 1,038,576 bytes.",
        "The request's body is too large; at most 2162688 bytes are allowed",
    ),
    ErrorWords(
        20415,
        415,
        "The body is of a type that is not read here",
        "Parameters are sent as a form, not as JSON or multipart.",
        "Send `Content-Type: application/x-www-form-urlencoded`, and each parameter as a field;"
        " attributes and configurations are fields whose text is JSON.",
        "Content-Type is 'application/json'; send the parameters as a form",
    ),
    ErrorWords(
        20429,
        429,
        "Too many requests",
        "The account has sent more requests than the operator of this server allows.",
        "Wait for as many seconds as `Retry-After` says, then go on; slow down where"
        " `X-Rate-Limit-Remaining` nears 0.",
        "Too many requests: at most 100 in a second; try again in 1 second",
    ),
    ErrorWords(
        20500,
        500,
        "An unexpected error",
        "Something is wrong with the server. It has been noted in its log.",
        "Try again; if it stays, tell the operator the id that the message names.",
        "An unexpected error has been noted as RQ0123456789abcdef0123456789abcdef; try again",
    ),
    ErrorWords(
        20501,
        501,
        "There is no telephone network here",
        "The instruction moves a call about (`call`, `conference`, `dequeue`, `redirect`,"
        " `supervise`), and this server has no calls. Its parameters were checked.",
        "Answer offers with `accept` or `reject`, and let your telephony act on the assignment"
        " callback or on events.",
        "The dequeue instruction needs a telephone network, and this server has none; accept and"
        " reject work",
    ),
    ErrorWords(
        20503,
        503,
        "The server is busy just now",
        "The database is busy or away, or too many requests wait already. Nothing was changed.",
        "Try again after as many seconds as `Retry-After` says, waiting longer each time.",
        "The database does not answer just now; try again",
    ),
)

BY_CODE: Final = {words.code: words for words in ERRORS}
OF_STATUS: Final = {words.status: words for words in reversed(ERRORS)}
"""The words of each status; of those with several codes, the first."""
