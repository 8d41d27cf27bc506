"""The JSON schemas of statistics, property by property."""

from __future__ import annotations

from typing import Any, Final

from routing.fields.schemas import (
    Schema,
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
from routing.fields.shapes import Shape
from routing.statistics.counting import LIVE

Properties = dict[str, Schema]

_OWN: Final[Properties] = {
    "account_sid": sid("The account that it belongs to.", "AC"),
    "workspace_sid": sid("The workspace that it is in.", "WS"),
}
_TASK_QUEUE: Final[Properties] = {"task_queue_sid": sid("The queue.", "WQ")}
_WORKFLOW: Final[Properties] = {"workflow_sid": sid("The workflow.", "WW")}


def _found(path: str) -> Properties:
    return {"url": url("The URL of this resource.", path)}


def _counted(**words: str) -> Properties:
    return {name: whole(said, 12) for name, said in words.items()}


def _durations(words: str) -> Schema:
    return mapping(
        {
            "avg": whole("The average.", 34),
            "min": whole("The shortest.", 3),
            "max": whole("The longest.", 118),
            "total": whole("The sum.", 408),
        },
        f"{words}, in seconds; 0 if there were none.",
    )


_WINDOW: Final[Properties] = {
    "start_time": date("The start of the time window."),
    "end_time": date("The end of the time window.", "2026-03-02T09:45:00Z"),
}
_RESERVATIONS: Final = _counted(
    reservations_created="Offers made.",
    reservations_accepted="Offers accepted.",
    reservations_rejected="Offers rejected.",
    reservations_timed_out="Offers expired.",
    reservations_canceled="Reservations ended because their task was canceled or moved.",
    reservations_rescinded="Offers ended because another worker accepted first.",
)
_TASKS: Final = _counted(
    tasks_canceled="Tasks canceled.",
    tasks_completed="Tasks completed.",
    tasks_deleted="Tasks deleted.",
    tasks_moved="Tasks moved from one queue to another.",
)
_ENTERED: Final = _counted(tasks_entered="Tasks entered.")
_TIMED_OUT: Final = _counted(
    tasks_timed_out_in_workflow="Tasks that reached the end of their workflow unaccepted."
)
_SIDE: Final = mapping(
    _counted(
        tasks_canceled="Tasks canceled.",
        reservations_accepted="Offers accepted.",
    )
)
_SPLIT: Final = nullable(
    counts(
        mapping({"above": _SIDE, "below": _SIDE}),
        "For each threshold of SplitByWaitTime, the counts after a longer wait and after one"
        " that is not longer; null without thresholds.",
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


_AVERAGE: Final = (
    "The average seconds from a task's creation to its acceptance; 0 if there were none."
)
_WHOLE: Final = whole(_AVERAGE, 34)
_EXACT: Final = number(_AVERAGE, 34.5)


def _of_tasks(own: Properties, average: Schema, *, in_queue: bool = False) -> Properties:
    return {**_WINDOW, **_RESERVATIONS, **_TASKS, **own, **_waits(average, in_queue=in_queue)}


_OUTCOMES: Final[Properties] = {
    "outcomes": counts(
        whole("", 3),
        "Tasks completed with each outcome code, by its unique name; empty for a workspace without"
        " codes.",
        {"resolved": 3, "callback": 1},
    )
}
_CREATED: Final = _counted(tasks_created="Tasks created.") | _TIMED_OUT | _OUTCOMES


def _live(*, in_queue: bool) -> Properties:
    relative: Properties = {
        "longest_relative_task_age_in_queue": whole(
            "Seconds that the longest waiting pending task has been in this queue; 0 if none.", 95
        ),
        "longest_relative_task_sid_in_queue": sid("That task.", "WT", null=True),
    }
    return {
        "total_tasks": whole("Tasks that are neither completed nor canceled.", 7),
        "tasks_by_status": mapping(
            {str(status): whole("", 2) for status in LIVE}, "The same by status."
        ),
        "tasks_by_priority": counts(whole("", 3), "The same by priority.", {"0": 4, "10": 3}),
        "longest_task_waiting_age": whole(
            "Seconds since the oldest pending task was created; 0 if there is none.", 118
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
        "Workers in each activity.", _counted(workers="The number of workers.")
    )
}
_STAFF: Final = {"total_workers": whole("All workers.", 15), **_BY_ACTIVITY}
_SERVING: Final = {
    "total_eligible_workers": whole("Workers who serve the queue.", 9),
    "total_available_workers": whole(
        "Those in an available activity, whether or not they have free capacity.", 6
    ),
    **_BY_ACTIVITY,
}
_ROOM: Final = _channels(
    _counted(
        workers_with_capacity="Workers with free capacity on the channel.",
        configured_capacity="The capacity of all workers together.",
        consumed_capacity="The part of it in use.",
    )
)
_DURATIONS: Final[Properties] = {
    "activity_durations": _activities(
        "Seconds that workers stayed in each activity. Only the part of a stay between start and"
        " end counts.",
        dict(_durations("")["properties"]),
    )
}


def _both(cumulative: Properties, realtime: Properties) -> Properties:
    return {
        "cumulative": mapping(cumulative, "Figures of the time window."),
        "realtime": mapping(realtime, "Current figures."),
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
    _of_tasks(_ENTERED | _OUTCOMES, _WHOLE, in_queue=True),
)
TASK_QUEUE_REAL_TIME: Final = _shape(
    "TaskQueueRealTimeStatistics", _TASK_QUEUE, f"{_QUEUE}/RealTimeStatistics", _QUEUE_NOW
)
_QUEUE_BOTH: Final = _both(_of_tasks(_ENTERED | _OUTCOMES, _EXACT, in_queue=True), _QUEUE_NOW)
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
        "task_queue_data": listing(mapping(_BULK), "The figures of each requested queue."),
        "task_queue_response_count": whole("The number of those queues.", 1),
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
    {"cumulative": mapping(_WORKERS_PAST, "Figures of the time window.")},
)
