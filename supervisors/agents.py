"""The page of agents: as rows with their slots, or as a mosaic of their states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Min, Q
from django.db.models.functions import Coalesce

from routing import models
from routing.core import eligibility
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.lifecycle import HELD_RESERVATION
from routing.models.base import words
from routing.snapshots import workers as snapshots
from supervisors import agent_columns, filters
from supervisors.agent_columns import Column
from supervisors.agent_figures import AgentFigures, FloorFigures
from supervisors.agent_groups import Group, build_groups, cut_page, find_grouping, list_groupings
from supervisors.conditions import compile_where
from supervisors.heads import list_choices
from supervisors.panel import Context, Scene
from supervisors.picture import Channel, Load, State, Worker, count_slots, find_state, free_channels
from supervisors.skills import describe_skills, list_paths, reads_load
from supervisors.waiting import STALE_ON as WAITING_STALE_ON
from supervisors.wording import STATES, join_names
from workflows import expressions

FILTERS: Final = ("q", "state", "activity", "queue", "channel", "where")
"""The parameters that limit the rows."""
MOST_SQUARES: Final = 1_000
"""The number of agents on a page of the mosaic."""
MOST_JACKS: Final = 12
"""The number of slots up to which each is drawn."""
ICONS: Final = frozenset({"voice", "chat", "sms", "video", "email", "default"})
"""The channels that have an icon of their own; others get that of *default*."""
MOSAIC: Final = "mosaic"
"""The value of the parameter `show` for the mosaic."""


def load_agents(scene: Scene) -> Context:
    """Return the agents of one page, in their groups."""
    columns = agent_columns.choose_columns(scene)
    is_mosaic = MOSAIC in scene.view.show
    figures = None
    if agent_columns.needs_figures(scene, () if is_mosaic else columns):
        figures = FloorFigures(
            scene.workspace, now=scene.now, channels=[each.sid for each in scene.channels]
        )
    found = agent_columns.sort_workers(scene, find_agents(scene), figures)
    size = MOST_SQUARES if is_mosaic else scene.view.size
    first = int(scene.view.after) if scene.view.after.isdecimal() else 0
    groups, has_more = cut_page(build_groups(scene, found), first, size)
    hands = {} if is_mosaic else describe_hands([one.id for part in groups for one in part.workers])
    describe = (
        _describe_square if is_mosaic else _build_describe(scene, groups, columns, figures, hands)
    )
    return {
        "is_mosaic": is_mosaic,
        "groups": [
            {"group": group, "rows": [describe(scene, one) for one in group.workers]}
            for group in groups
        ],
        "heads": agent_columns.build_heads(scene, columns, figures),
        "columns": columns,
        "choices": list_choices(scene, agent_columns.COLUMNS, [one.name for one in columns]),
        "reads_load": reads_load(scene.picture.setup),
        "width": len(columns) + 2,
        "total": len(found),
        "everyone": len(scene.picture.workers),
        "chips": filters.list_chips(scene, FILTERS),
        "next": scene.view.link(after=str(first + size)) if has_more else "",
        "first": scene.view.link() if first else "",
        "refresh_at_us": find_next_limit(scene, hands),
        "other_look": scene.view.link(show=() if is_mosaic else (MOSAIC,)),
    }


def load_form(scene: Scene) -> Context:
    """Return the form of the filters."""
    activities = scene.picture.setup.activities.values()
    sort = agent_columns.find_sort(scene)
    grouping = find_grouping(scene)
    own = (*(name for name in FILTERS if name != "channel"), "sort", "group")
    return {
        "selects": [
            filters.build_select(scene, "state", [(one.value, STATES[one]) for one in State]),
            filters.build_select(scene, "activity", [(one.sid, one.name) for one in activities]),
            filters.build_select(scene, "queue", filters.list_queues(scene)),
        ],
        "orders": [
            (name, title, name == sort) for name, title in agent_columns.SORT_TITLES.items()
        ],
        "groupings": [(name, title, name == grouping) for name, title in list_groupings(scene)],
        "kept": filters.list_kept(scene, own),
        "where_example": 'worker.team == "blue"',
    }


def find_agents(scene: Scene) -> list[Worker]:
    """Return the agents that pass the filters; a chosen channel asks for a free slot on it."""
    view, setup = scene.view, scene.picture.setup
    activities = {one.id for one in setup.activities.values() if one.sid in view.activity}
    queues = {one.id for one in setup.queues.values() if one.sid in view.queue}
    channels, text = scene.channel_ids, view.q.casefold().split()
    found = [
        worker
        for worker in scene.picture.workers.values()
        if (not activities or worker.activity in activities)
        and (not queues or not queues.isdisjoint(worker.serves))
        and all(word in worker.name.casefold() for word in text)
        and (not view.state or find_state(worker, multi_task=setup.multi_task) in view.state)
        and (
            not channels
            or not channels.isdisjoint(free_channels(worker, multi_task=setup.multi_task))
        )
    ]
    expression = compile_where(view, "worker")
    if expression is None or not found:
        return found
    meeting = _find_meeting(scene, expression, found)
    return [worker for worker in found if worker.id in meeting]


def _find_meeting(
    scene: Scene, expression: expressions.Expression, found: Iterable[Worker]
) -> set[int]:
    """Return the ids of the workers who meet an expression."""
    rows = models.Worker.objects.filter(workspace=scene.workspace)
    wanted = {worker.id for worker in found}
    clock = expressions.time_of_day(scene.now)
    return {
        worker.id
        for worker in snapshots.load_workers(rows)
        if worker.id in wanted
        and expression.matches(worker=eligibility.Candidate(worker).view(), taskrouter=clock)
    }


def describe_hands(worker_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the age of the oldest task that workers have, and whether a wrap-up is too long."""
    rows = (
        models.Reservation.objects.filter(
            worker_id__in=worker_ids, reservation_status__in=words(HELD_RESERVATION)
        )
        .order_by()
        .values("worker_id")
        .annotate(
            oldest=Min(Coalesce("date_accepted", "date_created")),
            limit=Min("wrap_up_deadline_us", filter=Q(wrap_up_deadline_us__isnull=False)),
        )
    )
    return {row["worker_id"]: row for row in rows}


