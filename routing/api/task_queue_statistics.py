"""Views for task queue statistics: of one queue, of all in pages, and of many by sid."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from routing import models, sids
from routing.api import figures, statistics_shapes
from routing.api.base import POST_ONLY, READ_ONLY, ListView
from routing.api.parsers import FormParser, read_limited
from routing.api.responses import ApiResponse
from routing.api.statistics import (
    NOW,
    PAST,
    Both,
    Cumulative,
    RealTime,
    RowStatistics,
    Statistics,
    TaskStatistics,
    build_cumulative_figures,
    channel_key,
)
from routing.fields.schemas import sample_sid
from routing.fields.shapes import Answer
from routing.operations import parameters, references
from routing.operations.base import Arguments, ListOperation
from routing.operations.errors import ApiError
from routing.operations.forms import Form, parse_json
from routing.operations.task_queues import TaskQueueInstanceOperation
from routing.statistics import cumulative, realtime, staffing

MOST_QUEUES: Final = 5_000
"""The maximum number of queues in a workspace."""
_AT_ONCE: Final = 500


def _serving(staff: staffing.Staff, activities: Sequence[models.Activity]) -> Answer:
    return {
        "total_eligible_workers": staff.total,
        "total_available_workers": staff.available,
        "activity_statistics": figures.activity_statistics(activities, staff),
    }


class _OfTaskQueue(RowStatistics, TaskStatistics):
    counted = cumulative.OF_TASK_QUEUE
    column = "task_queue_key"
    in_queue = True
    collection = "TaskQueues"
    identity = "task_queue_sid"
    instance_operation = TaskQueueInstanceOperation

    def real_time_figures(self, arguments: Arguments) -> Answer:
        staff = staffing.count_by_queue(self.workspace, [self.subject])
        return {
            **_serving(staff[self.subject.pk], self.activities),
            **super().real_time_figures(arguments),
        }


class TaskQueueRealTimeStatistics(_OfTaskQueue, RealTime):
    """Current figures of a queue."""

    shape = statistics_shapes.TASK_QUEUE_REAL_TIME
    about = {"get": "Fetch a task queue's real-time statistics"}


class TaskQueueCumulativeStatistics(_OfTaskQueue, Cumulative):
    """Figures of a queue in a time window."""

    shape = statistics_shapes.TASK_QUEUE_CUMULATIVE
    about = {"get": "Fetch a task queue's cumulative statistics"}


class TaskQueueStatistics(_OfTaskQueue, Both):
    """Current figures of a queue, and those of a time window."""

    shape = statistics_shapes.TASK_QUEUE_BOTH
    about = {"get": "Fetch a task queue's statistics"}


class _StatisticsListOperation(ListOperation[models.TaskQueue]):
    filters = (
        parameters.text("FriendlyName").describe(
            "Only the one with this name.", "Support in English"
        ),
        *PAST,
    )

    def rows(self) -> QuerySet[models.TaskQueue]:
        return self.workspace.task_queues.all()

    def filter_rows(
        self, rows: QuerySet[models.TaskQueue], arguments: Arguments
    ) -> QuerySet[models.TaskQueue]:
        if "friendly_name" in arguments:
            rows = rows.filter(references.name_condition(arguments["friendly_name"]))
        return rows


class TaskQueuesStatisticsList(ListView, Statistics):
    """Current figures of all queues, and those of a time window."""

    operation_class = _StatisticsListOperation
    http_method_names = READ_ONLY
    key = "task_queues_statistics"
    shape = statistics_shapes.TASK_QUEUES_BOTH
    about = {"get": "List the statistics of task queues"}

    def represent_page(
        self, rows: Sequence[models.TaskQueue], arguments: Arguments
    ) -> list[Answer]:
        """Return the figures of the queues of a page, with as many queries as for one queue."""
        window = self.window(arguments)
        found = cumulative.count_events(
            self.workspace.sid,
            window,
            cumulative.OF_TASK_QUEUE,
            by="task_queue_key",
            keys=[sids.index_key(row.sid) for row in rows],
            task_channel_key=channel_key(arguments),
            thresholds=arguments.get("thresholds", ()),
        )
        outcomes = cumulative.count_outcomes(
            self.workspace,
            window,
            by="task_queue_key",
            keys=[sids.index_key(row.sid) for row in rows],
            task_channel_key=channel_key(arguments),
        )
        now = real_time(self, rows, arguments, in_queue=True)
        return [
            {
                "account_sid": self.caller.account.sid,
                "workspace_sid": self.workspace.sid,
                "task_queue_sid": row.sid,
                "cumulative": build_cumulative_figures(
                    found[sids.index_key(row.sid)], window, exact=True, in_queue=True
                )
                | {"outcomes": outcomes[sids.index_key(row.sid)]},
                "realtime": each,
            }
            for row, each in zip(rows, now, strict=True)
        ]


def real_time(
    resource: Statistics,
    queues: Sequence[models.TaskQueue],
    arguments: Arguments,
    *,
    in_queue: bool,
) -> Iterator[Answer]:
    """Yield the current figures of these queues, in order, with as many queries as for one queue.

    Arguments:
        in_queue: whether ages are also given from entering the queue.
    """
    channels = resource.channels(arguments)
    staff = staffing.count_by_queue(resource.workspace, queues)
    for start in range(0, len(queues), _AT_ONCE):
        some = queues[start : start + _AT_ONCE]
        found = realtime.count_tasks(resource.workspace, some, channels=channels)
        for row in some:
            yield {
                **_serving(staff[row.pk], resource.activities),
                **figures.tasks(found[row.pk], channels, in_queue=in_queue, now=resource.now),
            }


def _queue_sids(name: str = "QueueSids") -> parameters.Param:
    return parameters.Param(
        name,
        "queue_sids",
        references.sid("QueueSids", "WQ").read,
        many=True,
        schema=references.sid_schema("WQ"),
    ).describe(
        f"The sids of at most {MOST_QUEUES} queues; unknown ones get zeros.",
        [sample_sid("WQ")],
    )


class QueueSidsParser(BaseParser):
    """Parser of JSON bodies with the sids of queues; names are read in any case."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Form:
        """Return the known properties of the body as a form. Raises `ApiError`."""
        body = parse_json(read_limited(stream, parser_context), unique_keys=True)
        parameters_by_name = {"queuesids": "QueueSids", "taskchannel": "TaskChannel"}
        form: Form = {}
        for name, value in body.items() if isinstance(body, dict) else ():
            known = parameters_by_name.get(name.lower())
            values = value if isinstance(value, list) else [value]
            if known is None:
                continue
            if not all(isinstance(each, str) for each in values):
                shown = json.dumps(value)[:60]
                raise ApiError(
                    f"{known} is {shown}; it must be a list of texts, each of them a sid"
                )
            form[known] = values
        return form


