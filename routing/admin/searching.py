"""Search rows by words, in bounded time.

No index covers the words of attributes. So the newest rows are scanned, up to a number of rows and
a time limit. The page shows a note if the search was incomplete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet

from routing import subjects

MOST_ROWS: Final = 20_000
MOST_FOUND: Final = 500
LONGEST_SECONDS: Final = 1.0
MOST_WORDS: Final = 8
CHUNK_ROWS: Final = 500

Texts = Callable[[list[Any]], Iterable[tuple[int, Iterable[str]]]]
"""Return the id and the searchable texts of each row in a batch."""


@dataclass(slots=True)
class ScanResult:
    """The result of a search."""

    pks: list[int] = field(default_factory=list)
    scanned: int = 0
    is_complete: bool = True


def split_words(term: str) -> list[str]:
    """Return the words of a search; a row must contain all of them."""
    return term.casefold().split()[:MOST_WORDS]


def scan_rows(
    rows: QuerySet[Any],
    columns: tuple[str, ...],
    texts: Texts,
    words: list[str],
    *,
    most_found: int = MOST_FOUND,
    clock: Callable[[], float] = time.monotonic,
) -> ScanResult:
    """Return the newest rows whose texts contain all the words."""
    found = ScanResult()
    end = clock() + LONGEST_SECONDS
    for chunk in _chunks(rows.order_by("-pk"), columns):
        for pk, parts in texts(chunk):
            found.scanned += 1
            text = "\n".join(parts).casefold()
            if all(word in text for word in words):
                found.pks.append(pk)
        if len(found.pks) >= most_found or found.scanned >= MOST_ROWS or clock() >= end:
            found.pks = found.pks[:most_found]
            found.is_complete = len(chunk) < CHUNK_ROWS
            break
    return found


def _chunks(rows: QuerySet[Any], columns: tuple[str, ...]) -> Iterator[list[Any]]:
    """Load rows in batches by descending id."""
    after: int | None = None
    while True:
        batch = rows if after is None else rows.filter(pk__lt=after)
        chunk = list(batch.values_list("pk", *columns)[:CHUNK_ROWS])
        yield chunk
        if len(chunk) < CHUNK_ROWS:
            return
        after = chunk[-1][0]


def attribute_texts(attributes: str | None) -> Iterator[str]:
    """Yield every value in a row's attributes."""
    return subjects.list_texts(dict(subjects.parse_attributes(attributes or "{}")))