def find_next_limit(scene: Scene, hands: Mapping[int, Mapping[str, Any]]) -> int | None:
    """Return when the next wrap-up of these agents takes too long."""
    now_us = microseconds(scene.now)
    limits = [hand["limit"] for hand in hands.values() if hand["limit"] is not None]
    return min((limit for limit in limits if limit > now_us), default=None)


def _build_describe(
    scene: Scene,
    groups: Iterable[Group],
    columns: Sequence[Column],
    figures: FloorFigures | None,
    hands: Mapping[int, Mapping[str, Any]],
) -> Callable[[Scene, Worker], dict[str, Any]]:
    """Return what describes a row, after reading for all rows of the page at once."""
    ids = list({worker.id for group in groups for worker in group.workers})
    skills: dict[int, list[tuple[str, str]]] = {}
    if any(column.name == "skills" for column in columns):
        paths = list_paths(scene.picture.setup)
        rows = snapshots.load_workers(models.Worker.objects.filter(pk__in=ids))
        skills = {one.id: describe_skills(one.attributes, paths) for one in rows}

    def describe(scene: Scene, worker: Worker) -> dict[str, Any]:
        of_worker = figures.of(worker.sid) if figures is not None else AgentFigures()
        return describe_agent(scene, worker, hands) | {
            "skills": skills.get(worker.id, ()),
            "cells": [
                (
                    column,
                    column.read(scene, worker, of_worker)
                    if column.read and column.kind != "own"
                    else None,
                )
                for column in columns
            ],
        }

    return describe


