"""Send statements in one round trip, and read their results later."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from django.db import connection

T = TypeVar("T")


class Pending(Generic[T]):
    """The result of a statement that was sent; it is read once, after the `pipeline` block.

    Arguments:
        read: waits for the result and returns it; it may raise what the statement raised.
    """

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read

    def result(self) -> T:
        """Wait for the result and return it."""
        return self._read()


def open_cursor() -> Any:
    """Return a cursor for statements with constant text, which the server can plan once.

    Only parameters may differ, and they are passed separately from the text.
    """
    prepared: Callable[[], Any] = getattr(connection, "prepared_cursor", connection.cursor)
    return prepared()


@contextlib.contextmanager
def pipeline() -> Iterator[None]:
    """Send the block's statements in one round trip; read results after it.

    A statement in the block may not depend on another's result. Send it with `send`, which returns
    a `Pending`, and read that after the block. SQLite runs in this process and answers each
    statement at once.
    """
    pipeline: Callable[[], Any] = getattr(connection, "pipeline", contextlib.nullcontext)
    with pipeline():
        yield
