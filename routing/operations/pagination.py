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

from django.db import models as db
from django.db.models import QuerySet

from routing.operations.errors import ApiError
from routing.operations.keysets import Key, Order, Token, load_first_rows, sort_key

Row = TypeVar("Row", bound=db.Model)
RowFilter = Callable[[Sequence[Any]], Sequence[Any]]
"""Filter a batch of rows in Python, where SQL cannot."""

BATCH: Final = 500
MAX_BATCHES: Final = 20
"""Batches that one request scans for matching rows: at most 10,000 rows."""
SCAN_SECONDS: Final = 0.4
"""Seconds that a request scans before it ends the page and gives a token."""
SLICE_SECONDS: Final = 0.02
"""Target seconds for filtering one slice of a batch; the clock is checked after each slice."""
_FIRST_SLICE: Final = 8


@dataclass(frozen=True, slots=True)
class PageRequest:
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


def load_page(
    rows: QuerySet[Row],
    wanted: PageRequest,
    order: Order,
    *,
    indexed: bool = True,
    accept: RowFilter | None = None,
    scanned_columns: Sequence[str] = (),
) -> Page[Row]:
    """Load one page.

    Arguments:
        indexed: there is an index in exactly this order, so that no sorting is needed.
        accept: a filter evaluated in Python. Rows are then read in batches until the page is
            full, `MAX_BATCHES` were read or `SCAN_SECONDS` have passed. So a page may be short or
            empty without being the last.
        scanned_columns: what `accept` and the order read. Only these columns are loaded then, and
            accepted rows are loaded again. Without any, all columns are.
    """
    token = wanted.token
    backwards = token is not None and token.backwards
    if accept is None:
        found = load_first_rows(rows, order, token, wanted.size + 1, indexed)
        stopped = None
    else:
        scanned = _load_only(rows, scanned_columns) if scanned_columns else rows
        found, stopped = _scan(scanned, order, token, accept, wanted.size + 1, indexed)
        if scanned_columns:
            found = _load_again(rows, found)
    more = len(found) > wanted.size
    found = found[: wanted.size]
    ends = [sort_key(row, order) for row in found]
    if backwards:
        found.reverse()
        ends.reverse()
    # The key at the far end of the scan: the last row's, or where an unfinished scan stopped.
    beyond = (ends[0] if backwards else ends[-1]) if more else stopped
    behind = None if token is None else _entry_key(ends, token)
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


def _load_only(rows: QuerySet[Row], columns: Sequence[str]) -> QuerySet[Row]:
    """Return rows with these columns only, of which some belong to relations."""
    relations = {relation for relation, joint, _ in (c.partition("__") for c in columns) if joint}
    return rows.select_related(None).select_related(*relations).only(*columns)


def _load_again(rows: QuerySet[Row], found: Sequence[Row]) -> list[Row]:
    """Return these rows with all that a page shows, without those deleted since."""
    loaded = rows.order_by().in_bulk([row.pk for row in found])
    return [loaded[row.pk] for row in found if row.pk in loaded]


def _entry_key(ends: Sequence[Key], token: Token) -> Key:
    """Return the key of the row by which a page was entered, for the link back."""
    if not ends:
        return token.key
    return ends[-1] if token.backwards else ends[0]


def _scan(
    rows: QuerySet[Row],
    order: Order,
    token: Token | None,
    accept: RowFilter,
    count: int,
    indexed: bool,
) -> tuple[list[Row], Key | None]:
    """Return the first `count` accepted rows, and where the scan stopped if it did not finish."""
    found: list[Row] = []
    give_up_at = time.monotonic() + SCAN_SECONDS
    size = _FIRST_SLICE
    for _ in range(MAX_BATCHES):
        batch = load_first_rows(rows, order, token, BATCH, indexed)
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
                return found, sort_key(batch[done - 1], order)
            # Filtering one row may take microseconds or milliseconds.
            size = size * 2 if now - began_at < SLICE_SECONDS / 2 else max(size // 2, 1)
        if is_last:
            return found, None
        token = Token(sort_key(batch[-1], order), backwards=bool(token and token.backwards))
    return found, None if token is None else token.key


def _signature(order: Order) -> str:
    return ",".join(("-" if c.descending else "") + c.column for c in order)


def encode_token(token: Token, order: Order) -> str:
    """Return a token in the form that clients carry; it names its order."""
    content = [_signature(order), int(token.backwards), *token.key]
    return "PA" + base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def decode_token(text: str, order: Order) -> Token:
    """Return the token that a client sent back, if it belongs to this order."""
    try:
        raw = base64.b64decode(text[2:] + "=" * (-len(text[2:]) % 4), b"-_", validate=True)
        signature, backwards, *key = json.loads(raw)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _invalid_token(text) from None
    known = (
        text[:2] == "PA"
        and signature == _signature(order)
        and backwards in (0, 1)
        and len(key) == len(order)
        and all(type(part) is int and abs(part) < 2**53 for part in key)
    )
    if not known:
        raise _invalid_token(text)
    return Token(tuple(key), backwards=bool(backwards))


def _invalid_token(text: str) -> ApiError:
    return ApiError(
        f"PageToken is {text[:60]!r}, which is not a token of this list in this order; follow"
        " next_page_url unchanged, or begin with the first page"
    )