def describe_agent(
    scene: Scene, worker: Worker, hands: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return an agent as they are shown, with the states of their slots."""
    picture, setup = scene.picture, scene.picture.setup
    state = find_state(worker, multi_task=setup.multi_task)
    hand = hands.get(worker.id, {})
    oldest, limit = hand.get("oldest"), hand.get("limit")
    served = [queue for queue in setup.queues.values() if queue.id in worker.serves]
    return {
        "worker": worker,
        "link": scene.worker_link(worker.sid),
        "state": state.value,
        "state_name": STATES[state],
        "activity": setup.activities.get(worker.activity),
        "slots": list_slots(scene, worker),
        "in_hand": worker.in_hand,
        "hands": list_hands(scene, worker),
        "oldest_us": microseconds(oldest) if oldest else None,
        "serves": join_names([queue.name for queue in served]),
        "queues": [(queue.name, scene.queue_link(queue.sid)) for queue in served],
        "on_offer": worker.on_offer,
        "is_over": any(count_slots(load, available=worker.available).over for load in worker.loads),
        "is_off": any(load.capacity and not load.on for load in worker.loads),
        "is_late": limit is not None and limit < microseconds(scene.now),
        "unreachable": worker.id in picture.unreachable,
        "readable": worker.readable,
    }


def list_hands(scene: Scene, worker: Worker) -> list[dict[str, Any]]:
    """Return how many tasks a worker has on each channel, with the channel's icon."""
    channels = scene.picture.setup.channels
    return [
        {
            "icon": channel.unique_name if channel.unique_name in ICONS else "default",
            "channel": channel.name,
            "count": load.busy,
        }
        for load in worker.loads
        if load.busy and (channel := channels.get(load.channel)) is not None
    ]


def list_slots(scene: Scene, worker: Worker) -> list[dict[str, Any]]:
    """Return the slots of a worker on each channel that has any, drawn up to a limit."""
    channels = scene.picture.setup.channels
    return [
        _describe_load(channels[load.channel], load, worker)
        for load in worker.loads
        if load.channel in channels and (load.capacity or load.busy or load.offered)
    ]


def _describe_load(channel: Channel, load: Load, worker: Worker) -> dict[str, Any]:
    slots = count_slots(load, available=worker.available)
    jacks = [
        *("busy",) * slots.busy,
        *("offered",) * slots.offered,
        *("free",) * (slots.free - slots.kept),
        *("kept",) * slots.kept,
        *("closed",) * slots.closed,
    ]
    return {
        "channel": channel.name,
        "unique_name": channel.unique_name,
        "capacity": load.capacity,
        "on": load.on,
        "slots": slots,
        "for_router": slots.free - slots.kept,
        "jacks": jacks if len(jacks) <= MOST_JACKS else [],
    }


def _describe_square(scene: Scene, worker: Worker) -> dict[str, Any]:
    state = find_state(worker, multi_task=scene.picture.setup.multi_task)
    return {
        "sid": worker.sid,
        "name": worker.name,
        "link": scene.worker_link(worker.sid),
        "state": state.value,
        "state_name": STATES[state],
        "activity": agent_columns.name_activity(scene, worker),
        "in_hand": worker.in_hand,
    }


STALE_ON: Final = WAITING_STALE_ON | {
    *(E.WORKER_CREATED, E.WORKER_DELETED, E.WORKER_ACTIVITY_UPDATE, E.WORKER_CAPACITY_UPDATE),
    *(E.WORKER_ATTRIBUTES_UPDATE, E.WORKER_CHANNEL_AVAILABILITY_UPDATE),
    *(E.RESERVATION_WRAPUP, E.RESERVATION_WRAPUP_EXTENDED, E.RESERVATION_COMPLETED),
    *(E.TASK_TAKEN_BACK, E.TASK_TRANSFER_COMPLETED),
}
"""Events by which an agent appears, goes or looks different."""
