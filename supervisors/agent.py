"""The page of one agent: their slots, what they have in hand, and their last offers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing import models, sids, subjects, task_layouts
from routing.core.clock import microseconds
from routing.core.eligibility import Candidate
from routing.core.event_catalog import EventType as E
from routing.snapshots.workers import load_worker
from supervisors.agents import STALE_ON, describe_agent, describe_hands, find_next_limit
from supervisors.expression_words import describe_condition
from supervisors.panel import Context, Panel, Rows, Scene
from supervisors.picture import Worker
from supervisors.scanning import Row, read_rows
from supervisors.task_files import HEADER, write_rows
from supervisors.tasks import describe_rows
from workflows.expressions import ExpressionError, View, compile_node, compile_once
from workflows.expressions.nodes import And, split
from workflows.expressions.unparser import unparse

MOST_TASKS: Final = 200
MOST_OFFERS: Final = 100
MOST_QUEUES: Final = 100
"""The number of other queues that a page lists."""
OFFER_MINUTES: Final = 30

_OUTCOMES: Final[dict[str, Promise]] = {
    E.RESERVATION_CREATED: _("On offer"),
    E.RESERVATION_ACCEPTED: _("Accepted"),
    E.RESERVATION_REJECTED: _("Rejected"),
    E.RESERVATION_TIMEOUT: _("Missed"),
    E.RESERVATION_CANCELED: _("Canceled"),
    E.RESERVATION_RESCINDED: _("Withdrawn"),
}


def find_worker(scene: Scene) -> Worker:
    """Return the worker that the view names; raises `Http404` if it names none, or several."""
    for worker in scene.picture.workers.values():
        if (worker.sid,) == scene.view.worker:
            return worker
    raise Http404


def load_agent(scene: Scene) -> Context:
    """Return an agent with their slots and the queues that they serve."""
    worker = find_worker(scene)
    hands = describe_hands([worker.id])
    row = describe_agent(scene, worker, hands)
    others, more = list_other_queues(scene, worker)
    return {
        "row": row | {"slots": [one | {"alone": [one]} for one in row["slots"]]},
        "refresh_at_us": find_next_limit(scene, hands),
        "subject": f"{worker.sid}@{worker.since_us}",
        "others": others,
        "more_others": more,
    }


def list_other_queues(scene: Scene, worker: Worker) -> tuple[list[dict[str, Any]], int]:
    """Return queues that a worker does not serve, each with what is missing, and how many more."""
    view = Candidate(load_worker(worker.id)).view()
    queues = [one for one in scene.picture.setup.queues.values() if one.id not in worker.serves]
    found = [
        {
            "name": queue.name,
            "link": scene.queue_link(queue.sid),
            "missing": list_missing(queue.target_workers, view),
        }
        for queue in queues[:MOST_QUEUES]
    ]
    return found, max(len(queues) - MOST_QUEUES, 0)


def list_missing(expression: str, view: View) -> list[tuple[str, str]]:
    """Return the terms of a queue's expression that are false for a worker, in words and as is."""
    try:
        node = compile_once(expression, subject="worker").node
    except ExpressionError:
        return []
    terms = split(node, And)
    return [
        (describe_condition(term), unparse(term))
        for term in terms
        if not compile_node(term).matches(worker=view)
    ]


def load_in_hand(scene: Scene) -> Context:
    """Return the tasks that an agent has or is offered, and their last offers."""
    worker = find_worker(scene)
    rows = _read_in_hand(worker)
    offers = list_offers(scene, worker)
    window_us = timedelta(minutes=OFFER_MINUTES) // timedelta(microseconds=1)
    return {
        "rows": describe_rows(scene, rows),
        "all_tasks": scene.tasks_link(worker.sid),
        "offers": offers,
        "refresh_at_us": offers[-1]["made_us"] + window_us if offers else None,
        "minutes": OFFER_MINUTES,
    }


def _read_in_hand(worker: Worker) -> list[Row]:
    open_ones = models.Reservation.objects.open().filter(worker_id=worker.id)
    ids = list(open_ones.values_list("task_id", flat=True)[:MOST_TASKS])
    return read_rows(models.Task.objects.filter(pk__in=ids).order_by("date_created", "pk"))


def write_in_hand(scene: Scene) -> Rows:
    """Yield the header, and the tasks that an agent has or is offered."""
    yield HEADER
    yield from write_rows(scene, _read_in_hand(find_worker(scene)))


def list_offers(scene: Scene, worker: Worker) -> list[dict[str, Any]]:
    """Return the offers of the last minutes with their outcomes, the newest first."""
    layout = task_layouts.load_layout(scene.workspace)
    begin = scene.now - timedelta(minutes=OFFER_MINUTES)
    events = models.Event.objects.filter(
        worker_key=sids.index_key(worker.sid),
        workspace_sid=scene.workspace.sid,
        event_date__gte=begin,
        event_type__in=list(_OUTCOMES),
    ).order_by("event_date", "pk")
    offers: dict[str, dict[str, Any]] = {}
    for event in events[: MOST_OFFERS * 2]:
        data = event.event_data
        if data.get("worker_sid") != worker.sid:
            continue
        sid = data.get("reservation_sid") or ""
        known = subjects.parse_attributes(data.get("task_attributes") or "{}")
        offer = offers.setdefault(sid, {"made_us": microseconds(event.event_date), "took_ms": None})
        if event.event_type != E.RESERVATION_CREATED:
            offer["took_ms"] = (microseconds(event.event_date) - offer["made_us"]) // 1000
        offer |= {
            "sid": sid,
            "title": subjects.first_text(known, layout.titles)[0] or data.get("task_sid"),
            "link": scene.task_link(data.get("task_sid") or ""),
            "outcome": _OUTCOMES[event.event_type],
            "is_lost": event.event_type in (E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT),
        }
        offers[sid] = offer
    return sorted(offers.values(), key=lambda one: -one["made_us"])[:MOST_OFFERS]


PANELS: Final = (
    Panel(
        name="agent",
        load=load_agent,
        from_picture=False,
        stale_on=STALE_ON,
        shows_desks=True,
    ),
    Panel(
        name="in_hand",
        load=load_in_hand,
        write=write_in_hand,
        from_picture=False,
        stale_on=STALE_ON,
    ),
)
