"""Write an explanation as sentences for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from routing.core.clock import SECOND, microseconds
from routing.core.snapshot import Rejection
from routing.core.verdicts import TaskSide, Verdict, Verdicts
from routing.core.vocabulary import AssignmentStatus, Refusal, ReservationStatus
from routing.explanations.explanation import (
    DIRECT,
    DeadlineKind,
    Explanation,
    Foreseen,
    KnownWorker,
    Problem,
)
from routing.explanations.history import Stay
from routing.fields.declarations import date_text

_DEADLINES: Final = {
    DeadlineKind.STEP: "the step ends and the workflow leads on",
    DeadlineKind.TASK: "the lifetime of the task ends and it is canceled",
    DeadlineKind.RESERVATION: "the offer expires",
}

_SHORT: Final = {
    Refusal.TASK_NOT_PENDING: "it no longer waits",
    Refusal.ATTRIBUTES_UNREADABLE: "with attributes that are not a JSON object",
    Refusal.NOT_IN_QUEUE: "not of its queue",
    Refusal.WORKER_UNAVAILABLE: "in an activity that takes no work",
    Refusal.CHANNEL_UNAVAILABLE: "with the channel switched off",
    Refusal.NO_CAPACITY: "without a free slot on the channel",
    Refusal.GRAB_NOT_ALLOWED: "not allowed to pick it",
    Refusal.EXPRESSION_NOT_MET: "not meeting what it asks for",
    Refusal.KEPT_FOR_MANUAL: "with only slots kept for picking by hand",
    Refusal.RECENTLY_REJECTED: "who rejected it a moment ago",
    Refusal.ALREADY_OFFERED: "to whom it is on offer",
}


MOST_SHOWN: Final = 200
"""Most characters of a value or an expression to quote in a sentence."""

_UNREADABLE: Final = "Its attributes or its requirements cannot be read: the log has the reason."


class JudgedTask(Protocol):
    """A task whose workers are judged, whether it exists or not."""

    @property
    def now(self) -> datetime:
        """Return the moment for which the workers are judged."""

    @property
    def task_side(self) -> TaskSide | None:
        """Return its target's expression as far as the task decides it."""

    @property
    def verdicts(self) -> Verdicts:
        """Return the workers."""


def describe_deadline(explanation: Explanation) -> str | None:
    """Return what happens at the next deadline."""
    if explanation.deadline is None:
        return None
    return f"At {date_text(explanation.deadline.date)} {_DEADLINES[explanation.deadline.kind]}."


def describe_verdict(verdict: Verdict, explanation: JudgedTask) -> str:
    """Return why the router passes a worker over, or as which number it offers to them.

    Arguments:
        explanation: that of the task, to find out whether the worker or the task does not fit.
    """
    unmet = verdict.refusal == Refusal.EXPRESSION_NOT_MET
    if unmet and rules_out_all(explanation):
        return "The task itself rules out every worker in this step."
    if verdict.rejection is not None:
        return _describe_rejection(verdict.rejection, explanation)
    if verdict.refusal is not None:
        return verdict.refusal.third_person
    return f"The router asks this worker as number {verdict.rank}."


