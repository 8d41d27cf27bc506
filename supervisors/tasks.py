"""The page of tasks: filtered, in an order along an index, and searched within limits."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing import models, subjects, task_layouts
from routing.core import workflow_position
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from routing.core.rates import WaitClock
from routing.core.vocabulary import AssignmentStatus as S
from routing.core.vocabulary import ReservationStatus
from supervisors import filters, scanning
from supervisors.conditions import compile_where
from supervisors.judging import Severity
from supervisors.panel import Context, Scene
from supervisors.picture import NO_QUEUE
from supervisors.scanning import ORDERS, Order, Row
from supervisors.waiting import STALE_ON as WAITING_STALE_ON
from supervisors.waiting import describe_limits
from supervisors.wording import TASK_STATUSES
from workflows import expressions

FILTERS: Final = (
    *("q", "status", "queue", "workflow", "channel", "worker", "priority", "older", "where"),
)
"""The parameters that limit the rows."""

SECOND_US: Final = 1_000_000
OLDER_SECONDS: Final = 5
"""The age of a page that is filtered by age, after which it is read again."""

ORDER_TITLES: Final[Mapping[str, Promise]] = {
    "oldest": _("Oldest"),
    "served": _("As served: priority, then age"),
    "in_queue": _("Longest in queue"),
    "step": _("Next end of a step"),
    "lifetime": _("Next end of a lifetime"),
    "newest": _("Newest"),
    "finished": _("Last finished"),
}
SORTS: Final = frozenset(ORDER_TITLES)
"""The names that rows can be sorted by."""

_COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "": operator.eq,
}


def load_tasks(scene: Scene) -> Context:
    """Return the rows of one page, and where the next one begins."""
    order = find_order(scene)
    statuses = _choose_statuses(scene, order)
    load = _find_load(scene, order, statuses)
    found = None
    if load is not None:
        after = scanning.read_key(scene.view.after, order)
        keep = build_filter(scene, statuses)
        found = scanning.scan_tasks(load, keep, after=after, size=scene.view.size)
    rows = found.rows if found else []
    counted = scene.picture.tasks_of(None)
    described = describe_rows(scene, rows)
    return {
        "rows": described,
        "is_too_wide": load is None,
        "most_parts": scanning.MOST_PARTS,
        "is_cut": found is not None and found.is_cut,
        "looked_at": found.looked_at if found else 0,
        "unfinished": counted.total,
        "next": scene.view.link(after=scanning.write_key(found.next))
        if found and found.next
        else "",
        "first": scene.view.link() if scene.view.after else "",
        "chips": filters.list_chips(scene, FILTERS),
        "refresh_at_us": find_refresh(scene, described),
    }


def find_matching(scene: Scene, *, most: int) -> scanning.Found | None:
    """Return the first tasks of the view, on all pages; None as on the page for too many queues."""
    order = find_order(scene)
    statuses = _choose_statuses(scene, order)
    load = _find_load(scene, order, statuses)
    if load is None:
        return None
    return scanning.scan_tasks(load, build_filter(scene, statuses), after=None, size=most)


def find_refresh(scene: Scene, described: Iterable[dict[str, Any]]) -> int | None:
    """Return when a row on the page becomes overdue, or a filter by age may let others in."""
    now_us = microseconds(scene.now)
    moments = [row["overdue_us"] for row in described if row["overdue_us"] is not None]
    if scene.view.older is not None:
        moments.append(now_us + OLDER_SECONDS * SECOND_US)
    return min((each for each in moments if each > now_us), default=None)


def load_form(scene: Scene) -> Context:
    """Return the form of the filters."""
    order = find_order(scene)
    workflows = models.Workflow.objects.filter(workspace=scene.workspace).order_by("friendly_name")
    own = (*(name for name in FILTERS if name not in ("channel", "worker")), "sort")
    return {
        "selects": [
            filters.build_select(scene, "status", TASK_STATUSES.items()),
            filters.build_select(scene, "queue", filters.list_queues(scene)),
            filters.build_select(
                scene, "workflow", workflows.values_list("sid", "friendly_name")[:500]
            ),
            filters.build_select(scene, "older", filters.OLDER),
        ],
        "orders": [(name, title, name == order.name) for name, title in ORDER_TITLES.items()],
        "kept": filters.list_kept(scene, own),
        "show_priority": True,
        "where_example": 'task.language == "es"',
    }


def find_order(scene: Scene) -> Order:
    """Return the order of the view; the usual one depends on what it is limited to."""
    wanted = scene.view.sort.removeprefix("-")
    if wanted in ORDERS:
        return ORDERS[wanted]
    statuses = set(scene.view.status)
    if statuses and statuses <= set(scanning.FINISHED):
        return ORDERS["finished"]
    return ORDERS["newest" if statuses & set(scanning.FINISHED) else "oldest"]


def _choose_statuses(scene: Scene, order: Order) -> frozenset[S]:
    """Return the statuses of the rows: the chosen ones that the order has, else all it has."""
    chosen = frozenset(map(S, scene.view.status))
    return chosen & order.statuses if chosen else order.statuses


def _find_load(scene: Scene, order: Order, statuses: frozenset[S]) -> scanning.Load | None:
    """Return how rows are loaded; None if the view names too many queues for its order."""
    workspace, view = scene.workspace, scene.view
    if order.name == "finished" and not view.worker:
        return scanning.load_finished(workspace, statuses)
    rows: Any = models.Task.objects.filter(workspace=workspace)
    if view.worker:
        rows = rows.filter(pk__in=_held_by(scene))
        if order.name == "finished":
            order = ORDERS["newest"]
        return scanning.load_along(order, [rows.filter(**_not_null(order))])
    queues = [queue.id for queue in scene.picture.setup.queues.values() if queue.sid in view.queue]
    pending = models.Task.objects.pending()
    match order.name:
        case "in_queue":
            places = [
                place
                for place, counted in scene.picture.tasks.items()
                if counted.waiting
                and place[0] != NO_QUEUE
                and (not queues or place[0] in queues)
                and (not scene.channel_ids or place[1] in scene.channel_ids)
            ]
            if len(places) > scanning.MOST_PARTS:
                return None
            parts = [
                pending.filter(
                    task_queue=queue, task_channel=channel, task_queue_entered_date__isnull=False
                )
                for queue, channel in places
            ]
            return scanning.load_along(order, parts)
        case "oldest" if statuses == scanning.WAITING and 0 < len(queues) <= scanning.MOST_PARTS:
            parts = [pending.filter(task_queue=queue) for queue in queues]
            return scanning.load_along(order, parts)
        case "oldest":
            rows = rows.filter(date_finished=None)
        case "served" | "step":
            rows = rows.pending()
        case "lifetime":
            rows = rows.expiring()
        case _ if statuses <= scanning.ALIVE:
            rows = rows.filter(date_finished=None)
    return scanning.load_along(order, [rows.filter(**_not_null(order))])


def _not_null(order: Order) -> dict[str, bool]:
    column = order.columns[0]
    return {f"{column}__isnull": False} if column == "step_deadline_us" else {}


def _held_by(scene: Scene) -> list[int]:
    """Return the ids of the tasks that the view's workers have, or have on offer."""
    wanted = set(scene.view.worker)
    ids = [one.id for one in scene.picture.workers.values() if one.sid in wanted]
    held = models.Reservation.objects.open().filter(worker_id__in=ids)
    return list(held.values_list("task_id", flat=True).distinct()[: scanning.MOST_ROWS])


