"""Views for task statistics: the current state, and what happened in a time window.

A subclass names the subject (a workspace, a workflow, a queue) and gives one of the two kinds or
both.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Final

from django.http import HttpRequest

from routing import models, sids
from routing.api import figures, statistics_shapes
from routing.api.base import READ_ONLY, ResourceView
from routing.api.responses import ApiResponse
from routing.fields.shapes import Answer
from routing.operations import parameters, references, time_windows
from routing.operations.base import Arguments, InstanceOperation
from routing.operations.workflows import WorkflowInstanceOperation
from routing.statistics import cumulative, realtime, staffing
from routing.statistics.windows import Window

MAX_THRESHOLDS: Final = 20


def split_by_wait_time() -> parameters.Param:
    """Return a parameter for thresholds in seconds, separated by commas; duplicates are dropped."""
    wanted = f"it must be at most {MAX_THRESHOLDS} whole numbers of seconds, such as 5,30"

    def convert(value: str, source: parameters.ParamContext) -> list[int]:
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not all(word.isascii() and word.isdecimal() and len(word) <= 9 for word in words):
            source.refuse(value, wanted)
        found = list(dict.fromkeys(int(word) for word in words))
        if len(found) > MAX_THRESHOLDS:
            source.refuse(value, wanted)
        return found

    schema = {"type": "string", "pattern": r"^\s*([0-9]{1,9}\s*(,\s*[0-9]{1,9}\s*)*)?$"}
    return parameters.Param("SplitByWaitTime", "thresholds", convert, schema=schema).describe(
        "For each of these numbers of seconds, how many tasks were canceled and offers accepted"
        f" after a longer and after a shorter wait; at most {MAX_THRESHOLDS}.",
        "5,30",
    )


TASK_CHANNEL: Final = references.reference(
    "TaskChannel", models.TaskChannel, "TC", argument="task_channel", by="unique_name"
).describe("Only tasks of this channel, by its sid or its unique name.", "chat")
NOW: Final = (TASK_CHANNEL,)
PAST: Final = (*time_windows.PARAMS, TASK_CHANNEL, split_by_wait_time())


class Statistics(ResourceView):
    """Base view for statistics: read only, with filters in the query."""

    http_method_names = READ_ONLY
    filters: ClassVar[tuple[parameters.Param, ...]]
    tail: ClassVar[str]
    """The last part of the path, after the subject."""
    collection: ClassVar[str] = ""
    """The part of the path before it, below the workspace."""

    def get(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Return the statistics."""
        identity = self.identify_subject()
        form = self.read_query()
        arguments = parameters.read_arguments(self.filters, form, workspace=self.workspace)
        return ApiResponse(
            {
                "account_sid": self.caller.account.sid,
                "workspace_sid": self.workspace.sid,
                **identity,
                **self.figures(arguments),
                "url": f"{self.subject_url}/{self.tail}",
            }
        )

    @property
    def subject(self) -> Any:
        """Return the row that the statistics are about."""
        return self.workspace

    @property
    def subject_url(self) -> str:
        """Return the URL of the subject."""
        home = f"{self.base}/Workspaces/{self.workspace.sid}"
        return f"{home}/{self.collection}" if self.collection else home

    def identify_subject(self) -> Answer:
        """Load the subject, and return the properties that identify it."""
        return {}

    def figures(self, arguments: Arguments) -> Answer:
        """Return the statistics of the subject."""
        raise NotImplementedError

    @cached_property
    def activities(self) -> list[models.Activity]:
        """Return the workspace's activities."""
        return staffing.list_activities(self.workspace)

    def channels(self, arguments: Arguments) -> list[models.TaskChannel]:
        """Return the task channels that the query selects."""
        if "task_channel" in arguments:
            return [arguments["task_channel"]]
        return list(self.workspace.task_channels.order_by("date_created", "pk"))

    def window(self, arguments: Arguments) -> Window:
        """Return the time window that the query selects."""
        return time_windows.read_window(dict(arguments), now=self.now)


def channel_key(arguments: Arguments) -> int | None:
    """Return the key of the task channel that the query selects, if any."""
    return sids.index_key(arguments["task_channel"].sid) if "task_channel" in arguments else None


class RowStatistics(Statistics):
    """Statistics of one row of a workspace, which the path names."""

    instance_operation: ClassVar[type[InstanceOperation[Any]]]
    identity: ClassVar[str]
    """The property with the row's sid."""

    @cached_property
    def subject(self) -> Any:
        """Return that row."""
        (sid,) = self.operation.names.values()
        return self.instance_operation(self.context, sid=sid).find()

    @property
    def subject_url(self) -> str:
        return f"{super().subject_url}/{self.subject.sid}"

    def identify_subject(self) -> Answer:
        return {self.identity: self.subject.sid}


