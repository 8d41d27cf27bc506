"""Say what statistics look like in an answer, property by property."""

from __future__ import annotations

from typing import Any, Final

from routing.api.schemas import (
    Schema,
    Shape,
    counts,
    date,
    listing,
    mapping,
    nullable,
    number,
    sid,
    text,
    url,
    whole,
)
from routing.statistics.counting import LIVE

Properties = dict[str, Schema]

_OWN: Final[Properties] = {
    "account_sid": sid("The account that it belongs to.", "AC"),
    "workspace_sid": sid("The workspace that it is in.", "WS"),
}
_TASK_QUEUE: Final[Properties] = {"task_queue_sid": sid("The queue.", "WQ")}
_WORKFLOW: Final[Properties] = {"workflow_sid": sid("The workflow.", "WW")}


def _found(path: str) -> Properties:
    return {"url": url("Where it is found.", path)}


def _counted(**words: str) -> Properties:
    return {name: whole(said, 12) for name, said in words.items()}


def _durations(words: str) -> Schema:
    return mapping(
        {
            "avg": whole("The mean.", 34),
            "min": whole("The shortest.", 3),
            "max": whole("The longest.", 118),
            "total": whole("All of them together.", 408),
        },
        f"{words}, in seconds; 0 where there was none.",
    )


_WINDOW: Final[Properties] = {
    "start_time": date("From when on the figures are."),
    "end_time": date("Until when.", "2026-03-02T09:45:00Z"),
}
_RESERVATIONS: Final = _counted(
    reservations_created="How many offers were made.",
    reservations_accepted="How many offers were accepted.",
    reservations_rejected="How many offers were rejected.",
    reservations_timed_out="How many offers expired.",
    reservations_canceled="How many reservations ended as their task was withdrawn.",
    reservations_rescinded="How many offers ended as another worker was first.",
)
_TASKS: Final = _counted(
    tasks_canceled="How many tasks were canceled.",
    tasks_completed="How many tasks were completed.",
    tasks_deleted="How many tasks were deleted.",
    tasks_moved="How many tasks left a queue for another.",
)
_ENTERED: Final = _counted(tasks_entered="How many tasks came.")
_TIMED_OUT: Final = _counted(
    tasks_timed_out_in_workflow="How many tasks came to the end of their workflow unaccepted."
)
_SIDE: Final = mapping(
    _counted(
        tasks_canceled="How many tasks were canceled.",
        reservations_accepted="How many offers were accepted.",
    )
)
_SPLIT: Final = nullable(
    counts(
        mapping({"above": _SIDE, "below": _SIDE}),
        "For each threshold of SplitByWaitTime, what ended after a longer wait and what after one"
        " not longer; null if none was given.",
        {
            "30": {
                "above": {"tasks_canceled": 1, "reservations_accepted": 4},
                "below": {"tasks_canceled": 0, "reservations_accepted": 8},
            }
        },
    )
)
_IN_QUEUE: Final = {
    "wait_duration_in_queue_until_accepted": _durations("From entering the queue to acceptance")
}


def _waits(average: Schema, *, in_queue: bool = False) -> Properties:
    return {
        "avg_task_acceptance_time": average,
        "wait_duration_until_accepted": _durations("From a task's creation to its acceptance"),
        "wait_duration_until_canceled": _durations("From a task's creation to its cancellation"),
        **(_IN_QUEUE if in_queue else {}),
        "split_by_wait_time": _SPLIT,
    }


_AVERAGE: Final = "The mean of the seconds from a task's creation to its acceptance; 0 without any."
_WHOLE: Final = whole(_AVERAGE, 34)
_EXACT: Final = number(_AVERAGE, 34.5)


def _of_tasks(own: Properties, average: Schema, *, in_queue: bool = False) -> Properties:
    return {**_WINDOW, **_RESERVATIONS, **_TASKS, **own, **_waits(average, in_queue=in_queue)}


_CREATED: Final = _counted(tasks_created="How many tasks were created.") | _TIMED_OUT


def _live(*, in_queue: bool) -> Properties:
    relative: Properties = {
        "longest_relative_task_age_in_queue": whole(
            "How many seconds ago the pending task that has been here longest came; 0 without.", 95
        ),
        "longest_relative_task_sid_in_queue": sid("That task.", "WT", null=True),
    }
    return {
        "total_tasks": whole("How many tasks are neither completed nor canceled.", 7),
        "tasks_by_status": mapping(
            {str(status): whole("", 2) for status in LIVE}, "The same by status."
        ),
        "tasks_by_priority": counts(whole("", 3), "The same by priority.", {"0": 4, "10": 3}),
        "longest_task_waiting_age": whole(
            "How many seconds ago the oldest pending task was created; 0 without any.", 118
        ),
        "longest_task_waiting_sid": sid("The oldest pending task.", "WT", null=True),
        **(relative if in_queue else {}),
    }


def _channels(properties: Properties) -> Properties:
    own: Properties = {
        "sid": sid("The task channel.", "TC"),
        "unique_name": text("Its unique name.", "chat"),
    }
    return {"task_channels": listing(mapping({**own, **properties}), "The same by task channel.")}


def _tasks_now(*, in_queue: bool = False) -> Properties:
    live = _live(in_queue=in_queue)
    return {**live, **_channels(live)}


def _activities(words: str, properties: Properties) -> Schema:
    own: Properties = {
        "sid": sid("The activity.", "WA"),
        "friendly_name": text("Its name.", "Available"),
    }
    return listing(mapping({**own, **properties}), words)


