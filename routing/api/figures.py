"""Turn statistics into JSON-ready dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from routing import models
from routing.fields.declarations import date_text
from routing.fields.shapes import Answer
from routing.statistics.cumulative import Durations, Figures
from routing.statistics.realtime import Longest, ScopeCounts, TaskCounts
from routing.statistics.staffing import SlotCounts, Staff
from routing.statistics.windows import Window


def window(row: Window) -> Answer:
    """Return the start and end of the window."""
    return {"start_time": date_text(row.start), "end_time": date_text(row.end)}


def counts(figures: Figures) -> Answer:
    """Return the number of occurrences of each thing."""
    return dict(figures.counts)


def waits(figures: Figures, *, exact: bool, in_queue: bool) -> Answer:
    """Return how long tasks waited, and the counts below and above each threshold.

    Arguments:
        exact: whether the average is a fraction; otherwise it is truncated.
        in_queue: whether waits are also measured from entering the queue.
    """
    average = figures.until_accepted.average
    relative = figures.in_queue_until_accepted
    return {
        "avg_task_acceptance_time": average if exact else int(average),
        "wait_duration_until_accepted": figures.until_accepted.seconds,
        "wait_duration_until_canceled": figures.until_canceled.seconds,
        **({"wait_duration_in_queue_until_accepted": relative.seconds} if in_queue else {}),
        "split_by_wait_time": figures.split or None,
    }


def activity_durations(
    activities: Sequence[models.Activity], found: Mapping[str, Durations]
) -> list[Answer]:
    """Return how long workers were in each activity."""
    return [
        {"sid": row.sid, "friendly_name": row.friendly_name, **found[row.sid].seconds}
        for row in activities
    ]


def tasks(
    found: ScopeCounts, channels: Sequence[models.TaskChannel], *, in_queue: bool, now: datetime
) -> Answer:
    """Return the current numbers of tasks, in total and by channel.

    Arguments:
        in_queue: whether ages are also given from entering the queue.
    """
    return {
        **_tasks(found.all, in_queue=in_queue, now=now),
        "task_channels": [
            {
                "sid": row.sid,
                "unique_name": row.unique_name,
                **_tasks(found.by_channel[row.pk], in_queue=in_queue, now=now),
            }
            for row in channels
        ],
    }


def _tasks(found: TaskCounts, *, in_queue: bool, now: datetime) -> Answer:
    shown = {
        "total_tasks": found.total,
        "tasks_by_status": dict(found.by_status),
        "tasks_by_priority": {
            str(priority): count for priority, count in sorted(found.by_priority.items()) if count
        },
        "longest_task_waiting_age": _age(found.waiting, now),
        "longest_task_waiting_sid": found.waiting and found.waiting.sid,
    }
    if in_queue:
        shown |= {
            "longest_relative_task_age_in_queue": _age(found.in_queue, now),
            "longest_relative_task_sid_in_queue": found.in_queue and found.in_queue.sid,
        }
    return shown


def _age(longest: Longest | None, now: datetime) -> int:
    return 0 if longest is None else max(int((now - longest.since).total_seconds()), 0)


def activity_statistics(activities: Sequence[models.Activity], staff: Staff) -> list[Answer]:
    """Return the number of workers in each activity, including empty ones."""
    return [
        {
            "sid": row.sid,
            "friendly_name": row.friendly_name,
            "workers": staff.by_activity[row.sid],
        }
        for row in activities
    ]


def rooms(channels: Sequence[models.TaskChannel], found: Mapping[int, SlotCounts]) -> list[Answer]:
    """Return the slots that workers have on each channel."""
    return [
        {
            "sid": row.sid,
            "unique_name": row.unique_name,
            "workers_with_capacity": found[row.pk].workers,
            "configured_capacity": found[row.pk].configured,
            "consumed_capacity": found[row.pk].used,
        }
        for row in channels
    ]
