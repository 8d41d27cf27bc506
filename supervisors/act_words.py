"""Words about acts: what became of their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from routing import models
from routing.core.vocabulary import BatchState, RowOutcome
from supervisors.refusals import translate_reason

OUTCOMES: Final[Mapping[RowOutcome, Promise]] = {
    RowOutcome.DONE: gettext_lazy("Done"),
    RowOutcome.SAME: gettext_lazy("Was so already"),
    RowOutcome.REFUSED: gettext_lazy("Refused"),
    RowOutcome.GONE: gettext_lazy("Gone"),
    RowOutcome.NOT_REACHED: gettext_lazy("Not reached"),
}
"""The word of each outcome."""

_COUNTS: Final = {
    RowOutcome.DONE: gettext_lazy("done %(count)d"),
    RowOutcome.SAME: gettext_lazy("so already %(count)d"),
    RowOutcome.REFUSED: gettext_lazy("refused %(count)d"),
    RowOutcome.GONE: gettext_lazy("gone %(count)d"),
    RowOutcome.NOT_REACHED: gettext_lazy("not reached %(count)d"),
}


def describe_counts(counts: Mapping[RowOutcome, int]) -> str:
    """Return how many rows have each outcome, such as `done 41, refused 6, gone 3`."""
    return ", ".join(str(_COUNTS[outcome]) % {"count": n} for outcome, n in counts.items() if n)


def describe_gained(queue: tuple[str, int]) -> str:
    """Return how many agents serve a queue from then on.

    Arguments:
        queue: its name, and the number of agents.
    """
    name, count = queue
    return ngettext(
        "%(count)d agent then serves %(queue)s.",
        "%(count)d agents then serve %(queue)s.",
        count,
    ) % {"count": count, "queue": name}


def describe_lost(queue: tuple[str, int]) -> str:
    """Return how many agents do not serve a queue any more; see `describe_gained`."""
    name, count = queue
    return ngettext(
        "%(count)d agent no longer serves %(queue)s.",
        "%(count)d agents no longer serve %(queue)s.",
        count,
    ) % {"count": count, "queue": name}


def describe_outcome(batch: models.Batch, row: models.BatchRow | None) -> str:
    """Return what became of a batch in one sentence.

    Arguments:
        row: its only row, if it has one and is over.
    """
    if row is not None:
        match row.outcome:
            case RowOutcome.DONE:
                return _("Undone.") if batch.undo_of_id else _("Done.")
            case RowOutcome.SAME:
                return _("It was so already.")
            case RowOutcome.GONE:
                return _("This is no longer there.")
            case _:
                return _("Refused: %(reason)s") % {"reason": translate_reason(row.reason)}
    if batch.state == BatchState.RUNNING:
        return ngettext(
            "It is being done for %(count)d row.",
            "It is being done for %(count)d rows.",
            batch.size,
        ) % {"count": batch.size}
    counts = {each: getattr(batch, each.value) for each in RowOutcome}
    words = describe_counts({each: count for each, count in counts.items() if count})
    if batch.state == BatchState.STOPPED:
        return _("Stopped: %(counts)s.") % {"counts": words}
    return _("Result: %(counts)s.") % {"counts": words}
