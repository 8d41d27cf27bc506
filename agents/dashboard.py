"""The contents of each panel of the desk, and the events that make each panel stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from agents import cards, happenings, outcomes, slots, task_list, transfers, waiting
from agents.selections import Selection, parse_selection
from routing import models, task_layouts
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.vocabulary import ReservationStatus
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import pipeline

Context = dict[str, Any]


class Panel(StrEnum):
    """The parts of the desk; each is fetched again when something it shows has changed."""

    PRESENCE = "presence"
    OFFERS = "offers"
    TASKS = "tasks"
    QUEUE = "queue"
    HAPPENED = "happened"


_PRESENCE, _OFFERS, _TASKS, _QUEUE, _HAPPENED = Panel
_ALL = frozenset(Panel) - {_HAPPENED}
_TOLD = frozenset({_HAPPENED})
# A worker's load decides the slots, and which tasks they may grab. Expressions of queues and
# targets may also read how much of a channel is in use.
_CAPACITY = frozenset({_PRESENCE, _QUEUE})

PANELS: Final[Mapping[E, frozenset[Panel]]] = {
    E.WORKSPACE_UPDATED: _ALL | _TOLD,
    E.WORKSPACE_DELETED: _ALL,
    E.ACTIVITY_CREATED: frozenset({_PRESENCE}),
    E.ACTIVITY_UPDATED: _CAPACITY | {_OFFERS},
    E.ACTIVITY_DELETED: frozenset({_PRESENCE}),
    E.TASK_CHANNEL_CREATED: _CAPACITY,
    E.TASK_CHANNEL_UPDATED: _ALL | _TOLD,
    E.TASK_CHANNEL_DELETED: _ALL,
    E.OUTCOME_CODE_CREATED: frozenset({_TASKS}),
    E.OUTCOME_CODE_UPDATED: frozenset({_TASKS}),
    E.OUTCOME_CODE_DELETED: frozenset({_TASKS}),
    E.TASK_QUEUE_CREATED: frozenset({_QUEUE}),
    E.TASK_QUEUE_UPDATED: frozenset({_OFFERS, _TASKS, _QUEUE}),
    E.TASK_QUEUE_DELETED: frozenset({_OFFERS, _TASKS, _QUEUE}),
    E.TASK_QUEUE_EXPRESSION_UPDATED: frozenset({_QUEUE}),
    E.TASK_QUEUE_ENTERED: frozenset({_QUEUE}),
    E.TASK_QUEUE_MOVED: frozenset({_QUEUE}),
    E.WORKFLOW_UPDATED: frozenset({_QUEUE}),
    E.WORKER_DELETED: _ALL,
    E.WORKER_ATTRIBUTES_UPDATE: _CAPACITY,
    E.WORKER_ACTIVITY_UPDATE: _CAPACITY | _TOLD | {_OFFERS},
    E.WORKER_CAPACITY_UPDATE: _CAPACITY | _TOLD,
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: _CAPACITY | _TOLD,
    E.TASK_CREATED: frozenset({_QUEUE}),
    E.TASK_UPDATED: frozenset({_OFFERS, _TASKS, _QUEUE}),
    E.TASK_WRAPUP: frozenset({_TASKS}),
    E.TASK_COMPLETED: frozenset({_TASKS}),
    E.TASK_CANCELED: frozenset({_QUEUE}),
    E.TASK_TAKEN_BACK: _TOLD | {_TASKS},
    E.TASK_DELETED: frozenset({_OFFERS, _TASKS, _QUEUE}),
    E.TASK_TRANSFER_INITIATED: _TOLD | {_TASKS},
    E.TASK_TRANSFER_ATTEMPT_FAILED: frozenset({_TASKS}),
    E.TASK_TRANSFER_FAILED: _TOLD | {_TASKS},
    E.TASK_TRANSFER_CANCELED: _TOLD | {_TASKS},
    E.TASK_TRANSFER_COMPLETED: _TOLD | {_TASKS},
    E.RESERVATION_CREATED: _CAPACITY | {_OFFERS},
    E.RESERVATION_ACCEPTED: _ALL | _TOLD,
    E.RESERVATION_REJECTED: _CAPACITY | _TOLD | {_OFFERS},
    E.RESERVATION_TIMEOUT: _CAPACITY | _TOLD | {_OFFERS},
    E.RESERVATION_CANCELED: _ALL | _TOLD,
    E.RESERVATION_RESCINDED: _CAPACITY | _TOLD | {_OFFERS},
    E.RESERVATION_WRAPUP: _CAPACITY | _TOLD | {_TASKS},
    E.RESERVATION_WRAPUP_EXTENDED: frozenset({_TASKS}),
    E.RESERVATION_COMPLETED: _CAPACITY | _TOLD | {_TASKS},
    E.RESERVATION_FAILED: frozenset({_QUEUE}),
}
"""The panels that are stale for an agent who receives an event of this type."""

NOT_SHOWN: Final = frozenset(
    {
        E.WORKSPACE_CREATED,
        E.TASK_QUEUE_TIMEOUT,
        E.WORKFLOW_CREATED,
        E.WORKFLOW_DELETED,
        E.WORKFLOW_ENTERED,
        E.WORKFLOW_TARGET_MATCHED,
        E.WORKFLOW_TIMEOUT,
        E.WORKFLOW_SKIPPED,
        E.WORKER_CREATED,
        E.TASK_SYSTEM_DELETED,
        E.RESERVATION_CALLBACK_FAILED,
        E.THRESHOLD_CREATED,
        E.THRESHOLD_UPDATED,
        E.THRESHOLD_DELETED,
        E.ALERT_RAISED,
        E.ALERT_CHANGED,
        E.ALERT_CLEARED,
        E.ALERT_ACKNOWLEDGED,
    }
)
"""Event types that change nothing on a desk."""


def list_stale_panels(event_type: E, *, own: bool, acted: bool = False) -> frozenset[Panel]:
    """Return the panels that an event makes stale.

    Arguments:
        own: whether the event names this agent or no worker; one about a colleague who serves the
            same queue changes only what waits there.
        acted: whether this agent caused it, which they are not told; a move of theirs may remove
            the way back from what was told before.
    """
    panels = PANELS.get(event_type, frozenset())
    if not own:
        return panels & {_QUEUE}
    return panels - _TOLD if acted and event_type != E.WORKER_ACTIVITY_UPDATE else panels


def load_presence(worker: models.Worker) -> Context:
    """Return the agent, their activity, and their slots on every channel."""
    with pipeline():
        pending = _PENDING.send(worker.pk)
        channels = _CHANNELS.send(worker.pk)
        activities = _ACTIVITIES.send(worker.workspace_id)
    offered = Counter(channel for (channel,) in pending.result())
    rows = channels.result()
    most_free, only_task = None, None
    if not worker.workspace.multi_task_enabled:
        most_free = 0 if any(row.consumed for row in rows) else 1
        only_task = None if most_free else _find_only_task(worker)
    return {
        "activities": activities.result(),
        "offered": offered.total(),
        "only_task": only_task,
        "gauges": [
            slots.build_gauge(row, offered=offered[row.pk], most_free=most_free) for row in rows
        ],
    }


def _find_only_task(worker: models.Worker) -> Context | None:
    """Return the title of the task that a worker without multitasking has, and its state."""
    for row in [*_HELD(worker.pk), *_OPEN_OFFERS(worker.pk)]:
        offered = row.reservation_status == ReservationStatus.PENDING
        card = cards.build_card(row.task, task_layouts.load_layout(worker.workspace))
        return {"title": card.title, "offered": offered}
    return None


def load_offers(worker: models.Worker) -> Context:
    """Return the open offers, oldest first, so that a new one moves no other."""
    layout = task_layouts.load_layout(worker.workspace)
    rows = _OPEN_OFFERS(worker.pk)
    incoming = transfers.load_incoming(rows)
    return {
        "offers": [
            {
                "sid": row.sid,
                "card": cards.build_card(row.task, layout),
                "deadline_ms": row.deadline_us // 1000,
                "seconds": row.reservation_timeout,
                "incoming": incoming.get(row.pk),
            }
            for row in rows
        ]
    }


def find_offer(worker: models.Worker, sid: str) -> models.Reservation | None:
    """Return an open offer of the agent."""
    rows = _open(worker.pk, ReservationStatus.PENDING).filter(sid=sid)
    return rows.select_related(*_WITH_TASKS).first()


def _completion_ms(row: models.Reservation) -> int | None:
    """Return when the router completes a task, in milliseconds, if its wrap-up is limited."""
    if row.reservation_status != ReservationStatus.WRAPPING or not row.wrap_up_completes:
        return None
    return None if row.wrap_up_deadline_us is None else row.wrap_up_deadline_us // 1000


def load_tasks(
    worker: models.Worker, selection: Selection | None = None, *, now: datetime
) -> Context:
    """Return the selected tasks of the agent."""
    us = microseconds(now)
    layout = task_layouts.load_layout(worker.workspace)
    selection = selection or Selection()
    shown = task_list.arrange_tasks(_HELD(worker.pk), selection, layout)
    held = shown.rows
    states = transfers.load_transfers(held)
    incoming = transfers.load_incoming(held)
    asked = outcomes.find_asked(held)
    return {
        "task_list": shown,
        "tasks": [
            {
                "sid": row.task.sid,
                "card": cards.build_card(row.task, layout),
                "wrapping": row.reservation_status == ReservationStatus.WRAPPING,
                "clocks": cards.list_clocks(row),
                "asks_outcome": row.pk in asked,
                "completes_ms": _completion_ms(row),
                "extendable": row.reservation_status == ReservationStatus.WRAPPING
                and row.wrap_up_deadline_us is not None
                and row.wrap_up_deadline_us > us
                and not row.wrap_up_extended,
                "transfer": states.get(row.pk),
                "incoming": incoming.get(row.pk),
                "transferable": transfers.may_transfer(row),
            }
            for row in held
        ],
    }


def count_held_tasks(worker: models.Worker) -> int:
    """Return the number of the agent's tasks."""
    return len(_HELD(worker.pk))