_BY_ACTIVITY: Final[Properties] = {
    "activity_statistics": _activities(
        "How many workers are in each activity.", _counted(workers="How many.")
    )
}
_STAFF: Final = {"total_workers": whole("How many workers there are.", 15), **_BY_ACTIVITY}
_SERVING: Final = {
    "total_eligible_workers": whole("How many workers serve the queue.", 9),
    "total_available_workers": whole(
        "How many of them are in an activity that takes work, however busy they are.", 6
    ),
    **_BY_ACTIVITY,
}
_ROOM: Final = _channels(
    _counted(
        workers_with_capacity="How many workers would take another task of it.",
        configured_capacity="How many of them all workers take at once.",
        consumed_capacity="How many of those slots are in use.",
    )
)
_DURATIONS: Final[Properties] = {
    "activity_durations": _activities(
        "How many seconds workers were in each activity, stay by stay, as far as it lies between"
        " start and end.",
        dict(_durations("")["properties"]),
    )
}


def _both(cumulative: Properties, realtime: Properties) -> Properties:
    return {
        "cumulative": mapping(cumulative, "What happened from start to end."),
        "realtime": mapping(realtime, "How it is now."),
    }


def _shape(name: str, own: Properties, path: str, figures: Properties) -> Shape:
    return Shape(name, {**_OWN, **own, **figures, **_found(path)})


_QUEUE_NOW: Final = {**_SERVING, **_tasks_now(in_queue=True)}
_WORKSPACE_NOW: Final = {**_STAFF, **_tasks_now()}
_WORKERS_NOW: Final = {**_STAFF, **_ROOM}
_WORKERS_PAST: Final = {**_WINDOW, **_RESERVATIONS, **_DURATIONS}
_QUEUE: Final = "/TaskQueues/{WQ}"
_FLOW: Final = "/Workflows/{WW}"

WORKSPACE_CUMULATIVE: Final = _shape(
    "WorkspaceCumulativeStatistics", {}, "/CumulativeStatistics", _of_tasks(_CREATED, _WHOLE)
)
WORKSPACE_REAL_TIME: Final = _shape(
    "WorkspaceRealTimeStatistics", {}, "/RealTimeStatistics", _WORKSPACE_NOW
)
WORKSPACE_BOTH: Final = _shape(
    "WorkspaceStatistics", {}, "/Statistics", _both(_of_tasks(_CREATED, _EXACT), _WORKSPACE_NOW)
)
WORKFLOW_CUMULATIVE: Final = _shape(
    "WorkflowCumulativeStatistics",
    _WORKFLOW,
    f"{_FLOW}/CumulativeStatistics",
    _of_tasks({**_ENTERED, **_TIMED_OUT}, _WHOLE),
)
WORKFLOW_REAL_TIME: Final = _shape(
    "WorkflowRealTimeStatistics", _WORKFLOW, f"{_FLOW}/RealTimeStatistics", _tasks_now()
)
WORKFLOW_BOTH: Final = _shape(
    "WorkflowStatistics",
    _WORKFLOW,
    f"{_FLOW}/Statistics",
    _both(_of_tasks({**_ENTERED, **_TIMED_OUT}, _EXACT), _tasks_now()),
)
TASK_QUEUE_CUMULATIVE: Final = _shape(
    "TaskQueueCumulativeStatistics",
    _TASK_QUEUE,
    f"{_QUEUE}/CumulativeStatistics",
    _of_tasks(_ENTERED, _WHOLE, in_queue=True),
)
TASK_QUEUE_REAL_TIME: Final = _shape(
    "TaskQueueRealTimeStatistics", _TASK_QUEUE, f"{_QUEUE}/RealTimeStatistics", _QUEUE_NOW
)
_QUEUE_BOTH: Final = _both(_of_tasks(_ENTERED, _EXACT, in_queue=True), _QUEUE_NOW)
TASK_QUEUE_BOTH: Final = _shape(
    "TaskQueueStatistics", _TASK_QUEUE, f"{_QUEUE}/Statistics", _QUEUE_BOTH
)
TASK_QUEUES_BOTH: Final = Shape("TaskQueuesStatistics", {**_OWN, **_TASK_QUEUE, **_QUEUE_BOTH})
_BULK: Final[dict[str, Any]] = {**_TASK_QUEUE, **_SERVING, **_tasks_now()}
TASK_QUEUES_REAL_TIME: Final = _shape(
    "TaskQueueBulkRealTimeStatistics",
    {},
    "/TaskQueues/RealTimeStatistics",
    {
        "task_queue_data": listing(mapping(_BULK), "The figures of each queue that was asked for."),
        "task_queue_response_count": whole("How many queues those are.", 1),
    },
)
WORKERS_CUMULATIVE: Final = _shape(
    "WorkersCumulativeStatistics", {}, "/Workers/CumulativeStatistics", _WORKERS_PAST
)
WORKERS_REAL_TIME: Final = _shape(
    "WorkersRealTimeStatistics", {}, "/Workers/RealTimeStatistics", _WORKERS_NOW
)
WORKERS_BOTH: Final = _shape(
    "WorkersStatistics", {}, "/Workers/Statistics", _both(_WORKERS_PAST, _WORKERS_NOW)
)
WORKER: Final = _shape(
    "WorkerStatistics",
    {"worker_sid": sid("The worker.", "WK")},
    "/Workers/{WK}/Statistics",
    {"cumulative": mapping(_WORKERS_PAST, "What happened from start to end.")},
)
