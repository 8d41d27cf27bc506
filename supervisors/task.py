"""The page of one task: where it is, who may have it, and what it is about."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.http import Http404
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing import models, subjects, task_layouts
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.verdicts import Verdict
from routing.core.vocabulary import AssignmentStatus, Refusal, ReservationStatus
from routing.explanations import facts
from routing.explanations.explanation import DeadlineKind, Explanation
from routing.explanations.history import Stay
from routing.snapshots import requirements
from supervisors import explaining
from supervisors.expression_words import describe_expression
from supervisors.panel import Context, Panel, Scene
from supervisors.remedies import Remedies, Remedy
from supervisors.tasks import STALE_ON
from supervisors.wording import TASK_STATUSES, isolate

ELIGIBLE: Final = "eligible"
"""The value of the parameter `reason` for workers who may have the task."""

_REASONS: Final[dict[str, Promise]] = {
    ELIGIBLE: _("May have it"),
    "task_not_pending": _("It no longer waits"),
    "attributes_unreadable": _("Attributes cannot be read"),
    "not_in_queue": _("Not of its queue"),
    "worker_unavailable": _("Takes no work"),
    "channel_unavailable": _("Channel switched off"),
    "no_capacity": _("No free slot"),
    "grab_not_allowed": _("May not pick it"),
    "expression_not_met": _("Does not meet what it asks for"),
    "kept_for_manual": _("Free slots kept for grabbing"),
    "recently_rejected": _("Rejected it a moment ago"),
    "already_offered": _("Has it on offer"),
}
_DEADLINES: Final = {
    DeadlineKind.STEP: _("The step ends and the workflow leads on"),
    DeadlineKind.TASK: _("Its lifetime ends and it is canceled"),
    DeadlineKind.RESERVATION: _("The offer expires"),
}
_LABELS: Final[dict[str, Promise]] = {
    "fetch": _("Set to %(activity)s"),
    "switch_on": _("Switch %(channel)s on"),
    "raise_capacity": _("One %(channel)s slot more"),
    "release_kept": _("Keep no %(channel)s slots"),
    "teach_add": _("Add %(value)s to %(path)s"),
    "teach_set": _("Set %(path)s to %(value)s"),
}
"""The labels of remedies."""
_WHAT_IFS: Final[dict[str, Promise]] = {
    "fetch": _("If %(worker)s were %(activity)s, they would be asked first."),
    "switch_on": _("With %(channel)s switched on, %(worker)s would be asked first."),
    "raise_capacity": _("With one %(channel)s slot more, %(worker)s would be asked first."),
    "release_kept": _(
        "If no %(channel)s slots were kept for grabbing, %(worker)s would be asked first."
    ),
    "teach_add": _("With %(value)s in %(path)s, %(worker)s would be asked first."),
    "teach_set": _("If %(path)s were %(value)s, %(worker)s would be asked first."),
}
_ASSIGNABLE: Final = (None, Refusal.RECENTLY_REJECTED)
"""Verdicts after which a supervisor may assign the task without further ticks."""
MOST_SUBJECTS: Final = 200
"""The number of workers that one button changes."""


def find_task(scene: Scene) -> models.Task:
    """Return the task that the view names; raises `Http404` for one of another workspace."""
    rows = models.Task.objects.filter(workspace=scene.workspace, sid=scene.view.task)
    found = rows.select_related(*facts.READ_WITH).first()
    if found is None:
        raise Http404
    return found


def load_task(scene: Scene) -> Context:
    """Return the head of a task, and its attributes in full."""
    task = find_task(scene)
    layout = task_layouts.load_layout(scene.workspace)
    known = subjects.parse_attributes(task.attributes)
    title, _titled = subjects.first_text(known, layout.titles)
    person, _named = subjects.first_text(known, layout.subtitles)
    queue = task.task_queue
    channel = scene.picture.setup.channels.get(task.task_channel_id or 0)
    is_waiting = task.assignment_status == AssignmentStatus.PENDING
    return {
        "task": task,
        "channel": channel.name if channel else task.channel_name,
        "title": title or person or task.sid,
        "person": person if title else "",
        "status_word": TASK_STATUSES[task.assignment_status],
        "queue_link": scene.queue_link(queue.sid) if queue else "",
        "holders": list_holders(scene, task),
        "since_us": microseconds(task.date_created),
        "entered_us": _moment(task.task_queue_entered_date) if is_waiting else None,
        "finished_us": _moment(task.date_finished),
        "attributes": _format_attributes(task.attributes),
    }


def _write_date(scene: Scene, at: datetime | None) -> str:
    """Return a moment in the time zone of the view."""
    if at is None:
        return "–"
    return isolate(date_format(at.astimezone(scene.zone), "Y-m-d H:i:s"))


def _moment(value: Any) -> int | None:
    return None if value is None else microseconds(value)


def _format_attributes(text: str) -> str:
    """Return attributes with one value on a line; unreadable ones as they are stored."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def list_holders(scene: Scene, task: models.Task) -> list[dict[str, Any]]:
    """Return who has a task, or has it on offer."""
    rows = models.Reservation.objects.open().filter(task=task).select_related("worker")
    return [
        {
            "name": row.worker_name,
            "link": scene.worker_link(row.worker.sid) if row.worker else "",
            "offered": row.reservation_status == ReservationStatus.PENDING,
            "since_us": microseconds(row.date_accepted or row.date_created),
        }
        for row in rows.order_by("pk")
    ]


