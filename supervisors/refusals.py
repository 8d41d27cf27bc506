"""Reasons why acts are refused, in the language of the page.

The engine writes them in English, and batches store them so. Each sentence of it is a pattern here,
whose placeholders are read back from the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, gettext_noop, pgettext_lazy

from routing.core.vocabulary import Refusal
from supervisors.change_words import name_field
from supervisors.wording import isolate

SENTENCES: Final = (
    gettext_noop("it has changed since it was shown; look again and decide again"),
    gettext_noop("an error of the server, which its log describes; nothing was changed"),
    gettext_noop("this act is over already; nothing is left to stop"),
    gettext_noop("an undo is not tried again: what it left has changed since"),
    gettext_noop("no row of this act failed; nothing is left to try again"),
    gettext_noop("this act is still running; wait for its end, or stop it"),
    gettext_noop("this act was undone already"),
    gettext_noop("this is an undo itself; repeat the act instead"),
    gettext_noop("this act cannot be undone"),
    gettext_noop("no row of this act was changed; nothing is left to undo"),
    gettext_noop("this act is older than 24 hours, so it cannot be undone any more"),
    gettext_noop("%(name)s has changed since: it is %(present)s now, not %(given)s"),
    gettext_noop("the attribute %(name)s has changed since"),
    gettext_noop("the task channel %(sid)s no longer exists"),
    gettext_noop("the worker %(sid)s no longer exists"),
    gettext_noop("the activity %(sid)s no longer exists"),
    gettext_noop("%(sid)s no longer exists; choose another queue or workflow"),
    gettext_noop("no worker has task %(task)s (it is %(status)s)"),
    gettext_noop("the task has been moved since"),
    gettext_noop("the task was for one worker only; assign it to them instead"),
    gettext_noop("the offer has been answered since; take the task back from its worker instead"),
    gettext_noop("the transfer is over already"),
    gettext_noop(
        "%(worker)s has open offers (%(count)s); wait for the answers, or let the act reject them"
    ),
    gettext_noop("the attributes of %(worker)s cannot be read: %(problem)s"),
    gettext_noop("%(worker)s: %(path)s leads through %(key)s, which is no object"),
    gettext_noop("%(worker)s: %(path)s is no list, so nothing can be added or removed"),
    gettext_noop(
        "Cannot route task %(task)s again: it waits in a queue without a workflow."
        " Move it to a workflow instead."
    ),
    gettext_noop(
        "Cannot %(verb)s task %(task)s: it is %(status)s, not pending. Withdraw its offers first."
    ),
    gettext_noop("Cannot %(verb)s task %(task)s: it is %(status)s, not pending."),
    gettext_noop("Cannot take task %(task)s back: no worker has it (it is %(status)s)."),
    gettext_noop("Cannot withdraw offers of task %(task)s: it is %(status)s, not on offer."),
    gettext_noop(
        "Cannot %(verb)s task %(task)s in workspace %(workspace)s for account %(account)s since it"
        " is %(why)s (it is %(status)s)."
    ),
    gettext_noop("Cannot update task %(task)s: it is %(status)s; only Attributes may change"),
    gettext_noop(
        "Cannot route task %(task)s: no filter of the workflow %(workflow)s takes it, and it has no"
        " default filter. Move it to a queue instead."
    ),
    gettext_noop(
        "Task %(task)s is for one worker only, and would go back to them. Name a queue for it."
    ),
    gettext_noop("Task %(task)s is being transferred by %(transfer)s; cancel the transfer first"),
    gettext_noop(
        "Task %(task)s has been transferred, and both workers are with it still; the first must"
        " leave before it is transferred again"
    ),
    gettext_noop(
        "Task %(task)s is a call; transferring calls is not supported by this server: there is no"
        " telephone network here"
    ),
    gettext_noop(
        "Reservation %(sid)s is in state [%(status)s]; only an accepted one can be transferred"
    ),
    gettext_noop("Transfer %(sid)s is already %(status)s . Cannot cancel transfer."),
    gettext_noop("Worker %(worker)s is in %(activity)s, which takes no work"),
)
"""The sentences of the engine; of two that fit, the first one counts."""

_WORDS: Final[Mapping[str, Promise]] = {
    "pending": pgettext_lazy("in a reason", "pending"),
    "reserved": pgettext_lazy("in a reason", "reserved"),
    "assigned": pgettext_lazy("in a reason", "assigned"),
    "wrapping": pgettext_lazy("in a reason", "wrapping"),
    "completed": pgettext_lazy("in a reason", "completed"),
    "canceled": pgettext_lazy("in a reason", "canceled"),
    "accepted": pgettext_lazy("in a reason", "accepted"),
    "rejected": pgettext_lazy("in a reason", "rejected"),
    "timeout": pgettext_lazy("in a reason", "timeout"),
    "rescinded": pgettext_lazy("in a reason", "rescinded"),
    "move": pgettext_lazy("in a reason", "move"),
    "route": pgettext_lazy("in a reason", "route"),
    "cancel": pgettext_lazy("in a reason", "cancel"),
    "wrap up": pgettext_lazy("in a reason", "wrap up"),
    "complete": pgettext_lazy("in a reason", "complete"),
    "not pending or reserved": pgettext_lazy("in a reason", "not pending or reserved"),
    "not currently assigned": pgettext_lazy("in a reason", "not currently assigned"),
}
"""Words of the engine within its sentences."""
_PLACEHOLDER: Final = re.compile(r"%\\\((\w+)\\\)s")
_OF_WORDS: Final = ("status", "verb", "why")


def translate_reason(reason: str) -> str:
    """Return why an act was refused, in the language of the page; an unknown reason as it is."""
    if not reason or (get_language() or "en").startswith("en"):
        return reason
    worker, colon, rest = reason.partition(": ")
    if colon and rest in _third_persons():
        return f"{isolate(worker)}: {gettext(rest)}"
    for sentence, pattern in _compile_patterns():
        if (found := pattern.fullmatch(reason)) is not None:
            return gettext(sentence) % {
                name: _translate_value(name, value) for name, value in found.groupdict().items()
            }
    return reason


def _translate_value(name: str, value: str) -> str:
    if name in _OF_WORDS:
        return str(_WORDS.get(value, value))
    return isolate(name_field(value) if name == "name" else value)


@cache
def _third_persons() -> frozenset[str]:
    return frozenset(refusal.third_person for refusal in Refusal)


@cache
def _compile_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sentence, compile_pattern(sentence)) for sentence in SENTENCES)


def compile_pattern(sentence: str) -> re.Pattern[str]:
    """Return the pattern of a sentence, with a group for each placeholder."""
    return re.compile(_PLACEHOLDER.sub(r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)
