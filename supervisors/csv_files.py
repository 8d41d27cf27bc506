"""CSV files that spreadsheets open as text: no cell of a customer is taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.http import StreamingHttpResponse

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def guard_cell(value: object) -> object:
    """Return a cell; a text that a spreadsheet might run gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def stream_csv(name: str, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Any:
    """Return an answer that streams a file, in UTF-8 with a byte order mark."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff"
        yield writer.writerow(list(header))
        for row in rows:
            yield writer.writerow([guard_cell(value) for value in row])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
