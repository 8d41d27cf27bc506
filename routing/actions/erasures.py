"""Erase a customer's data from finished tasks and from the events of tasks.

Events carry a task's attributes, as event callbacks and the worker SDK do, and they outlive the
task. Tasks are matched by the attributes that they have or have had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final
from urllib.parse import unquote_plus

from django.db import transaction
from django.db.models.fields.json import KT

from routing import models, sids
from routing.actions import idempotency, tasks
from routing.actions.supervision import batches
from routing.actions.support.errors import InvalidInput
from routing.actors import Actor
from workflows import expressions
from workflows.expressions.nodes import ListOf, Literal, list_comparisons

BATCH: Final = 500
"""Rows that are read or written in one batch."""
MOST_TASKS: Final = 10_000
"""Tasks per call; another call continues with the rest."""
ERASED: Final = "{}"
_TEXTS: Final = (
    *("reason", "task_completed_reason", "task_canceled_reason"),
    *("transfer_note", "reservation_outcome_note"),
    # A supervisor's, on what a batch did.
    "note",
)

_ANSWERED: Final[dict[str, str | None]] = {
    **dict.fromkeys(("attributes", "task_attributes"), ERASED),
    **dict.fromkeys(("reason", "note", "outcome_note")),
}
"""What an answer of REST or the SDK has instead of these fields."""
SHORTEST_VALUE: Final = 3
"""Characters of a value by which saved views are found; `en` would find those of a language."""
MARGIN: Final = timedelta(hours=2)
"""How much longer than its lifetime an answer may be stored: an hourly job deletes it."""

Found = tuple[str, str]
"""The sid of a task, and attributes that it has or has had."""


@dataclass(slots=True)
class Erasure:
    """The result: what matched, and was erased unless it was only counted.

    Arguments:
        events: how many events contain, or contained, data to erase.
        unfinished: the sids of matching tasks that are not finished; they stay as they are.
        views: how many saved views of the cockpit name a value of the expression.
        more: whether there may be further tasks that match.
    """

    tasks: int = 0
    events: int = 0
    unfinished: list[str] = field(default_factory=list)
    views: int = 0
    more: bool = False


def erase_tasks(
    *, workspace_sid: str, where: str, count_only: bool = False, actor: Actor, now: datetime
) -> Erasure:
    """Erase attributes, reasons and notes of a workspace's tasks, there and in their events.

    Each task is erased in a transaction of its own. A task that still exists gets the event
    `task.updated`, so that programs with copies are notified. Raises `InvalidInput`.

    Arguments:
        workspace_sid: may be that of a deleted workspace, whose events are kept.
        where: an expression over the attributes of a task, as in a workflow's filter.
        count_only: change nothing.
    """
    expression = _compile_condition(where)
    done = Erasure()
    seen: set[str] = set()
    for sid, text in chain(
        _list_present_attributes(workspace_sid), _list_past_attributes(workspace_sid)
    ):
        if sid in seen or not _matches(expression, sid, text):
            continue
        if len(seen) == MOST_TASKS:
            done.more = True
            break
        seen.add(sid)
        task = models.Task.objects.filter(sid=sid).first()
        if task is not None and task.date_finished is None:
            done.unfinished.append(sid)
            continue
        done.tasks += 1
        if count_only:
            done.events += sum(1 for _ in _find_events_to_erase(sid))
        else:
            done.events += _erase_task(sid, task, actor, now)
    done.views = _erase_saved_views(workspace_sid, expression, count_only=count_only)
    return done


def _erase_saved_views(
    workspace_sid: str, expression: expressions.Expression, *, count_only: bool
) -> int:
    """Delete the saved views that search for a value of the expression; return how many."""
    wanted = _list_values(expression)
    found = [
        view.pk
        for view in models.SavedView.objects.filter(workspace__sid=workspace_sid)
        if any(value in f"{unquote_plus(view.query)} {view.name}".casefold() for value in wanted)
    ]
    if not count_only:
        models.SavedView.objects.filter(pk__in=found).delete()
    return len(found)


def _list_values(expression: expressions.Expression) -> set[str]:
    """Return the values that an expression compares with, long enough to tell a customer."""
    sides = [
        side
        for comparison in list_comparisons(expression.node)
        for side in (comparison.left, comparison.right)
    ]
    values = [side.value for side in sides if isinstance(side, Literal)]
    values += [value for side in sides if isinstance(side, ListOf) for value in side.values]
    texts = {str(value).casefold() for value in values if isinstance(value, (str, int, float))}
    return {text for text in texts if len(text) >= SHORTEST_VALUE}


def _compile_condition(where: str) -> expressions.Expression:
    try:
        expression = expressions.compile_expression(where, subject="task")
    except expressions.ExpressionError as error:
        raise InvalidInput(f"where is not an expression: {error}", field="where") from None
    if expression.matches(task=expressions.NOTHING):
        raise InvalidInput(
            "where holds for tasks without attributes, so for every erased one too; name the value"
            " that is to be erased, as in customer == 'Ada'",
            field="where",
        )
    return expression


def _matches(expression: expressions.Expression, sid: str, text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return expression.matches(task=expressions.View(found, {"sid": sid}))


def _list_present_attributes(workspace_sid: str) -> Iterator[Found]:
    rows = models.Task.objects.filter(workspace__sid=workspace_sid).order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last).values_list("pk", "sid", "attributes")[:BATCH]):
        last = batch[-1][0]
        yield from ((sid, text) for _, sid, text in batch)


def _list_past_attributes(workspace_sid: str) -> Iterator[Found]:
    """Yield the attributes that tasks had, deleted ones too; unchanged ones are not repeated."""
    rows = models.Event.objects.filter(workspace_sid=workspace_sid, task_key__isnull=False)
    columns = ("pk", KT("event_data__task_sid"), KT("event_data__task_attributes"))
    last = 0
    before: dict[str, str] = {}
    while batch := list(rows.filter(pk__gt=last).order_by("pk").values_list(*columns)[:BATCH]):
        last = batch[-1][0]
        latest: dict[str, str] = {}
        for _, sid, text in batch:
            if not sid or not text or text == ERASED:
                continue
            if latest.get(sid, before.get(sid)) != text:
                yield sid, text
            latest[sid] = text
        before = latest


@transaction.atomic
def _erase_task(sid: str, task: models.Task | None, actor: Actor, now: datetime) -> int:
    """Erase one task, and return how many events contained its data."""
    if task is not None and (task.attributes != ERASED or task.reason is not None):
        # Both first, so that the event of the change contains neither of them.
        models.Task.objects.filter(pk=task.pk).update(reason=None, attributes=ERASED)
        tasks.update_task(task=task, attributes=ERASED, actor=actor, now=now)
    models.Transfer.objects.filter(task__sid=sid).update(note=None)
    models.Reservation.objects.filter(task__sid=sid).update(outcome_note=None)
    erased: list[models.Event] = []
    for event in _find_events_to_erase(sid):
        event.event_data = _erase_data(event.event_data)
        erased.append(event)
    models.Event.objects.bulk_update(erased, ["event_data"], batch_size=BATCH)
    for start in range(0, len(erased), BATCH):
        deliveries = models.CallbackDelivery.objects.filter(event__in=erased[start : start + BATCH])
        deliveries.update(answer="")
    for asked in models.AssignmentCallback.objects.filter(reservation__task__sid=sid):
        asked.parameters = asked.parameters | {"TaskAttributes": ERASED}
        asked.answer = asked.outcome = ""
        asked.save(update_fields=["parameters", "answer", "outcome"])
    _erase_acts(sid)
    if _may_have_stored_answer(task, erased, now):
        _erase_stored_answers(sid)
    return len(erased)


def _erase_acts(sid: str) -> None:
    """Erase what supervisors wrote about a task, and why it was refused to them."""
    rows = models.BatchRow.objects.filter(subject_sid=sid)
    batches.erase_texts(models.Batch.objects.filter(pk__in=rows.values("batch")))
    rows.update(reason="")


def _may_have_stored_answer(
    task: models.Task | None, erased: Sequence[models.Event], now: datetime
) -> bool:
    """Return whether an answer that names the task may be stored: those end after a day."""
    recent = now - idempotency.LIFETIME - MARGIN
    if task is not None and task.date_created < recent:
        return False
    return not erased or erased[0].event_date > recent


def _erase_stored_answers(sid: str) -> None:
    """Erase a task's data from the answers that retries of its creation get."""
    for row in models.IdempotencyKey.objects.filter(body__contains=sid):
        row.body = json.dumps(_erase_answer(json.loads(row.body)), separators=(",", ":"))
        row.save(update_fields=["body"])


def _erase_answer(value: Any) -> Any:
    if isinstance(value, list):
        return [_erase_answer(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _ANSWERED[name] if name in _ANSWERED else _erase_answer(part)
        for name, part in value.items()
    }


def _find_events_to_erase(sid: str) -> Iterator[models.Event]:
    """Yield the events of a task that contain data to erase."""
    events = models.Event.objects.filter(task_key=sids.index_key(sid)).order_by("pk")
    for event in events.iterator(chunk_size=BATCH):
        # Different tasks may share a key.
        if (
            event.event_data.get("task_sid") == sid
            and _erase_data(event.event_data) != event.event_data
        ):
            yield event


def _erase_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return an event's data without the customer's."""
    nothing = {"task_attributes": ERASED} | dict.fromkeys(_TEXTS)
    erased = data | {name: value for name, value in nothing.items() if name in data}
    changes = json.loads(data.get("changes") or "{}")
    if "attributes" in changes:
        changes["attributes"] = [ERASED, ERASED]
        erased["changes"] = json.dumps(changes)
    return erased
