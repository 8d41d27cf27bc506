"""The panel of waiting tasks: those of a worker's queues, and whether the worker may grab them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext

from agents import cards, served_queues, waiting_tasks
from agents.selections import LONGEST_SEARCH, Selection
from agents.waiting_tasks import MOST_SEARCHED
from routing import models, task_layouts
from routing.core import eligibility
from routing.core.clock import microseconds
from routing.core.vocabulary import GrabPolicy, QueueOrder, Refusal
from routing.snapshots import requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A link that changes one part of the selection; `count` is None if it is not known."""

    key: str
    name: str
    icon: str
    count: int | None
    query: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One waiting task, with the reason why it cannot be grabbed, if any."""

    card: cards.Card
    entered: datetime
    refusal: Refusal | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePanel:
    """The queue panel: the waiting tasks in the selected order.

    Arguments:
        selection: what is selected, without sids that select nothing.
        why: why the worker may grab none of the rows, if the reason is the same for all.
        searched: how many of the oldest tasks were searched, if more are waiting.
        refresh_at: when a row becomes grabbable by time alone.
    """

    queues: Sequence[models.TaskQueue]
    chosen: models.TaskQueue | None
    selection: Selection
    rows: Sequence[Row]
    total: int
    why: str
    searched: int | None
    queue_chips: Sequence[Chip]
    channel_chips: Sequence[Chip]
    refresh_at: datetime | None
    longest_search: int = field(default=LONGEST_SEARCH)

    @property
    def refresh_ms(self) -> int | None:
        """Return `refresh_at` in milliseconds, as scripts count time."""
        return None if self.refresh_at is None else microseconds(self.refresh_at) // 1000

    @property
    def served_query(self) -> str:
        """Return the selection in the order in which the router serves the tasks."""
        return replace(self.selection, by_age=False).query

    @property
    def age_query(self) -> str:
        """Return the selection with the oldest task first."""
        return replace(self.selection, by_age=True).query


def load_queue_panel(
    worker: models.Worker, selection: Selection | None = None, *, now: datetime
) -> QueuePanel:
    """Return the selected waiting tasks of the queues that a worker serves."""
    selection = selection or Selection()
    candidate, possible = served_queues.load_candidate(worker)
    loaded, horizons = waiting_tasks.load_queues(possible)
    queues = served_queues.select_served(loaded, candidate).queues
    chosen = next((queue for queue in queues if queue.sid == selection.queue), None)
    channels = waiting_tasks.list_channels(worker.workspace_id) if selection.channel else []
    channel = next((each for each in channels if each.sid == selection.channel), None)
    selection = replace(
        selection,
        queue=chosen.sid if chosen else "",
        channel=channel.sid if channel else "",
    )
    shown = queues if chosen is None else [chosen]
    wanted = waiting_tasks.Filter(
        workspace=worker.workspace,
        queues=shown,
        channel=channel,
        order=_choose_order(selection, chosen),
        search=selection.search,
    )
    found = waiting_tasks.find_tasks(wanted, dict(horizons), now=now)
    if found.complete and chosen is None and channel is None:
        # The rows are all that waits.
        counts = Counter((task.task_queue_id or 0, task.task_channel_id) for task in found.tasks)
        channels = list({task.task_channel_id: task.task_channel for task in found.tasks}.values())
    else:
        counts = waiting_tasks.count_tasks(worker.workspace_id, queues)
        channels = channels or waiting_tasks.list_channels(worker.workspace_id)
    layout = task_layouts.load_layout(worker.workspace)
    rows = _build_rows(found, candidate, layout, worker.workspace, now)
    reasons = {row.why for row in rows}
    waiting_here = _count(counts, queues=shown, channel=channel)
    return QueuePanel(
        queues=queues,
        chosen=chosen,
        selection=selection,
        rows=rows,
        total=found.matches if selection.search else waiting_here,
        why=reasons.pop() if len(rows) > 1 and len(reasons) == 1 else "",
        searched=MOST_SEARCHED if selection.search and waiting_here > MOST_SEARCHED else None,
        queue_chips=_build_queue_chips(queues, selection, counts),
        channel_chips=_build_channel_chips(channels, selection, counts),
        refresh_at=_refresh_at(found.tasks, now),
    )


def _choose_order(selection: Selection, chosen: models.TaskQueue | None) -> waiting_tasks.Order:
    if selection.by_age:
        return waiting_tasks.Order.AGE
    newest = chosen is not None and chosen.task_order == QueueOrder.LIFO
    return waiting_tasks.Order.NEWEST if newest else waiting_tasks.Order.SERVED


def _build_rows(
    found: waiting_tasks.FoundTasks,
    candidate: eligibility.Candidate,
    layout: task_layouts.Layout,
    workspace: models.Workspace,
    now: datetime,
) -> list[Row]:
    list_requirements = (
        requirements.list_requirements if found.complete else requirements.list_some_requirements
    )
    required = list_requirements(found.oldest_first, now=now)
    refusals = {
        task.pk: eligibility.grab_refusal(candidate, each)
        for task, each in zip(found.oldest_first, required, strict=True)
    }
    # Translated once, not for each row.
    reasons = {refusal: _explain(refusal, workspace) for refusal in set(refusals.values())}
    return [
        Row(
            card=cards.build_card(task, layout, with_attributes=False),
            entered=_entered_date(task),
            refusal=refusals[task.pk],
            why=reasons[refusals[task.pk]],
        )
        for task in found.tasks
    ]


def _explain(refusal: Refusal | None, workspace: models.Workspace) -> str:
    if refusal is None:
        return ""
    if refusal == Refusal.NO_CAPACITY and not workspace.multi_task_enabled:
        return gettext("You take one task at a time. Complete the one in hand first.")
    return gettext(refusal.words)


def _count(
    counts: Counter[tuple[int, int]],
    *,
    queues: Sequence[models.TaskQueue],
    channel: models.TaskChannel | None,
) -> int:
    """Return how many tasks wait in these queues, on one channel or on all."""
    wanted = {queue.pk for queue in queues}
    return sum(
        count
        for (queue, of_channel), count in counts.items()
        if queue in wanted and (channel is None or of_channel == channel.pk)
    )


def _build_queue_chips(
    queues: Sequence[models.TaskQueue], selection: Selection, counts: Counter[tuple[int, int]]
) -> list[Chip]:
    by_queue: Counter[int] = Counter()
    for (queue, _), count in counts.items():
        by_queue[queue] += count
    every = Chip(
        key="all-queues",
        name=gettext("All queues"),
        icon="",
        count=None,
        query=replace(selection, queue="").query,
        current=not selection.queue,
    )
    return [
        every,
        *(
            Chip(
                key=queue.sid,
                name=queue.friendly_name,
                icon="",
                count=by_queue[queue.pk],
                query=replace(selection, queue=queue.sid).query,
                current=queue.sid == selection.queue,
            )
            for queue in queues
        ),
    ]


def _build_channel_chips(
    channels: Sequence[models.TaskChannel],
    selection: Selection,
    counts: Counter[tuple[int, int]],
) -> list[Chip]:
    """Return the channels with waiting tasks; a press on the current one selects all again."""
    by_channel: Counter[int] = Counter()
    for (_, channel), count in counts.items():
        by_channel[channel] += count
    return [
        Chip(
            key=channel.sid,
            name=shown.name,
            icon=shown.icon,
            count=by_channel[channel.pk],
            query=replace(
                selection, channel="" if channel.sid == selection.channel else channel.sid
            ).query,
            current=channel.sid == selection.channel,
        )
        for channel in sorted(channels, key=lambda each: each.pk)
        if by_channel[channel.pk] or channel.sid == selection.channel
        for shown in (cards.describe_channel(channel),)
    ]


def _entered_date(task: models.Task) -> datetime:
    return task.task_queue_entered_date or task.date_created


def _refresh_at(tasks: Sequence[models.Task], now: datetime) -> datetime | None:
    moments = [
        _entered_date(task) + timedelta(seconds=task.task_queue.grab_after)
        for task in tasks
        if task.task_queue is not None and task.task_queue.grab_policy == GrabPolicy.WAITED
    ]
    return min((moment for moment in moments if moment > now), default=None)
