"""Write a dry run as sentences for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from routing.core.decisions import Reason
from routing.core.dry_run import FilterTrial, RouteStep
from routing.explanations import wording
from routing.explanations.dry_run import DryRun, TriedStep
from workflows.expressions import FailedComparison

_ENDS = {
    Reason.EXPIRED: "its lifetime is over",
    Reason.WORKFLOW_TIMEOUT: "its workflow has no further step",
    Reason.WORKFLOW_SKIPPED: "every step that is left is skipped",
}


def summarize(run: DryRun) -> str:
    """Return in a sentence or two what would become of the task at once."""
    if run.problems:
        count = len(run.problems)
        return f"The configuration has {_count(count, 'problem')}; no task can be tried with it."
    if run.refused:
        return (
            "Its creation would be refused: no filter of the workflow matches it, and there is no"
            " default filter."
        )
    tried = run.tried
    assert tried is not None
    if run.next_cycle is not None:
        said = wording.describe_foreseen(run.next_cycle.foreseen)
        number = run.next_cycle.step_number
    else:
        said, number = _describe_tried(tried), tried.number
    return f"Step {number}, queue {describe_queue(run, number)}: {said}"


def describe_queue(run: DryRun, number: int) -> str:
    """Return the name of the queue of a step."""
    if number > len(run.route.steps):
        return "–"
    return run.queues[run.route.steps[number - 1].target.queue].friendly_name


def _describe_tried(tried: TriedStep) -> str:
    if tried.verdicts.eligible:
        count = tried.verdicts.eligible
        return f"{_count(count, 'worker')} may have it."
    if wording.rules_out_all(tried):
        return wording.describe_task_side(tried) or ""
    if tried.known_worker is not None:
        return wording.describe_known_worker(tried.known_worker)
    return wording.describe_refusals(tried)


def describe_end(run: DryRun) -> str:
    """Return how the task ends if no worker ever takes it."""
    if run.refused:
        return "The task is not created."
    route = run.route
    if route.ends_us is None:
        return f"After {len(route.steps)} steps the dry run was cut off."
    after = _count(run.count_seconds(route.ends_us), "second")
    return f"After {after} it is canceled, as {_ENDS[route.reason]}."


def describe_trial(trial: FilterTrial) -> str:
    """Return whether a filter matches the task, or what does not hold."""
    if trial.matches:
        return "matches"
    return "; ".join(map(describe_failure, trial.because))


def describe_failure(failure: FailedComparison) -> str:
    """Return a comparison that does not hold, with what it read."""
    text = wording.shorten(failure.text)
    read = ", ".join(f"{name} is {show_value(value)}" for name, value in failure.values)
    return f"{text} is false: {read}" if read else f"{text} is false"


def show_value(value: Any) -> str:
    """Return a value that an expression has read, as JSON of limited length."""
    return "missing" if value is None else wording.shorten(json.dumps(value, ensure_ascii=False))


def describe_time(run: DryRun, step: RouteStep) -> str:
    """Return from when until when a task is in a step, in seconds after its creation."""
    begins = run.count_seconds(step.entered_us)
    if step.skipped:
        return f"at {begins} s"
    if step.left_us is None:
        return f"from {begins} s"
    return f"{begins:,} to {run.count_seconds(step.left_us):,} s"


def describe_skip(step: RouteStep) -> str:
    """Return whether a step is skipped, with the counts that its skip_if reads; "" without one."""
    if step.skip_counts is None or step.target.skip_if is None:
        return ""
    read = ", ".join(f"{name} is {show_value(count)}" for name, count in step.skip_counts.items())
    counts = f", as {read}" if read else ""
    verb = "is skipped if no worker can take the task at once" if step.skipped else "is not skipped"
    return f"{verb}: {wording.shorten(step.target.skip_if.source)}{counts}"


def list_conditions(step: RouteStep) -> Iterator[str]:
    """Yield what a step asks of workers, each as a sentence."""
    identity = step.identity
    if identity.known_worker_sid is not None:
        yield f"only the worker with the sid {identity.known_worker_sid or '(none)'}"
    if identity.known_worker_name is not None:
        yield f"only the worker called {identity.known_worker_name or '(nothing)'}"
    if identity.expression:
        yield wording.shorten(identity.expression)
    if identity.order_by:
        yield f"in the order {wording.shorten(identity.order_by)}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
