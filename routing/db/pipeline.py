"""Send statements in one round trip, and read their results later."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection


def cursor() -> Any:
    """Return a cursor for statements with constant text, which the server can plan once.

    Only parameters may differ, and they are passed separately from the text.
    """
    prepared: Callable[[], Any] = getattr(connection, "prepared_cursor", connection.cursor)
    return prepared()


@contextlib.contextmanager
def pipeline() -> Iterator[None]:
    """Send the block's statements in one round trip; read results after it.

    A statement in the block may not depend on another's result. Send it with `ask` and read its
    result after the block. SQLite runs in this process and answers each statement at once.
    """
    pipeline: Callable[[], Any] = getattr(connection, "pipeline", contextlib.nullcontext)
    with pipeline():
        yield