class TaskStatistics(Statistics):
    """Statistics of the tasks of one subject."""

    counted: ClassVar[cumulative.Counted]
    column: ClassVar[str | None] = None
    in_queue: ClassVar[bool] = False
    has_outcomes: ClassVar[bool] = True

    def real_time_figures(self, arguments: Arguments) -> Answer:
        """Return the current figures of its tasks."""
        channels = self.channels(arguments)
        found = realtime.count_tasks(self.workspace, [self.subject], channels=channels)
        return figures.tasks(found[self.subject.pk], channels, in_queue=self.in_queue, now=self.now)

    def cumulative_figures(self, arguments: Arguments, *, exact: bool) -> Answer:
        """Return the figures of its tasks in a time window.

        Arguments:
            exact: whether averages are given with their fractions.
        """
        window = self.window(arguments)
        key = None if self.column is None else sids.index_key(self.subject.sid)
        found = cumulative.count_events(
            self.workspace.sid,
            window,
            self.counted,
            by=self.column,
            keys=[] if key is None else [key],
            task_channel_key=channel_key(arguments),
            thresholds=arguments.get("thresholds", ()),
        )
        shown = build_cumulative_figures(found[key], window, exact=exact, in_queue=self.in_queue)
        if not self.has_outcomes:
            return shown
        outcomes = cumulative.count_outcomes(
            self.workspace,
            window,
            by=self.column,
            keys=[] if key is None else [key],
            task_channel_key=channel_key(arguments),
        )
        return shown | {"outcomes": outcomes[key]}


def build_cumulative_figures(
    found: cumulative.Figures, window: Window, *, exact: bool, in_queue: bool
) -> Answer:
    """Return the figures of a time window; see `figures.waits`."""
    return {
        **figures.window(window),
        **figures.counts(found),
        **figures.waits(found, exact=exact, in_queue=in_queue),
    }


class RealTime(TaskStatistics):
    """Current figures."""

    tail = "RealTimeStatistics"
    filters = NOW

    def figures(self, arguments: Arguments) -> Answer:
        return self.real_time_figures(arguments)


class Cumulative(TaskStatistics):
    """Figures of a time window."""

    tail = "CumulativeStatistics"
    filters = PAST

    def figures(self, arguments: Arguments) -> Answer:
        return self.cumulative_figures(arguments, exact=False)


class Both(TaskStatistics):
    """Current figures and those of a time window."""

    tail = "Statistics"
    filters = PAST

    def figures(self, arguments: Arguments) -> Answer:
        return {
            "cumulative": self.cumulative_figures(arguments, exact=True),
            "realtime": self.real_time_figures(arguments),
        }


class _OfWorkspace(TaskStatistics):
    counted = cumulative.OF_WORKSPACE

    def real_time_figures(self, arguments: Arguments) -> Answer:
        staff = staffing.count_by_activity(self.workspace.workers.all())
        return {
            "total_workers": staff.total,
            "activity_statistics": figures.activity_statistics(self.activities, staff),
            **super().real_time_figures(arguments),
        }


class WorkspaceRealTimeStatistics(_OfWorkspace, RealTime):
    """Current figures of a workspace."""

    shape = statistics_shapes.WORKSPACE_REAL_TIME
    about = {"get": "Fetch a workspace's real-time statistics"}


class WorkspaceCumulativeStatistics(_OfWorkspace, Cumulative):
    """Figures of a workspace in a time window."""

    shape = statistics_shapes.WORKSPACE_CUMULATIVE
    about = {"get": "Fetch a workspace's cumulative statistics"}


class WorkspaceStatistics(_OfWorkspace, Both):
    """Current figures of a workspace, and those of a time window."""

    shape = statistics_shapes.WORKSPACE_BOTH
    about = {"get": "Fetch a workspace's statistics"}


class _OfWorkflow(RowStatistics, TaskStatistics):
    counted = cumulative.OF_WORKFLOW
    has_outcomes = False
    column = "workflow_key"
    collection = "Workflows"
    identity = "workflow_sid"
    instance_operation = WorkflowInstanceOperation


class WorkflowRealTimeStatistics(_OfWorkflow, RealTime):
    """Current figures of a workflow."""

    shape = statistics_shapes.WORKFLOW_REAL_TIME
    about = {"get": "Fetch a workflow's real-time statistics"}


class WorkflowCumulativeStatistics(_OfWorkflow, Cumulative):
    """Figures of a workflow in a time window."""

    shape = statistics_shapes.WORKFLOW_CUMULATIVE
    about = {"get": "Fetch a workflow's cumulative statistics"}


class WorkflowStatistics(_OfWorkflow, Both):
    """Current figures of a workflow, and those of a time window."""

    shape = statistics_shapes.WORKFLOW_BOTH
    about = {"get": "Fetch a workflow's statistics"}
