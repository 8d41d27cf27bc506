"""Send statements in one round trip, and read their results later."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections

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
    # Each access by the name `connection` would look up the thread's connection again.
    database: Any = connections[DEFAULT_DB_ALIAS]
    prepared: Callable[[], Any] | None = getattr(database, "prepared_cursor", None)
    return database.cursor() if prepared is None else prepared()


class _Block:
    """What the outermost `pipeline` block of a connection does at its end."""

    def __init__(self) -> None:
        self.collected: dict[Callable[[list[Any]], None], list[Any]] = {}
        self.checks: list[Callable[[], object]] = []

    def send_collected(self) -> None:
        while self.collected:
            send = next(iter(self.collected))
            send(self.collected.pop(send))


@contextlib.contextmanager
def pipeline() -> Iterator[None]:
    """Send the block's statements in one round trip; read results after it.

    A statement in the block may not depend on another's result. Send it with `send`, which returns
    a `Pending`, and read that after the block, or pass what reads it to `check_later`. A block
    inside another one becomes a part of it. SQLite runs in this process and answers each statement
    at once.
    """
    database: Any = connection
    if _find_block() is not None:
        yield
        return
    block = database.pipeline_block = _Block()
    send_together: Callable[[], Any] = getattr(database, "pipeline", contextlib.nullcontext)
    try:
        with send_together():
            yield
            block.send_collected()
    finally:
        database.pipeline_block = None
    for check in block.checks:
        check()


def check_later(check: Callable[[], object]) -> None:
    """Read a result at the end of the outermost `pipeline` block; outside of one, at once.

    Arguments:
        check: reads the result; it may raise an error, after which the caller must roll back.
    """
    block = _find_block()
    if block is None:
        check()
    else:
        block.checks.append(check)


def send_at_end(send: Callable[[list[T]], None], items: Sequence[T], *, most: int) -> None:
    """Send items with all others of a `pipeline` block at its end; outside of one, at once.

    Arguments:
        send: sends the statement for a list of items, and is the same function each time.
        most: the number of items from which they are sent earlier.
    """
    block = _find_block()
    if block is None:
        send([*items])
        return
    collected = block.collected.setdefault(send, [])
    collected += items
    if len(collected) >= most:
        send(block.collected.pop(send))


def _find_block() -> _Block | None:
    block: _Block | None = getattr(connection, "pipeline_block", None)
    return block
