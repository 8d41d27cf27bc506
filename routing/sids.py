"""Make and recognise sids: two letters for the noun, then 32 hexadecimal digits."""

from __future__ import annotations

import re
import secrets
from typing import Final

PREFIXES: Final = {
    "AC": "account",
    "SK": "API key",
    "WS": "workspace",
    "WA": "activity",
    "WK": "worker",
    "WC": "worker channel",
    "TC": "task channel",
    "WQ": "task queue",
    "WW": "workflow",
    "WT": "task",
    "WR": "reservation",
    "EV": "event",
}

_HEX = re.compile(r"[0-9a-fA-F]{32}")


def new(prefix: str) -> str:
    """Return a fresh random sid for one of `PREFIXES`."""
    if prefix not in PREFIXES:
        raise ValueError(f"{prefix!r} is not a sid prefix")
    return prefix + secrets.token_hex(16)


def is_valid(sid: str, prefix: str) -> bool:
    """Tell whether `sid` has the form of a sid with this prefix."""
    return sid[:2] == prefix and _HEX.fullmatch(sid, 2) is not None