def build_filter(scene: Scene, statuses: Collection[S]) -> scanning.Keep:
    """Return the filter of the view for rows that are read."""
    view, setup = scene.view, scene.picture.setup
    tests: list[scanning.Keep] = [lambda row: row.status in statuses]
    if view.queue:
        queues = {one.id for one in setup.queues.values() if one.sid in view.queue}
        tests.append(lambda row: row.queue in queues)
    if channels := scene.channel_ids:
        tests.append(lambda row: row.channel in channels)
    if view.workflow:
        named = models.Workflow.objects.filter(workspace=scene.workspace, sid__in=view.workflow)
        workflows = set(named.values_list("pk", flat=True))
        tests.append(lambda row: row.workflow in workflows)
    if matched := re.fullmatch(r"(\D*)(\d+)", view.priority):
        compare, limit = _COMPARISONS[matched[1]], int(matched[2])
        tests.append(lambda row: compare(row.priority, limit))
    if view.older is not None:
        latest = _go_back(scene.now, view.older)
        tests.append(lambda row: row.created <= latest)
    if words := view.q.casefold().split():
        tests.append(
            lambda row: subjects.contains_words(subjects.parse_attributes(row.attributes), words)
        )
    expression = compile_where(view, "task")
    if expression is not None:
        tests.append(_build_test(scene, expression))
    return lambda row: all(test(row) for test in tests)


def _go_back(now: datetime, seconds: int) -> datetime:
    """Return the moment so many seconds ago, or the first one there is."""
    try:
        return now - timedelta(seconds=seconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=now.tzinfo)


