"""Keys of a workflow document that are not read: what to say of each."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

ROOT: Final = ("task_routing",)
ROUTING: Final = ("filters", "default_filter")
FILTER: Final = ("filter_friendly_name", "friendly_name", "expression", "targets")
TARGET: Final = (
    "queue",
    "expression",
    "priority",
    "timeout",
    "order_by",
    "skip_if",
    "known_worker_sid",
    "known_worker_friendly_name",
    "grab_expression",
)
DEFAULT: Final = (*TARGET, "filter_friendly_name", "friendly_name")
"""A name is common in default filters, and harmless."""

KEY_LIMIT: Final = 60
"""Characters of a key that are shown; no longer key resembles a known one."""


def shorten_key(key: str) -> str:
    """Return a key as it is shown."""
    return key if len(key) <= KEY_LIMIT else f"{key[:KEY_LIMIT]}…"


def find_resembling_key(key: str, known: Collection[str]) -> str | None:
    """Return the known key that was probably meant."""
    if len(key) > KEY_LIMIT:
        return None
    return next(iter(get_close_matches(key.lower(), known, n=1)), None)


def describe_unknown_key(key: str, known: Collection[str], meant: str | None) -> str:
    """Return the warning about a key.

    Arguments:
        meant: the known key that it resembles.
    """
    if meant is not None:
        return f"“{key}” is not read here; did you mean “{meant}”?"
    return f"“{shorten_key(key)}” is not read here; known are {', '.join(known)}"