def load_waiting_tasks(
    worker: models.Worker, *, selection: Selection | None, now: datetime
) -> Context:
    """Return the selected waiting tasks in the agent's queues."""
    return {"waiting": waiting.load_queue_panel(worker, selection, now=now)}


def load_happened(worker: models.Worker, *, now: datetime) -> Context:
    """Return what others did to the agent since they last dismissed it."""
    return {"happened": happenings.load_panel(worker, now=now)}


_LOADERS: Final[Mapping[Panel, Callable[[models.Worker, Mapping[str, str], datetime], Context]]] = {
    Panel.PRESENCE: lambda worker, _query, _now: load_presence(worker),
    Panel.OFFERS: lambda worker, _query, _now: load_offers(worker),
    Panel.TASKS: lambda worker, query, now: load_tasks(worker, parse_selection(query), now=now),
    Panel.QUEUE: lambda worker, query, now: load_waiting_tasks(
        worker, selection=parse_selection(query), now=now
    ),
    Panel.HAPPENED: lambda worker, _query, now: load_happened(worker, now=now),
}
"""What loads the template context of each panel."""


def load_panel(
    panel: Panel,
    worker: models.Worker,
    *,
    query: Mapping[str, str] | None = None,
    now: datetime,
) -> Context:
    """Return the context of a panel for a worker who has just been loaded.

    Arguments:
        query: the parameters of the page's URL, which select what some panels show.
    """
    context = _LOADERS[panel](worker, query or {}, now)
    return context | {"worker": worker, "now_ms": microseconds(now) // 1000}


def _open(worker: int, *statuses: ReservationStatus) -> models.Reservations:
    return models.Reservation.objects.filter(worker_id=worker, reservation_status__spelled=statuses)


_WITH_TASKS: Final = ("task__task_channel", "task__task_queue")
_PENDING: Final = CompiledQuery(
    lambda worker: _open(worker, ReservationStatus.PENDING).values_list("worker_channel")
)
_OPEN_OFFERS: Final = CompiledQuery(
    lambda worker: (
        _open(worker, ReservationStatus.PENDING).select_related(*_WITH_TASKS).order_by("pk")
    )
)
_HELD: Final = CompiledQuery(
    lambda worker: (
        _open(worker, ReservationStatus.ACCEPTED, ReservationStatus.WRAPPING)
        .select_related(*_WITH_TASKS)
        .order_by("pk")
    )
)
_CHANNELS: Final = CompiledQuery(
    lambda worker: (
        models.WorkerChannel.objects.filter(worker_id=worker)
        .select_related("task_channel")
        .order_by("task_channel_id")
    )
)
_ACTIVITIES: Final = CompiledQuery(
    lambda workspace: models.Activity.objects.filter(workspace_id=workspace).order_by(
        "-available", "friendly_name"
    )
)
