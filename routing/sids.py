"""Create and validate sids: two letters for the noun, then 32 hexadecimal digits."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from routing.random_digits import draw_digits

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
    "TT": "task transfer",
    "OC": "outcome code",
    "BA": "batch",
    "TH": "threshold",
    "AL": "alert",
    "BD": "board",
    "KL": "kiosk link",
}

_HEX = re.compile(r"[0-9a-fA-F]{32}")


def new_sid(prefix: str) -> str:
    """Return a fresh random sid for one of `PREFIXES`."""
    if prefix not in PREFIXES:
        raise ValueError(f"{prefix!r} is not a sid prefix")
    return prefix + draw_digits(32)


def new_ordered_sid(prefix: str, now: datetime) -> str:
    """Return a new sid that begins with its time; its `key` does so too, modulo 12 days.

    Used for tables with millions of rows: indexes on such sids, or on their keys, grow in few
    places at a time. The seconds in a key start again every twelve days.
    """
    milliseconds = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    seconds = int(now.timestamp()) & 0xF_FFFF
    chance = draw_digits(15)
    return f"{prefix}{milliseconds:012x}{chance[:5]}{seconds:05x}{chance[5:15]}"


def index_key(sid: str) -> int:
    """Return a sid's last 60 bits, at least 40 of them random: its short form for indexes."""
    return int(sid[-15:], 16)


def is_valid(sid: str, prefix: str) -> bool:
    """Return whether `sid` has the form of a sid with this prefix."""
    return sid[:2] == prefix and _HEX.fullmatch(sid, 2) is not None
