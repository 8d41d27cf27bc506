"""Views for worker statistics: of one worker, of all, and of those who serve a queue."""

from __future__ import annotations

from collections import Counter

from django.db.models import QuerySet

from routing import models, sids
from routing.api import figures, statistics_shapes
from routing.api.statistics import NOW, TASK_CHANNEL, RowStatistics, Statistics, channel_key
from routing.fields.schemas import sample_sid
from routing.fields.shapes import Answer
from routing.operations import parameters, references, time_windows
from routing.operations.base import Arguments
from routing.operations.workers import WorkerInstanceOperation
from routing.statistics import cumulative, durations, staffing

_PAST = (*time_windows.PARAMS, TASK_CHANNEL)


class _OfWorkers(Statistics):
    collection = "Workers"

    def select_workers(self, arguments: Arguments) -> QuerySet[models.Worker] | None:
        """Return the workers that the query selects; None means all."""
        columns = {"task_queue_sid": "sid", "task_queue_name": "friendly_name"}
        found = None
        if columns.keys() & arguments.keys():
            queues = list(
                self.workspace.task_queues.filter(references.filter_condition(arguments, columns))
            )
            found = staffing.filter_serving(self.workspace, queues)
        if "friendly_name" in arguments:
            workers = self.workspace.workers.all() if found is None else found
            found = workers.filter(references.name_condition(arguments["friendly_name"]))
        return found

    def real_time_figures(
        self, arguments: Arguments, chosen: QuerySet[models.Worker] | None
    ) -> Answer:
        """Return the current number of workers and their capacity."""
        all_workers = self.workspace.workers.all()
        staff = staffing.count_by_activity(all_workers if chosen is None else chosen)
        channels = self.channels(arguments)
        return {
            "total_workers": staff.total,
            "activity_statistics": figures.activity_statistics(self.activities, staff),
            "task_channels": figures.rooms(
                channels, staffing.count_slots(channels, workers=chosen)
            ),
        }

    def cumulative_figures(
        self, arguments: Arguments, chosen: QuerySet[models.Worker] | None
    ) -> Answer:
        """Return the reservations and the activity times of workers in a time window."""
        window = self.window(arguments)
        keys = None if chosen is None else _keys(chosen)
        found = cumulative.count_events(
            self.workspace.sid,
            window,
            cumulative.OF_WORKERS,
            by=None if keys is None else "worker_key",
            keys=keys or [],
            task_channel_key=channel_key(arguments),
        )
        counts = Counter(dict.fromkeys(cumulative.OF_WORKERS.values(), 0))
        for each in found.values():
            counts.update(each.counts)
        stays = durations.measure_activities(
            self.workspace,
            window,
            workers=self.workspace.workers.all() if chosen is None else chosen,
            include_deleted=chosen is None,
            now=self.now,
        )
        return {
            **figures.window(window),
            **counts,
            "activity_durations": figures.activity_durations(self.activities, stays),
        }


def _keys(workers: QuerySet[models.Worker]) -> list[int]:
    return [sids.index_key(sid) for sid in workers.order_by("pk").values_list("sid", flat=True)]


class WorkersRealTimeStatistics(_OfWorkers):
    """Current figures of the workers of a workspace."""

    tail = "RealTimeStatistics"
    filters = NOW
    shape = statistics_shapes.WORKERS_REAL_TIME
    about = {"get": "Fetch the workers' real-time statistics"}

    def figures(self, arguments: Arguments) -> Answer:
        return self.real_time_figures(arguments, None)


class WorkersCumulativeStatistics(_OfWorkers):
    """Figures of the workers of a workspace in a time window."""

    tail = "CumulativeStatistics"
    filters = _PAST
    shape = statistics_shapes.WORKERS_CUMULATIVE
    about = {"get": "Fetch the workers' cumulative statistics"}

    def figures(self, arguments: Arguments) -> Answer:
        return self.cumulative_figures(arguments, None)


class WorkersStatistics(_OfWorkers):
    """Current figures of the workers of a workspace, and those of a time window."""

    tail = "Statistics"
    filters = (
        *_PAST,
        references.sid("TaskQueueSid", "WQ").describe(
            "Only workers who serve this queue.", sample_sid("WQ")
        ),
        parameters.text("TaskQueueName").describe(
            "Only workers who serve the queue with this name.", "Support in English"
        ),
        parameters.text("FriendlyName").describe("Only the worker with this name.", "Alice"),
    )
    shape = statistics_shapes.WORKERS_BOTH
    about = {"get": "Fetch the workers' statistics"}

    def figures(self, arguments: Arguments) -> Answer:
        chosen = self.select_workers(arguments)
        return {
            "cumulative": self.cumulative_figures(arguments, chosen),
            "realtime": self.real_time_figures(arguments, chosen),
        }


class WorkerStatistics(RowStatistics, _OfWorkers):
    """Figures of one worker in a time window."""

    tail = "Statistics"
    filters = _PAST
    shape = statistics_shapes.WORKER
    about = {"get": "Fetch a worker's statistics"}
    identity = "worker_sid"
    instance_operation = WorkerInstanceOperation

    def figures(self, arguments: Arguments) -> Answer:
        alone = self.workspace.workers.filter(pk=self.subject.pk)
        return {"cumulative": self.cumulative_figures(arguments, alone)}
