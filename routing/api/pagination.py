"""Page through lists, correctly even while rows are added and removed.

A page token holds the sort key of the row at which its page begins or ends, not an offset. Every
page costs the same, and added or removed rows shift nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from django.db import models as db
from django.db.models import QuerySet
from django.http import HttpRequest

from routing.api import inputs
from routing.api.errors import ApiError
from routing.api.keysets import OLDEST_FIRST as OLDEST_FIRST
from routing.api.keysets import Clause as Clause
from routing.api.keysets import Key as Key
from routing.api.keysets import Order as Order
from routing.api.keysets import Token as Token
from routing.api.keysets import first
from routing.api.keysets import key_of as key_of
from routing.api.parsers import Form

Row = TypeVar("Row", bound=db.Model)
Accept = Callable[[Sequence[Any]], Sequence[Any]]
"""Filter a batch of rows in Python, where SQL cannot."""

MAX_PAGE_SIZE: Final = 1_000
DEFAULT_PAGE_SIZE: Final = 50
BATCH: Final = 500
MAX_BATCHES: Final = 20
"""Batches that one request scans for matching rows: at most 10,000 rows."""
SCAN_SECONDS: Final = 1.0
"""Seconds that a request scans before it ends the page and gives a token."""
SLICE_SECONDS: Final = 0.02
"""Target seconds for filtering one slice of a batch; the clock is checked after each slice."""
_FIRST_SLICE: Final = 8

PARAMS: Final = (
    inputs.whole("PageSize").says(
        f"The number of items on a page; values above {MAX_PAGE_SIZE} count as {MAX_PAGE_SIZE}.",
        DEFAULT_PAGE_SIZE,
        minimum=1,
        maximum=MAX_PAGE_SIZE,
        default=DEFAULT_PAGE_SIZE,
    ),
    inputs.whole("Page").says(
        "The page's number, for display only; above 0 only together with PageToken.",
        minimum=0,
        default=0,
    ),
    inputs.text("PageToken").says(
        "The start of the page, taken from `next_page_url` or `previous_page_url`."
    ),
)
_OWN: Final = frozenset(param.name for param in PARAMS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The page that a request asks for."""

    size: int
    number: int
    token: Token | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of a page, and the tokens of its neighbours if any."""

    rows: Sequence[Row]
    before: Token | None
    after: Token | None


def wanted(form: Form, order: Order) -> Wanted:
    """Read the page that a request asks for."""
    given = inputs.read(PARAMS, form)
    size, number = given.get("page_size", DEFAULT_PAGE_SIZE), given.get("page", 0)
    if size < 1:
        raise ApiError(f"PageSize is {size}; it must be a whole number from 1 to {MAX_PAGE_SIZE}")
    if number < 0:
        raise ApiError(f"Page is {number}; it must be a whole number from 0 on")
    token = given.get("page_token")
    if number and token is None:
        raise ApiError(
            f"Page is {number} without a PageToken; pages cannot be addressed by number: follow"
            " next_page_url",
            code=40153,
        )
    return Wanted(
        size=min(size, MAX_PAGE_SIZE),
        number=number,
        token=None if token is None else decode(token, order),
    )


def page(
    rows: QuerySet[Row],
    wanted: Wanted,
    order: Order,
    *,
    indexed: bool = True,
    accept: Accept | None = None,
) -> Page[Row]:
    """Load one page.

    Arguments:
        indexed: there is an index in exactly this order, so that no sorting is needed.
        accept: a filter evaluated in Python. Rows are then read in batches until the page is
            full, `MAX_BATCHES` were read or `SCAN_SECONDS` have passed. So a page may be short or
            empty without being the last.
    """
    token = wanted.token
    backwards = token is not None and token.backwards
    if accept is None:
        found = first(rows, order, token, wanted.size + 1, indexed)
        stopped = None
    else:
        found, stopped = _scan(rows, order, token, accept, wanted.size + 1, indexed)
    more = len(found) > wanted.size
    found = found[: wanted.size]
    ends = [key_of(row, order) for row in found]
    if backwards:
        found.reverse()
        ends.reverse()
    # The key at the far end of the scan: the last row's, or where an unfinished scan stopped.
    beyond = (ends[0] if backwards else ends[-1]) if more else stopped
    behind = None if token is None else _entry(ends, token)
    if backwards:
        return Page(
            found,
            before=None if beyond is None else Token(beyond, backwards=True),
            after=None if behind is None else Token(behind),
        )
    return Page(
        found,
        before=None if behind is None else Token(behind, backwards=True),
        after=None if beyond is None else Token(beyond),
    )


def _entry(ends: Sequence[Key], token: Token) -> Key:
    """Return the key of the row by which a page was entered, for the link back."""
    if not ends:
        return token.key
    return ends[-1] if token.backwards else ends[0]


def _scan(
    rows: QuerySet[Row],
    order: Order,
    token: Token | None,
    accept: Accept,
    count: int,
    indexed: bool,
) -> tuple[list[Row], Key | None]:
    """Return the first `count` accepted rows, and where the scan stopped if it did not finish."""
    found: list[Row] = []
    give_up_at = time.monotonic() + SCAN_SECONDS
    size = _FIRST_SLICE
    for _ in range(MAX_BATCHES):
        batch = first(rows, order, token, BATCH, indexed)
        is_last = len(batch) < BATCH
        done = 0
        while done < len(batch):
            began_at = time.monotonic()
            part = batch[done : done + size]
            found.extend(accept(part))
            done += len(part)
            if len(found) >= count or (is_last and done == len(batch)):
                return found, None
            now = time.monotonic()
            if now >= give_up_at:
                return found, key_of(batch[done - 1], order)
            # Filtering one row may take microseconds or milliseconds.
            size = size * 2 if now - began_at < SLICE_SECONDS / 2 else max(size // 2, 1)
        if is_last:
            return found, None
        token = Token(key_of(batch[-1], order), backwards=bool(token and token.backwards))
    return found, None if token is None else token.key


def _signature(order: Order) -> str:
    return ",".join(("-" if c.descending else "") + c.column for c in order)


def encode(token: Token, order: Order) -> str:
    """Return a token in the form that clients carry; it names its order."""
    content = [_signature(order), int(token.backwards), *token.key]
    return "PA" + base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def decode(text: str, order: Order) -> Token:
    """Return the token that a client sent back, if it belongs to this order."""
    try:
        raw = base64.b64decode(text[2:] + "=" * (-len(text[2:]) % 4), b"-_", validate=True)
        signature, backwards, *key = json.loads(raw)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _foreign(text) from None
    known = (
        text[:2] == "PA"
        and signature == _signature(order)
        and backwards in (0, 1)
        and len(key) == len(order)
        and all(type(part) is int and abs(part) < 2**53 for part in key)
    )
    if not known:
        raise _foreign(text)
    return Token(tuple(key), backwards=bool(backwards))


def _foreign(text: str) -> ApiError:
    return ApiError(
        f"PageToken is {text[:60]!r}, which is not a token of this list in this order; follow"
        " next_page_url unchanged, or begin with the first page"
    )


def envelope(
    request: HttpRequest,
    form: Form,
    *,
    key: str,
    items: Sequence[dict[str, Any]],
    wanted: Wanted,
    page: Page[Any],
    order: Order,
) -> dict[str, Any]:
    """Return the body of a list: its items and the links to other pages."""
    kept = [(name, value) for name, values in form.items() if name not in _OWN for value in values]

    def url(number: int, token: Token | None) -> str:
        query = [*kept, ("PageSize", wanted.size), ("Page", number)]
        if token is not None:
            query.append(("PageToken", encode(token, order)))
        return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")

    before, after = page.before, page.after
    return {
        key: items,
        "meta": {
            "key": key,
            "page": wanted.number,
            "page_size": wanted.size,
            "first_page_url": url(0, None),
            "previous_page_url": before and url(max(wanted.number - 1, 0), before),
            "url": url(wanted.number, wanted.token),
            "next_page_url": after and url(wanted.number + 1, after),
        },
    }