def _build_test(scene: Scene, expression: expressions.Expression) -> scanning.Keep:
    clock = expressions.time_of_day(scene.now)
    channels = scene.picture.setup.channels
    named = models.Workflow.objects.filter(workspace=scene.workspace)
    workflows = dict(named.values_list("pk", "sid"))

    def test(row: Row) -> bool:
        channel = channels.get(row.channel)
        task = workflow_position.build_task_view(
            subjects.parse_attributes(row.attributes),
            sid=row.sid,
            channel_unique_name=channel.unique_name if channel else "",
            channel_sid=channel.sid if channel else "",
            priority=row.priority,
            workflow_sid=workflows.get(row.workflow) if row.workflow else None,
            age=max(int((scene.now - row.created).total_seconds()), 0),
        )
        return expression.matches(task=task, taskrouter=clock)

    return test


def describe_rows(scene: Scene, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return tasks as they are shown."""
    holders = _load_holders([row.id for row in rows])
    layout = task_layouts.load_layout(scene.workspace)
    return [_describe_row(scene, row, layout, holders.get(row.id, ())) for row in rows]


def _describe_row(
    scene: Scene, row: Row, layout: task_layouts.Layout, holders: Iterable[dict[str, Any]]
) -> dict[str, Any]:
    setup = scene.picture.setup
    known = subjects.parse_attributes(row.attributes)
    title, _titled = subjects.first_text(known, layout.titles)
    person, _named = subjects.first_text(known, layout.subtitles)
    queue = setup.queues.get(row.queue or NO_QUEUE)
    channel = setup.channels.get(row.channel)
    target = setup.target_of((row.queue or NO_QUEUE, row.channel))
    since = (row.entered or row.created) if target.clock is WaitClock.QUEUE else row.created
    is_waiting = row.status == S.PENDING
    overdue_us = microseconds(since) + target.threshold * SECOND_US if is_waiting else None
    is_overdue = overdue_us is not None and overdue_us < microseconds(scene.now)
    return {
        "sid": row.sid,
        "version": row.version,
        "link": scene.task_link(row.sid),
        "title": title or person or row.sid,
        "person": person if title else "",
        "severity": Severity.WATCH if is_overdue else Severity.OK,
        "overdue_us": overdue_us,
        "status": row.status,
        "status_word": TASK_STATUSES[row.status],
        "waits": row.status == S.PENDING,
        "queue": queue,
        "queue_link": scene.queue_link(queue.sid) if queue else "",
        "channel": channel.name if channel else "",
        "priority": row.priority,
        "since_us": microseconds(row.created),
        **(describe_limits(target) if is_waiting else {}),
        "entered_us": microseconds(row.entered) if row.entered and is_waiting else None,
        "finished_us": microseconds(row.finished) if row.finished else None,
        "holders": [
            one | {"link": scene.worker_link(one["sid"]) if one["sid"] else ""} for one in holders
        ],
        "deadline_us": _next_deadline(row, holders),
    }


def _next_deadline(row: Row, holders: Iterable[dict[str, Any]]) -> int | None:
    found = [one["until_us"] for one in holders if one["until_us"] is not None]
    if row.status in (S.PENDING, S.RESERVED):
        found.append(row.expires_us)
    if row.status == S.PENDING and row.step_us is not None:
        found.append(row.step_us)
    return min(found, default=None)


def _load_holders(task_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return who has the tasks, or has them on offer, since when and until when."""
    found: dict[int, list[dict[str, Any]]] = {}
    rows = models.Reservation.objects.open().filter(task_id__in=task_ids).order_by("pk")
    for task, status, sid, name, made, accepted, deadline, wrap_up in rows.values_list(
        *("task_id", "reservation_status", "worker__sid", "worker__friendly_name"),
        *("date_created", "date_accepted", "deadline_us", "wrap_up_deadline_us"),
    ):
        offered = status == ReservationStatus.PENDING
        found.setdefault(task, []).append(
            {
                "sid": sid,
                "name": name,
                "offered": offered,
                "since_us": microseconds(made if offered else accepted or made),
                "until_us": deadline if offered else wrap_up,
            }
        )
    return found


STALE_ON: Final = WAITING_STALE_ON | {
    *(E.TASK_COMPLETED, E.TASK_WRAPUP, E.TASK_TAKEN_BACK, E.TASK_TRANSFER_COMPLETED),
    *(E.RESERVATION_WRAPUP, E.RESERVATION_WRAPUP_EXTENDED, E.RESERVATION_COMPLETED),
}
"""Events by which a row appears, goes or looks different."""
