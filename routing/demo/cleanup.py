"""Clean up after a program that was killed, by a second process that outlives it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program and that it can handle; SIGKILL cannot be handled."""


@contextmanager
def clean_up_if_killed(clean_up: Callable[[], None]) -> Iterator[None]:
    """Run a function in another process if this one is killed while it is in the block."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _wait_for_end(reading, writing, clean_up)
    os.close(reading)
    try:
        yield
    finally:
        os.write(writing, b".")
        os.close(writing)
        os.waitpid(child, 0)


def _wait_for_end(reading: int, writing: int, clean_up: Callable[[], None]) -> None:
    """Wait until the parent process has left its block, or was killed; end this process."""
    try:
        os.close(writing)
        # A terminal sends Ctrl-C to all processes of its group.
        os.setsid()
        for number in ENDING_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        # The end of the parent closes the pipe, whether or not it has written.
        if not os.read(reading, 1):
            clean_up()
    finally:
        os._exit(0)
