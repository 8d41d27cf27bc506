"""The declaration of an agent's command, and the check of what a page or socket gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from agents.access import Agent
from routing import sids
from routing.actions.support import inputs

Arguments = Mapping[str, Any]


class CommandRefused(Exception):
    """A command was not carried out; `reason` is for scripts, the message for the agent."""

    def __init__(self, reason: str, message: str, *, status: int = 409) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Command:
    """A command of an agent.

    Arguments:
        run: carries the command out, with its checked arguments.
        sid_prefixes: the required arguments, all of them sids, with their prefixes; several
            prefixes are separated by a blank.
        flags: the boolean arguments; they default to false.
        texts: the optional texts, each with its greatest length; an absent or empty one is None.
    """

    run: Callable[[Agent, Arguments, datetime], None]
    sid_prefixes: Mapping[str, str]
    flags: tuple[str, ...] = field(default=())
    texts: Mapping[str, int] = field(default_factory=dict)

    def parse_arguments(self, given: Arguments) -> Arguments:
        """Return the checked arguments; raises `CommandRefused` with the status 400."""
        return (
            {name: _parse_sid(given.get(name), name, to) for name, to in self.sid_prefixes.items()}
            | {name: _parse_flag(given.get(name), name) for name in self.flags}
            | {name: _parse_text(given.get(name), name, to) for name, to in self.texts.items()}
        )


def _parse_sid(value: object, argument: str, prefixes: str) -> str:
    if isinstance(value, str) and any(sids.is_valid(value, one) for one in prefixes.split()):
        return value
    raise CommandRefused(
        "invalid",
        gettext("“%(argument)s” is missing, or not a sid.") % {"argument": argument},
        status=400,
    )


def _parse_flag(value: object, argument: str) -> bool:
    known = {True: True, False: False, None: False, "true": True, "false": False, "": False}
    if isinstance(value, bool | str | None) and value in known:
        return known[value]
    raise CommandRefused(
        "invalid",
        gettext("“%(argument)s” must be true or false.") % {"argument": argument},
        status=400,
    )


def _parse_text(value: object, argument: str, limit: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > limit:
        text = ngettext(
            "“%(argument)s” must be a text of at most %(limit)s character.",
            "“%(argument)s” must be a text of at most %(limit)s characters.",
            limit,
        )
        raise CommandRefused("invalid", text % {"argument": argument, "limit": limit}, status=400)
    if found := inputs.CONTROL_OR_DELETE.search(value):
        text = gettext("“%(argument)s” contains the control character %(character)s. Leave it out.")
        words = {"argument": argument, "character": f"U+{ord(found[0]):04X}"}
        raise CommandRefused("invalid", text % words, status=400)
    return value.strip() or None
