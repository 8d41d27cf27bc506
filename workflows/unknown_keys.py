"""Warnings about unknown keys of a workflow document."""

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
"""A name is common in default filters, and has no effect."""

KEY_LIMIT: Final = 60
"""Maximum characters of a key that are shown; longer keys are not compared with known ones."""


def shorten_key(key: str) -> str:
    """Return a key, shortened for display."""
    return key if len(key) <= KEY_LIMIT else f"{key[:KEY_LIMIT]}…"


def find_resembling_key(key: str, known: Collection[str]) -> str | None:
    """Return the known key that was probably meant, if any."""
    if len(key) > KEY_LIMIT:
        return None
    return next(iter(get_close_matches(key.lower(), known, n=1)), None)


def describe_unknown_key(key: str, known: Collection[str], meant: str | None) -> str:
    """Return the warning about an unknown key.

    Arguments:
        meant: the known key that it resembles.
    """
    if meant is not None:
        return f"“{key}” is unknown here; did you mean “{meant}”?"
    return f"“{shorten_key(key)}” is unknown here; known are {', '.join(known)}"