def load_explanation(scene: Scene) -> Context:
    """Return why a task is where it is, and the verdict on each worker, one page of them."""
    task = find_task(scene)
    explanation = facts.explain_task(task, now=scene.now)
    remedies = None
    if task.assignment_status == AssignmentStatus.PENDING and explanation.readable:
        needed = requirements.load_requirements(task, reserved_for=(), now=scene.now)
        remedies = Remedies(needed, scene.picture.setup)
    verdicts = explanation.verdicts
    everyone = (*verdicts.inside, *verdicts.outside)
    if all(one.refusal == Refusal.TASK_NOT_PENDING for one in everyone):
        everyone = ()  # the same reason for each of them says nothing
    chosen = [one for one in everyone if scene.view.reason in ("", name_reason(one))]
    first = int(scene.view.after) if scene.view.after.isdecimal() else 0
    shown, rest = chosen[first : first + scene.view.size], chosen[first + scene.view.size :]
    deadline = explanation.deadline
    lane = explanation.task.lane if explanation.target_expression else None
    return {
        "summary": explaining.summarize(explanation, lambda at: _write_date(scene, at)),
        "task_side": explaining.describe_task_side(explanation),
        "deadline": _DEADLINES[deadline.kind] if deadline else "",
        "deadline_us": microseconds(deadline.date) if deadline else None,
        "steps": [_describe_stay(one) for one in (*explanation.passed, explanation.step) if one],
        "task": task,
        "asks": explanation.target_expression,
        "asks_words": describe_expression(explanation.target_expression or "", subject="target"),
        "lane": lane,
        "lane_words": describe_expression(lane.expression, subject="residual") if lane else "",
        "verdicts": [_describe_verdict(scene, one, explanation, remedies) for one in shown],
        "for_all": _find_remedy_for_all(scene, chosen, remedies),
        "what_ifs": _describe_what_ifs(remedies, explanation),
        "total": len(everyone),
        "reasons": list_reasons(scene, everyone),
        "next": scene.view.link(after=str(first + scene.view.size)) if rest else "",
        "first": scene.view.link() if first else "",
    }


def name_reason(verdict: Verdict) -> str:
    """Return the reason of a verdict as the parameter `reason` has it."""
    return ELIGIBLE if verdict.refusal is None else verdict.refusal.value


def list_reasons(scene: Scene, verdicts: Iterable[Verdict]) -> Sequence[dict[str, Any]]:
    """Return how many workers each reason concerns, with the query that shows them."""
    counted = Counter(map(name_reason, verdicts))
    return [
        {
            "title": title,
            "count": counted[name],
            "query": scene.view.link(reason="" if scene.view.reason == name else name),
            "current": scene.view.reason == name,
        }
        for name, title in _REASONS.items()
        if counted[name]
    ]


