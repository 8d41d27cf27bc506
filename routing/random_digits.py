"""Draw random digits for ids that need no secrecy, without a system call for each."""

from __future__ import annotations

import os
import secrets
import threading
from typing import Final

_BLOCK_BYTES: Final = 1_024
_drawn = threading.local()
"""By thread, random digits that nothing has used yet."""


def draw_digits(count: int) -> str:
    """Return random hexadecimal digits, at most 2,048.

    The system's generator gives them in blocks. During each call of it, another thread takes over
    the interpreter, which costs more than the digits.
    """
    block: str = getattr(_drawn, "block", "")
    if len(block) < count:
        block = secrets.token_hex(_BLOCK_BYTES)
    _drawn.block = block[count:]
    return block[:count]


def _forget_digits() -> None:
    """Forget the digits in a forked process, which would use the same as its parent."""
    _drawn.__dict__.clear()


os.register_at_fork(after_in_child=_forget_digits)