def _describe_rejection(rejection: Rejection, explanation: JudgedTask) -> str:
    now = microseconds(explanation.now)
    ago = _count_seconds((now - rejection.rejected_us) // SECOND)
    left = _count_seconds(-((now - rejection.until_us) // SECOND))
    return f"The worker rejected this task {ago} ago; they may be offered it again in {left}."


def _count_seconds(seconds: int) -> str:
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def rules_out_all(explanation: JudgedTask) -> bool:
    """Return whether the task's own attributes make the expression false for every worker."""
    return explanation.task_side is not None and bool(explanation.task_side.unmet)


def describe_task_side(explanation: JudgedTask) -> str | None:
    """Return how the task's attributes decide its target's expression, if they do."""
    side = explanation.task_side
    if side is None:
        return None
    if side.unmet:
        has = _join([_describe_attribute(name, value) for name, value in side.attributes.items()])
        because = f"{has}, and " if has else ""
        return (
            f"No worker can have it in this step: {because}the target asks for"
            f" {shorten(side.unmet)}."
        )
    if side.missing:
        return f"The task has no {_join(side.missing)}, which the target asks about."
    return None


def _describe_attribute(name: str, value: Any) -> str:
    if value is None:
        return f"the task has no {name}"
    return f"the task's {name} is {shorten(json.dumps(value, ensure_ascii=False))}"


def shorten(text: str) -> str:
    """Return a text, cut to `MOST_SHOWN` characters."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def describe_grab_verdict(verdict: Verdict) -> str:
    """Return whether a worker may grab the task, as a sentence."""
    if verdict.grab_refusal is None:
        return "The worker may take the task by hand."
    return verdict.grab_refusal.third_person


def describe_known_worker(known: KnownWorker) -> str:
    """Return the state of the one worker that a task names, as a sentence."""
    reads = f"{known.attribute} names {known.named!r}"
    match known.problem:
        case Problem.MISSING:
            return f"The task asks for one worker, but {known.attribute} names no worker."
        case Problem.UNKNOWN:
            return f"The task asks for one worker, but {reads}, who does not exist."
        case Problem.OTHER_WORKSPACE:
            return f"The task asks for one worker, but {reads}, who is of another workspace."
        case Problem.NOT_IN_QUEUE:
            return f"The task asks for {_known_name(known)} alone, who does not serve its queue."
    whose = "directly" if known.attribute == DIRECT else f"by {known.attribute}"
    return f"The task asks for {_known_name(known)} alone, {whose}."


def summarize(explanation: Explanation) -> str:
    """Return in a sentence or two why a task is where it is."""
    said = _describe_status(explanation)
    return said if explanation.readable else f"{said} {_UNREADABLE}"


def _describe_status(explanation: Explanation) -> str:
    match explanation.status:
        case AssignmentStatus.PENDING:
            return _describe_waiting(explanation)
        case AssignmentStatus.RESERVED:
            offers = [f"{h.worker_name} until {date_text(h.until)}" for h in explanation.holders]
            return f"On offer to {_join(offers)}."
        case AssignmentStatus.ASSIGNED | AssignmentStatus.WRAPPING:
            wraps = explanation.status == AssignmentStatus.WRAPPING
            verb = "been wrapping it up" if wraps else "had it"
            return " ".join(
                f"{h.worker_name} has {verb} since {date_text(h.since)}."
                for h in explanation.holders
                if h.reservation_status != ReservationStatus.COMPLETED
            )
    return _describe_end(explanation)


def _describe_waiting(explanation: Explanation) -> str:
    foreseen, known = explanation.foreseen, explanation.known_worker
    if explanation.due:
        return "Its time is over; the router acts on that in its next cycle."
    if rules_out_all(explanation):
        return describe_task_side(explanation) or ""
    if foreseen is not None:
        return describe_foreseen(foreseen)
    if known is not None:
        said = describe_known_worker(known)
        if known.problem is None and known.verdict is not None:
            return f"{said} {describe_verdict(known.verdict, explanation)}"
        return f"{said} It waits in this step until something changes that."
    return describe_refusals(explanation)


def describe_foreseen(foreseen: Foreseen) -> str:
    """Return what the next cycle does with a task that some worker may have."""
    ahead = foreseen.ahead
    before = f"{ahead} {'task that comes' if ahead == 1 else 'tasks that come'} before it"
    if foreseen.workers:
        after = f", after {before}" if ahead else ""
        names = _join([worker.friendly_name for worker in foreseen.workers])
        return f"Will be offered to {names} in the next cycle{after}."
    return f"Waits behind {before}, for the same workers."


def describe_refusals(explanation: JudgedTask) -> str:
    """Return why no worker of the queue may have a task."""
    inside = explanation.verdicts.inside
    if not inside:
        return "No worker serves its queue."
    refusals = explanation.verdicts.reasons
    lacking = describe_task_side(explanation) if Refusal.EXPRESSION_NOT_MET in refusals else None
    after = "" if lacking is None else f" {lacking}"
    if len(inside) == 1:
        alone = inside[0].worker.friendly_name
        return f"{alone} alone serves its queue. {describe_verdict(inside[0], explanation)}{after}"
    reasons = _join([f"{n} {_SHORT[refusal]}" for refusal, n in refusals.items()])
    return f"None of the {len(inside)} workers of its queue may have it now: {reasons}.{after}"


def _describe_end(explanation: Explanation) -> str:
    task = explanation.task
    verb = "Completed" if explanation.status == AssignmentStatus.COMPLETED else "Canceled"
    by = _join([h.worker_name for h in explanation.holders])
    said = f"{verb} at {date_text(task.date_finished)}{f' by {by}' if by else ''}."
    return f"{said} Reason: {task.reason}" if task.reason else said


def write_report(explanation: Explanation) -> Iterator[str]:
    """Yield the whole explanation, line by line."""
    task, verdicts = explanation.task, explanation.verdicts
    yield f"Task {task.sid} is {task.assignment_status}."
    yield summarize(explanation)
    if said := describe_deadline(explanation):
        yield said
    yield ""
    yield "Steps:"
    waits = explanation.status in (AssignmentStatus.PENDING, AssignmentStatus.RESERVED)
    for step in (*explanation.passed, explanation.step):
        if step is not None:
            yield f"  {_describe_stay(step, end='now' if waits else 'taken')}"
    if asked := _describe_conditions(explanation):
        yield ""
        yield from asked
    yield ""
    inside, outside = len(verdicts.inside), len(verdicts.outside)
    yield f"Workers: {inside} of its queue, {outside} of others."
    for verdict in verdicts.inside:
        place = "–" if verdict.rank is None else str(verdict.rank)
        who = f"{verdict.worker.friendly_name} ({verdict.worker.sid})"
        said = f"{describe_verdict(verdict, explanation)} {_describe_grab_beside_offer(verdict)}"
        yield f"  {place:>3} {who}: {said}"


def _describe_grab_beside_offer(verdict: Verdict) -> str:
    if verdict.grab_refusal is not None and verdict.grab_refusal == verdict.refusal:
        return "Nor can it be taken by hand."
    return describe_grab_verdict(verdict)


def _describe_stay(step: Stay, *, end: str) -> str:
    where = "no queue" if step.task_queue_name is None else f"queue {step.task_queue_name}"
    by = "directly" if step.filter_name is None else f"by filter {step.filter_name!r}"
    since = "?" if step.entered is None else date_text(step.entered)
    if step.outcome is None:
        return f"{since} – {end}: {where}, {by}."
    return f"{since} – {date_text(step.left)}: {where}, {by}; {step.outcome.words}."


def _describe_conditions(explanation: Explanation) -> Sequence[str]:
    if explanation.status != AssignmentStatus.PENDING or explanation.task.lane is None:
        return []
    lane = explanation.task.lane
    said = []
    if explanation.target_expression:
        said.append(f"The target asks: {explanation.target_expression}")
    if rules_out_all(explanation) and (why := describe_task_side(explanation)):
        said.append(why)
    elif lane.expression:
        said.append(f"It asks of a worker: {lane.expression}")
    if lane.order_by:
        said.append(f"It asks workers in the order: {lane.order_by}")
    return said


def _known_name(known: KnownWorker) -> str:
    return known.named if known.verdict is None else known.verdict.worker.friendly_name


def _join(words: Sequence[str]) -> str:
    """Join words with commas and "and"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