def _describe_verdict(
    scene: Scene, verdict: Verdict, explanation: Explanation, remedies: Remedies | None
) -> dict[str, Any]:
    """Return the verdict on one worker, with the act that removes its reason, if there is one."""
    remedy = None if remedies is None else remedies.find_remedy(verdict)
    may_have = remedies is not None and verdict.refusal in _ASSIGNABLE
    return {
        "act": _describe_remedy(remedy, [_name_version(scene, verdict)]) if remedy else None,
        "assign_to": verdict.worker.sid if may_have else "",
        "sid": verdict.worker.sid,
        "name": verdict.worker.friendly_name,
        "link": scene.worker_link(verdict.worker.sid),
        "rank": verdict.rank,
        "reason": name_reason(verdict),
        "sentence": explaining.describe_verdict(verdict, explanation),
    }


def _name_version(scene: Scene, verdict: Verdict) -> str:
    """Return the worker as a form names them: one who has changed their activity is refused."""
    known = scene.picture.workers.get(verdict.worker.id)
    return verdict.worker.sid if known is None else f"{known.sid}@{known.since_us}"


def _describe_remedy(remedy: Remedy, subjects: Sequence[str]) -> dict[str, Any]:
    return {
        "command": remedy.command,
        "subjects": subjects,
        "fields": remedy.fields,
        "label": str(_LABELS[remedy.kind]) % _isolate_values(remedy),
    }


def _isolate_values(remedy: Remedy) -> dict[str, str]:
    return {name: isolate(value) for name, value in remedy.values.items()}


def _find_remedy_for_all(
    scene: Scene, chosen: Sequence[Verdict], remedies: Remedies | None
) -> dict[str, Any] | None:
    """Return the act for all workers of the chosen reason, if the same one helps them."""
    if remedies is None or not scene.view.reason or len(chosen) < 2:
        return None
    found = [(verdict, remedies.find_remedy(verdict)) for verdict in chosen[:MOST_SUBJECTS]]
    first = next((remedy for _, remedy in found if remedy is not None), None)
    if first is None:
        return None
    same = [
        _name_version(scene, verdict)
        for verdict, remedy in found
        if remedy is not None and (remedy.command, remedy.fields) == (first.command, first.fields)
    ]
    return _describe_remedy(first, same) | {"count": len(same)} if len(same) > 1 else None


def _describe_what_ifs(
    remedies: Remedies | None, explanation: Explanation
) -> Sequence[dict[str, Any]]:
    """Return a sentence for each change of one worker that would bring the task to them."""
    if remedies is None or explanation.verdicts.eligible:
        return ()
    return [
        {
            "sentence": str(_WHAT_IFS[one.remedy.kind])
            % {**_isolate_values(one.remedy), "worker": isolate(one.worker.friendly_name)},
            "act": _describe_remedy(one.remedy, [one.worker.sid]),
        }
        for one in remedies.find_what_ifs(explanation.verdicts)
    ]


def _describe_stay(stay: Stay) -> dict[str, Any]:
    return {
        "queue": stay.task_queue_name,
        "filter": stay.filter_name,
        "entered_us": _moment(stay.entered),
        "left_us": _moment(stay.left),
        "outcome": explaining.OUTCOMES[stay.outcome] if stay.outcome else "",
    }


EXPLAINED_STALE_ON: Final = STALE_ON | {
    *(E.WORKER_ACTIVITY_UPDATE, E.WORKER_CAPACITY_UPDATE, E.WORKER_ATTRIBUTES_UPDATE),
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE,
}
"""Events that may change whether a worker may have the task."""
PANELS: Final = (
    Panel(name="task", load=load_task, from_picture=False, stale_on=STALE_ON),
    Panel(
        name="explanation",
        load=load_explanation,
        from_picture=False,
        stale_on=EXPLAINED_STALE_ON,
    ),
)
