"""Words of the cockpit for severities, states and reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import get_language_bidi, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from supervisors.judging import Judged, Reason, Severity, Why
from supervisors.picture import Setup, State

SEVERITIES: Final = {
    Severity.OK: gettext_lazy("OK"),
    Severity.WATCH: gettext_lazy("Watch"),
    Severity.ACT: gettext_lazy("Act"),
}
STATES: Final = {
    State.AWAY: gettext_lazy("Away"),
    State.FINISHING: gettext_lazy("Finishing"),
    State.FULL: gettext_lazy("Full"),
    State.WORKING: gettext_lazy("Working"),
    State.IDLE: gettext_lazy("Idle"),
}
TASK_STATUSES: Final[Mapping[str, Promise]] = {
    "pending": gettext_lazy("Waiting"),
    "reserved": gettext_lazy("On offer"),
    "assigned": gettext_lazy("In work"),
    "wrapping": gettext_lazy("Wrapping up"),
    "completed": gettext_lazy("Completed"),
    "canceled": gettext_lazy("Canceled"),
}
STATE_HINTS: Final = {
    State.AWAY: gettext_lazy("take no work, nothing in hand"),
    State.FINISHING: gettext_lazy("take no work, still have tasks"),
    State.FULL: gettext_lazy("no free slot on an open channel"),
    State.WORKING: gettext_lazy("some tasks in hand, some slots free"),
    State.IDLE: gettext_lazy("available, nothing in hand"),
}
GRAB_POLICIES: Final = {
    "off": gettext_lazy("None"),
    "anything": gettext_lazy("Any"),
    "oldest": gettext_lazy("Oldest"),
    "waited": gettext_lazy("After a wait"),
}

MOST_NAMES: Final = 3


def isolate(text: str) -> str:
    """Return an expression or a name for a sentence that may run from right to left.

    Its quotation marks and operators keep their places by marks of Unicode, which are left out in
    other languages.
    """
    return f"\u2066{text}\u2069" if get_language_bidi() else text


def join_names(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: Ada, Ben and 2 more."""
    shown = list(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        more = len(names) - MOST_NAMES
        return ngettext("%(names)s and %(more)d more", "%(names)s and %(more)d more", more) % {
            "names": ", ".join(shown),
            "more": more,
        }
    if len(shown) < 2:
        return "".join(shown)
    return _("%(first)s and %(last)s") % {"first": ", ".join(shown[:-1]), "last": shown[-1]}


def join_words(words: Sequence[str], last: str) -> str:
    """Return words as a list in a sentence.

    Arguments:
        last: how the last one follows `first`, the list of the others.
    """
    if len(words) < 2:
        return "".join(words)
    return last % {"first": _(", ").join(words[:-1]), "last": words[-1]}


def describe_why(why: Why, setup: Setup) -> str:
    """Return the sentence that says why tasks wait."""
    names = (setup.channels[pk].name for pk in why.channels if pk in setup.channels)
    return _SENTENCES[why.reason](why, join_names(list(names)), setup)


def describe_trouble(judged: Judged, setup: Setup) -> str:
    """Return why tasks wait in a queue, or else why it is in trouble; empty if it is not."""
    if judged.why is not None:
        return describe_why(judged.why, setup)
    if not judged.severity:
        return ""
    if judged.is_alerted:
        return _("Nothing waits now, and an alert of this queue is open.")
    return _("Nothing waits now; the service level of the last 30 minutes is below its goal.")


def _describe_away(why: Why, _channels: str, setup: Setup) -> str:
    counted = sorted(why.activities.items(), key=lambda item: -item[1])
    parts = [
        _("%(count)d %(activity)s") % {"count": count, "activity": setup.activities[pk].name}
        for pk, count in counted
        if pk in setup.activities
    ]
    return ngettext(
        "%(count)d serves it and takes no work: %(activities)s.",
        "%(count)d serve it, none takes work: %(activities)s.",
        why.workers,
    ) % {"count": why.workers, "activities": ", ".join(parts)}


def _describe_off(why: Why, channels: str, _setup: Setup) -> str:
    return ngettext(
        "%(count)d is available, with %(channels)s switched off.",
        "%(count)d are available, %(channels)s is switched off for all of them.",
        why.workers,
    ) % {"count": why.workers, "channels": channels}


def _describe_no_capacity(why: Why, channels: str, _setup: Setup) -> str:
    return ngettext(
        "%(count)d is available, but has no slot for %(channels)s.",
        "%(count)d are available, but none has a slot for %(channels)s.",
        why.workers,
    ) % {"count": why.workers, "channels": channels}


def _describe_taken(why: Why, channels: str, setup: Setup) -> str:
    if not setup.multi_task:
        return ngettext(
            "%(count)d is available and has a task.",
            "%(count)d are available, and each has a task.",
            why.workers,
        ) % {"count": why.workers}
    return ngettext(
        "%(count)d is available, all slots for %(channels)s are taken (%(slots)d).",
        "%(count)d are available, all slots for %(channels)s are taken (%(slots)d).",
        why.workers,
    ) % {"count": why.workers, "slots": why.slots, "channels": channels}


def _describe_kept(why: Why, _channels: str, _setup: Setup) -> str:
    return ngettext(
        "%(count)d slot is free, kept for grabbing.",
        "%(count)d slots are free, all kept for grabbing.",
        why.slots,
    ) % {"count": why.slots}


def _describe_failing(why: Why, _channels: str, _setup: Setup) -> str:
    return ngettext(
        "%(count)d offer in 10 min, %(missed)d missed, by %(names)s.",
        "%(count)d offers in 10 min, %(missed)d missed, by %(names)s.",
        why.offers,
    ) % {"count": why.offers, "missed": why.missed, "names": join_names(why.missed_by)}


def _describe_moving(why: Why, _channels: str, _setup: Setup) -> str:
    return ngettext(
        "Being worked off: %(count)d answered in 5 min.",
        "Being worked off: %(count)d answered in 5 min.",
        why.answered,
    ) % {"count": why.answered}


def _describe_other(why: Why, _channels: str, _setup: Setup) -> str:
    return ngettext(
        "%(count)d agent is free, but what waits asks for something else.",
        "%(count)d agents are free, but what waits asks for something else.",
        why.workers,
    ) % {"count": why.workers}


_SENTENCES: Final[Mapping[Reason, Callable[[Why, str, Setup], str]]] = {
    Reason.NOT_SERVED: lambda _why, _channels, _setup: _("No worker serves this queue."),
    Reason.NONE_AVAILABLE: _describe_away,
    Reason.CHANNEL_OFF: _describe_off,
    Reason.NO_CAPACITY: _describe_no_capacity,
    Reason.ALL_TAKEN: _describe_taken,
    Reason.ALL_KEPT: _describe_kept,
    Reason.OFFERS_FAIL: _describe_failing,
    Reason.MOVES: _describe_moving,
    Reason.OTHER_DEMANDS: _describe_other,
}