class TaskQueueBulkRealTimeStatistics(Statistics):
    """Current figures of many queues, by sid."""

    http_method_names = POST_ONLY
    tail = "TaskQueues/RealTimeStatistics"
    shape = statistics_shapes.TASK_QUEUES_REAL_TIME
    about = {
        "post": "Fetch many task queues' real-time statistics\n\nThe sids come as JSON,"
        ' `{"queueSids": ["WQ…"]}`, or as a form.'
    }
    parser_classes = [QueueSidsParser, FormParser]
    params = (_queue_sids(), *NOW)
    json_params = (_queue_sids("queueSids"),)
    filters = ()

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Return the figures of the queues in the body."""
        workspace = self.workspace
        arguments = parameters.read_arguments(self.params, self.form, workspace=workspace)
        wanted = list(dict.fromkeys(arguments.get("queue_sids", ())))
        if not 1 <= len(wanted) <= MOST_QUEUES:
            raise ApiError(f"QueueSids names {len(wanted)} queues; it must name 1 to {MOST_QUEUES}")
        data = list(self._figures(wanted, arguments))
        return ApiResponse(
            {
                "account_sid": self.caller.account.sid,
                "workspace_sid": self.workspace.sid,
                "task_queue_data": data,
                "task_queue_response_count": len(data),
                "url": f"{self.subject_url}/{self.tail}",
            }
        )

    def _figures(self, wanted: Sequence[str], arguments: Arguments) -> Iterator[Answer]:
        rows: dict[str, models.TaskQueue] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = self.workspace.task_queues.filter(sid__in=wanted[start : start + _AT_ONCE])
            rows |= {row.sid: row for row in some}
        queues = list(rows.values())
        now = real_time(self, queues, arguments, in_queue=False)
        known = {row.sid: each for row, each in zip(queues, now, strict=True)}
        channels = self.channels(arguments)
        nothing = {
            **_serving(staffing.Staff(), self.activities),
            **figures.tasks(
                realtime.ScopeCounts(
                    by_channel={row.pk: realtime.TaskCounts() for row in channels}
                ),
                channels,
                in_queue=False,
                now=self.now,
            ),
        }
        for sid in wanted:
            yield {"task_queue_sid": sid, **known.get(sid, nothing)}
