"""Errors that an action may raise; doors turn these into their own error format."""

from __future__ import annotations

from routing.core.vocabulary import Refusal


class ActionError(Exception):
    """The action cannot be done; nothing was changed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").split("\n")[0])

    @property
    def message(self) -> str:
        """Return the message for the caller."""
        return str(self.args[0])


class InvalidInput(ActionError):
    """A value is not acceptable.

    Arguments:
        field: the name of the action's argument, in snake_case.
        mentions: further arguments that the message names.
    """

    def __init__(self, message: str, *, field: str, mentions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.mentions = mentions


class InUse(ActionError):
    """Something cannot be deleted while other things depend on it."""


class NotNow(ActionError):
    """A task or reservation is in a state in which this cannot be done."""


class Rescinded(NotNow):
    """The offer was withdrawn because another worker accepted the task first."""


class NotHeld(ActionError):
    """The worker does not hold this task."""


class StaleState(ActionError):
    """The data has changed since it was read; nothing was done. Read it again and retry."""


class NotEligible(ActionError):
    """This worker may not have this task."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal
