"""An explanation in the language of the page; `routing.explanations.wording` writes the English.

In English both say the same, which the tests of explanations compare.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from routing.core.clock import SECOND, microseconds
from routing.core.snapshot import Rejection
from routing.core.verdicts import Verdict
from routing.core.vocabulary import AssignmentStatus, Refusal, ReservationStatus
from routing.explanations.explanation import DIRECT, Explanation, Foreseen, KnownWorker, Problem
from routing.explanations.history import Outcome
from routing.explanations.wording import JudgedTask, rules_out_all, shorten
from supervisors.wording import isolate, join_words

WriteDate = Callable[[datetime | None], str | None]

_SHORT: Final[Mapping[Refusal, Promise]] = {
    Refusal.TASK_NOT_PENDING: gettext_lazy("%(count)d it no longer waits"),
    Refusal.ATTRIBUTES_UNREADABLE: gettext_lazy(
        "%(count)d with attributes that are not a JSON object"
    ),
    Refusal.NOT_IN_QUEUE: gettext_lazy("%(count)d not of its queue"),
    Refusal.WORKER_UNAVAILABLE: gettext_lazy("%(count)d in an activity that takes no work"),
    Refusal.CHANNEL_UNAVAILABLE: gettext_lazy("%(count)d with the channel switched off"),
    Refusal.NO_CAPACITY: gettext_lazy("%(count)d without a free slot on the channel"),
    Refusal.GRAB_NOT_ALLOWED: gettext_lazy("%(count)d not allowed to pick it"),
    Refusal.EXPRESSION_NOT_MET: gettext_lazy("%(count)d not meeting what it asks for"),
    Refusal.KEPT_FOR_MANUAL: gettext_lazy("%(count)d with only slots kept for picking by hand"),
    Refusal.RECENTLY_REJECTED: gettext_lazy("%(count)d who rejected it a moment ago"),
    Refusal.ALREADY_OFFERED: gettext_lazy("%(count)d to whom it is on offer"),
}
OUTCOMES: Final[Mapping[Outcome, Promise]] = {
    Outcome.TIMED_OUT: gettext_lazy("no worker took the task before the step's timeout"),
    Outcome.SKIPPED: gettext_lazy(
        "no worker could take the task at once, and the step's skip_if was true"
    ),
    Outcome.REROUTED: gettext_lazy("the task was changed and routed again"),
    Outcome.CANCELED: gettext_lazy("the task was canceled"),
}
"""How a task left a step."""
_PROBLEMS: Final[Mapping[Problem, Promise]] = {
    Problem.MISSING: gettext_lazy(
        "The task asks for one worker, but %(attribute)s names no worker."
    ),
    Problem.UNKNOWN: gettext_lazy(
        "The task asks for one worker, but %(attribute)s names '%(named)s', who does not exist."
    ),
    Problem.OTHER_WORKSPACE: gettext_lazy(
        "The task asks for one worker, but %(attribute)s names '%(named)s', who is of another"
        " workspace."
    ),
    Problem.NOT_IN_QUEUE: gettext_lazy(
        "The task asks for %(worker)s alone, who does not serve its queue."
    ),
}


def summarize(explanation: Explanation, write_date: WriteDate) -> str:
    """Return in a sentence or two why a task is where it is."""
    said = _describe_status(explanation, write_date)
    if explanation.readable:
        return said
    unreadable = _("Its attributes or its requirements cannot be read: the log has the reason.")
    return f"{said} {unreadable}"


def _describe_status(explanation: Explanation, write_date: WriteDate) -> str:
    match explanation.status:
        case AssignmentStatus.PENDING:
            return _describe_waiting(explanation)
        case AssignmentStatus.RESERVED:
            offers = [
                _("%(worker)s until %(date)s")
                % {"worker": isolate(one.worker_name), "date": write_date(one.until)}
                for one in explanation.holders
            ]
            return _("On offer to %(workers)s.") % {"workers": join(offers)}
        case AssignmentStatus.ASSIGNED | AssignmentStatus.WRAPPING:
            wraps = explanation.status == AssignmentStatus.WRAPPING
            words = (
                _("%(worker)s has been wrapping it up since %(date)s.")
                if wraps
                else _("%(worker)s has had it since %(date)s.")
            )
            return " ".join(
                words % {"worker": isolate(one.worker_name), "date": write_date(one.since)}
                for one in explanation.holders
                if one.reservation_status != ReservationStatus.COMPLETED
            )
    return _describe_end(explanation, write_date)


def _describe_waiting(explanation: Explanation) -> str:
    foreseen, known = explanation.foreseen, explanation.known_worker
    if explanation.due:
        return _("Its time is over; the router acts on that in its next cycle.")
    if rules_out_all(explanation):
        return describe_task_side(explanation) or ""
    if foreseen is not None:
        return describe_foreseen(foreseen)
    if known is not None:
        said = describe_known_worker(known)
        if known.problem is None and known.verdict is not None:
            return f"{said} {describe_verdict(known.verdict, explanation)}"
        waits = _("It waits in this step until something changes that.")
        return f"{said} {waits}"
    return describe_refusals(explanation)


def describe_verdict(verdict: Verdict, explanation: JudgedTask) -> str:
    """Return why the router passes a worker over, or as which number it asks them."""
    unmet = verdict.refusal == Refusal.EXPRESSION_NOT_MET
    if unmet and rules_out_all(explanation):
        return _("The task itself rules out every worker in this step.")
    if verdict.rejection is not None:
        return _describe_rejection(verdict.rejection, explanation)
    if verdict.refusal is not None:
        return _(verdict.refusal.third_person)
    return _("The router asks this worker as number %(rank)s.") % {"rank": verdict.rank}


def _describe_rejection(rejection: Rejection, explanation: JudgedTask) -> str:
    now = microseconds(explanation.now)
    ago = (now - rejection.rejected_us) // SECOND
    left = -((now - rejection.until_us) // SECOND)
    words = _(
        "The worker rejected this task %(ago)s ago; they may be offered it again in %(left)s."
    )
    return words % {"ago": _count_seconds(ago), "left": _count_seconds(left)}


def _count_seconds(seconds: int) -> str:
    return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}


def describe_task_side(explanation: JudgedTask) -> str | None:
    """Return how the task's attributes decide its target's expression, if they do."""
    side = explanation.task_side
    if side is None:
        return None
    if side.unmet:
        asks = isolate(shorten(side.unmet))
        if not side.attributes:
            words = _("No worker can have it in this step: the target asks for %(asks)s.")
            return words % {"asks": asks}
        has = join([_describe_attribute(name, value) for name, value in side.attributes.items()])
        words = _("No worker can have it in this step: %(has)s, and the target asks for %(asks)s.")
        return words % {"has": has, "asks": asks}
    if side.missing:
        words = _("The task has no %(names)s, which the target asks about.")
        return words % {"names": join([isolate(name) for name in side.missing])}
    return None


def _describe_attribute(name: str, value: Any) -> str:
    if value is None:
        return _("the task has no %(name)s") % {"name": isolate(name)}
    text = shorten(json.dumps(value, ensure_ascii=False))
    return _("the task's %(name)s is %(value)s") % {"name": isolate(name), "value": isolate(text)}


def describe_known_worker(known: KnownWorker) -> str:
    """Return the state of the one worker that a task names, as a sentence."""
    name = known.named if known.verdict is None else known.verdict.worker.friendly_name
    values = {
        "attribute": isolate(known.attribute),
        "named": isolate(known.named),
        "worker": isolate(name),
    }
    if known.problem is not None:
        return str(_PROBLEMS[known.problem]) % values
    if known.attribute == DIRECT:
        return _("The task asks for %(worker)s alone, directly.") % values
    return _("The task asks for %(worker)s alone, by %(attribute)s.") % values


def describe_foreseen(foreseen: Foreseen) -> str:
    """Return what the next cycle does with a task that some worker may have."""
    ahead, count = foreseen.ahead, {"count": foreseen.ahead}
    if not foreseen.workers:
        return (
            ngettext(
                "Waits behind %(count)d task that comes before it, for the same workers.",
                "Waits behind %(count)d tasks that come before it, for the same workers.",
                ahead,
            )
            % count
        )
    names = {"workers": join([isolate(worker.friendly_name) for worker in foreseen.workers])}
    if not ahead:
        return _("Will be offered to %(workers)s in the next cycle.") % names
    return ngettext(
        "Will be offered to %(workers)s in the next cycle, after %(count)d task that comes"
        " before it.",
        "Will be offered to %(workers)s in the next cycle, after %(count)d tasks that come"
        " before it.",
        ahead,
    ) % {**names, **count}


def describe_refusals(explanation: JudgedTask) -> str:
    """Return why no worker of the queue may have a task."""
    inside, refusals = explanation.verdicts.inside, explanation.verdicts.reasons
    if not inside:
        return _("No worker serves its queue.")
    lacking = describe_task_side(explanation) if Refusal.EXPRESSION_NOT_MET in refusals else None
    after = "" if lacking is None else f" {lacking}"
    if len(inside) == 1:
        alone = {"worker": isolate(inside[0].worker.friendly_name)}
        said = _("%(worker)s alone serves its queue.") % alone
        return f"{said} {describe_verdict(inside[0], explanation)}{after}"
    reasons = join([str(_SHORT[refusal]) % {"count": n} for refusal, n in refusals.items()])
    words = _("None of the %(count)d workers of its queue may have it now: %(reasons)s.")
    return f"{words % {'count': len(inside), 'reasons': reasons}}{after}"


def _describe_end(explanation: Explanation, write_date: WriteDate) -> str:
    task = explanation.task
    is_completed = explanation.status == AssignmentStatus.COMPLETED
    by = join([isolate(one.worker_name) for one in explanation.holders])
    values = {"date": write_date(task.date_finished), "workers": by}
    if by:
        words = (
            _("Completed at %(date)s by %(workers)s.")
            if is_completed
            else _("Canceled at %(date)s by %(workers)s.")
        )
    else:
        words = _("Completed at %(date)s.") if is_completed else _("Canceled at %(date)s.")
    said = words % values
    if not task.reason:
        return said
    reason = _("Reason: %(reason)s") % {"reason": isolate(task.reason)}
    return f"{said} {reason}"


def join(words: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    return join_words(words, _("%(first)s and %(last)s"))
