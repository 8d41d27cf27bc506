"""A dry run in the language of the page; `routing.explanations.dry_run_wording` has the English.

In English both say the same, which the tests of dry runs compare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from routing.core.decisions import Reason
from routing.core.dry_run import RouteStep
from routing.explanations.dry_run import DryRun, TriedStep
from routing.explanations.dry_run_wording import describe_queue
from routing.explanations.trials import TrialWords
from routing.explanations.wording import rules_out_all, shorten
from supervisors import explaining
from supervisors.expression_words import describe_expression
from supervisors.refusals import translate_reason
from supervisors.wording import isolate
from workflows.expressions import FailedComparison

_ENDS: Final[Mapping[str, Promise]] = {
    Reason.EXPIRED: gettext_lazy("After %(time)s it is canceled, as its lifetime is over."),
    Reason.WORKFLOW_TIMEOUT: gettext_lazy(
        "After %(time)s it is canceled, as its workflow has no further step."
    ),
    Reason.WORKFLOW_SKIPPED: gettext_lazy(
        "After %(time)s it is canceled, as every step that is left is skipped."
    ),
}


def summarize(run: DryRun) -> str:
    """Return in a sentence or two what would become of the task at once."""
    if run.problems:
        count = len(run.problems)
        return ngettext(
            "The configuration has %(count)s problem; no task can be tried with it.",
            "The configuration has %(count)s problems; no task can be tried with it.",
            count,
        ) % {"count": _count(count)}
    if run.refused:
        return _(
            "Its creation would be refused: no filter of the workflow matches it, and there is no"
            " default filter."
        )
    tried = run.tried
    assert tried is not None, "a route with steps has one that is judged"
    if run.next_cycle is not None:
        said = explaining.describe_foreseen(run.next_cycle.foreseen)
        number = run.next_cycle.step_number
    else:
        said, number = _describe_tried(tried), tried.number
    return _("Step %(step)s, queue %(queue)s: %(said)s") % {
        "step": number,
        "queue": isolate(describe_queue(run, number)),
        "said": said,
    }


def _describe_tried(tried: TriedStep) -> str:
    if count := tried.verdicts.eligible:
        return ngettext(
            "%(count)s worker may have it.", "%(count)s workers may have it.", count
        ) % {"count": _count(count)}
    if rules_out_all(tried):
        return explaining.describe_task_side(tried) or ""
    if tried.known_worker is not None:
        return explaining.describe_known_worker(tried.known_worker)
    return explaining.describe_refusals(tried)


def _count(number: int) -> str:
    return number_format(number, force_grouping=True)


def describe_end(run: DryRun) -> str:
    """Return how the task ends if no worker ever takes it."""
    if run.refused:
        return _("The task is not created.")
    route = run.route
    if route.ends_us is None:
        return _("After %(count)s steps the dry run was cut off.") % {"count": len(route.steps)}
    seconds = run.count_seconds(route.ends_us)
    time = ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": _count(seconds)}
    return str(_ENDS[route.reason]) % {"time": time}


def describe_failure(failure: FailedComparison) -> str:
    """Return a comparison that does not hold, with what it read."""
    text = isolate(shorten(failure.text))
    if not failure.values:
        return _("%(condition)s is false") % {"condition": text}
    read = _list_values(dict(failure.values))
    return _("%(condition)s is false: %(values)s") % {"condition": text, "values": read}


def _list_values(values: Mapping[str, Any]) -> str:
    parts = [
        _("%(name)s is missing") % {"name": isolate(name)}
        if value is None
        else _("%(name)s is %(value)s")
        % {
            "name": isolate(name),
            "value": isolate(shorten(json.dumps(value, ensure_ascii=False))),
        }
        for name, value in values.items()
    ]
    return _(", ").join(parts)


def describe_time(run: DryRun, step: RouteStep) -> str:
    """Return from when until when a task is in a step, in seconds after its creation."""
    begins = run.count_seconds(step.entered_us)
    if step.skipped:
        return _("at %(begin)s s") % {"begin": begins}
    if step.left_us is None:
        return _("from %(begin)s s") % {"begin": begins}
    ends = run.count_seconds(step.left_us)
    return _("%(begin)s to %(end)s s") % {"begin": _count(begins), "end": _count(ends)}


def describe_skip(step: RouteStep) -> str:
    """Return whether a step is skipped, with the counts that its skip_if reads; "" without one."""
    if step.skip_counts is None or step.target.skip_if is None:
        return ""
    condition = isolate(shorten(step.target.skip_if.source))
    values = {"condition": condition, "values": _list_values(step.skip_counts)}
    if step.skipped:
        words = (
            _("is skipped if no worker can take the task at once: %(condition)s, as %(values)s")
            if step.skip_counts
            else _("is skipped if no worker can take the task at once: %(condition)s")
        )
    else:
        words = (
            _("is not skipped: %(condition)s, as %(values)s")
            if step.skip_counts
            else _("is not skipped: %(condition)s")
        )
    return words % values


def list_conditions(step: RouteStep) -> Iterator[str]:
    """Yield what a step asks of workers, each as a sentence."""
    identity = step.identity
    if identity.known_worker_sid is not None:
        sid = isolate(identity.known_worker_sid) or _("(none)")
        yield _("only the worker with the sid %(sid)s") % {"sid": sid}
    if identity.known_worker_name is not None:
        name = isolate(identity.known_worker_name) or _("(nothing)")
        yield _("only the worker called %(name)s") % {"name": name}
    if identity.expression:
        yield isolate(shorten(identity.expression))
    if identity.order_by:
        order = isolate(shorten(identity.order_by))
        yield _("in the order %(order)s") % {"order": order}


def describe_filter(expression: str) -> str:
    """Return the expression of a filter in words."""
    return describe_expression(expression, subject="task")


WORDS: Final = TrialWords(
    summarize=summarize,
    describe_end=describe_end,
    describe_failure=describe_failure,
    describe_time=describe_time,
    describe_skip=describe_skip,
    list_conditions=list_conditions,
    describe_task_side=explaining.describe_task_side,
    describe_verdict=explaining.describe_verdict,
    describe_filter=describe_filter,
    translate_refusal=translate_reason,
)
"""The words of the cockpit."""
