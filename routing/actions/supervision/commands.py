"""What a command of a supervisor is: it changes one row, and may set it back.

A command runs in the transaction that stores the row's outcome. It locks the row before it reads
what the row has, so that the old value is the one it replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing import models
from routing.actions.support.errors import ActionError
from routing.actors import Actor

Values = Mapping[str, Any]


class Unchanged(ActionError):
    """The row has these values already."""


class Gone(ActionError):
    """There is no such row in this workspace any more."""


class ChangedSince(ActionError):
    """The row has another value than the act gave it, so it is left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One row that a command is to change.

    Arguments:
        version: the version of the row that the supervisor saw; None if it does not matter.
    """

    workspace: models.Workspace
    sid: str
    arguments: Values
    actor: Actor
    now: datetime
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a row had before a command, and what it got, by name; both are stored as JSON."""

    old: Values
    new: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command.

    Arguments:
        subject: the sid prefix of the rows that it changes.
        run: changes a row; raises `Unchanged`, `Gone`, or another `ActionError`.
        undo: sets back what a change did, if it still stands; None if that makes no sense.
    """

    subject: str
    run: Callable[[Order], Change]
    undo: Callable[[Order, Change], None] | None = None


def check_stands(present: object, given: object, name: str) -> None:
    """Raise `ChangedSince` unless a value is the one that the act gave."""
    if present != given:
        raise ChangedSince(f"{name} has changed since: it is {present!r} now, not {given!r}")
