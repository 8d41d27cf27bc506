"""The desk's single-key shortcuts: their actions, their usual keys, and a user's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

ACTIONS: Final[Mapping[str, tuple[str, str | Promise]]] = {
    "accept": ("a", gettext_lazy("Accept the offer in focus, or the first one")),
    "reject": ("r", gettext_lazy("Reject it")),
    "grab": ("g", gettext_lazy("Grab the waiting task in focus, or the first you may have")),
    "wrap": ("w", gettext_lazy("Wrap up the task in focus")),
    "complete": ("c", gettext_lazy("Complete the task in focus")),
    "undo": ("u", gettext_lazy("Undo the last Complete, for five seconds")),
    "transfer": ("t", gettext_lazy("Transfer the task in focus")),
    "next": ("j", gettext_lazy("Go to the next of my tasks")),
    "previous": ("k", gettext_lazy("Go to the previous of my tasks")),
    "activities": ("m", gettext_lazy("Open the activity menu")),
    "channels": ("s", gettext_lazy("Go to the channel switches")),
    "search": ("/", gettext_lazy("Find waiting tasks")),
    "help": ("?", gettext_lazy("Show the shortcuts")),
}
"""For each action its usual key, and what it does; static/agents/keys.js carries them out."""

FIXED: Final = frozenset("1234")
"""Keys that lead to the parts of the desk and cannot be chosen."""


class KeyRefused(ValueError):
    """A key that cannot be chosen; the text is for the user."""


def apply_keys(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the key of each action, with a user's own keys."""
    return {name: chosen.get(name, usual) for name, (usual, _) in ACTIONS.items()}


def check_key(key: str) -> str:
    """Return a key in lower case; raises `KeyRefused`."""
    key = key.lower()
    if len(key) != 1 or not key.isprintable() or key.isspace():
        raise KeyRefused(gettext("Type one letter, digit or sign."))
    if key in FIXED:
        raise KeyRefused(gettext("1 to 4 lead to the parts of the desk. Choose another key."))
    return key


def find_conflicts(keys: Mapping[str, str]) -> dict[str, str]:
    """Return the actions whose key another one has too, each with the other's words."""
    return {
        name: str(ACTIONS[other][1])
        for name, key in keys.items()
        for other, same in keys.items()
        if other != name and same == key
    }
