"""Check that counters, statuses and lanes agree with the rows, and that secrets can be read."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils import timezone

from routing import models
from routing.actions import resealing
from routing.actions.support import lanes
from routing.core import lifecycle
from routing.core.lanes import Identity
from routing.core.vocabulary import ReservationStatus, TransferStatus
from routing.models.base import words
from routing.statistics import audits, counting
from workflows.expressions import ExpressionError

_OPEN = Q(reservations__reservation_status__in=words(lifecycle.OPEN_RESERVATION))
_ACCEPTED = Q(reservations__reservation_status=ReservationStatus.ACCEPTED.value)
_CHUNK = 500
_CURRENT_TRANSFERS = models.Transfer.objects.filter(transfer_status=TransferStatus.INITIATED.value)


def find_problems() -> Iterator[str]:
    """Yield a sentence for every inconsistency."""
    yield from _unreadable_secrets()
    yield from _wrong_counters()
    yield from _wrong_channels()
    yield from _wrong_statuses()
    yield from _wrong_transfers()
    yield from _wrong_lanes()
    yield from _tasks_on_wrong_lanes()
    yield from _wrong_counts()
    yield from audits.find_problems()


def _unreadable_secrets() -> Iterator[str]:
    for name in resealing.find_unreadable_secrets():
        yield (
            f"{name} cannot be read: neither SECRET_KEY nor SECRET_KEY_FALLBACKS has the key that"
            " sealed it"
        )


def _wrong_counters() -> Iterator[str]:
    channels = models.WorkerChannel.objects.annotate(
        held=Count("reservations", filter=_OPEN), accepted=Count("reservations", filter=_ACCEPTED)
    ).exclude(consumed=F("held"), assigned=F("accepted"))
    for channel in channels.order_by("pk").iterator():
        yield (
            f"worker channel {channel.sid} counts {channel.consumed} slots in use and"
            f" {channel.assigned} assigned; its reservations say {channel.held} and"
            f" {channel.accepted}"
        )


def _wrong_channels() -> Iterator[str]:
    """Compare worker channels with their workers and task channels."""
    rows = models.WorkerChannel.objects.select_related("worker__activity").order_by("pk")
    astray = ~Q(worker_available=F("worker__activity__available"))
    for channel in rows.filter(astray).iterator():
        yield (
            f"worker channel {channel.sid} says that {_describe_worker(channel.worker_available)};"
            f" their activity says that {_describe_worker(channel.worker.activity.available)}"
        )
    idle = Q(worker__last_reserved_us=None) | Q(worker__last_reserved_us__lt=F("last_reserved_us"))
    for channel in rows.filter(idle, last_reserved_us__isnull=False).iterator():
        yield (
            f"worker {channel.worker.sid} was offered something on channel {channel.sid} after the"
            " last offer that is stored for the worker"
        )
    workspaces = models.Workspace.objects.order_by("pk").annotate(
        of_tasks=Count("task_channels", distinct=True)
    )
    for workspace in workspaces.iterator():
        people = workspace.workers.annotate(has=Count("channels")).exclude(has=workspace.of_tasks)
        for worker in people.order_by("pk").iterator():
            yield f"worker {worker.sid} has {worker.has} channels of {workspace.of_tasks}"
    there = models.Reservation.objects.filter(worker__isnull=False, worker_channel__isnull=False)
    elsewhere = there.exclude(worker_channel__worker=F("worker"))
    for reservation in elsewhere.order_by("pk").iterator():
        yield f"reservation {reservation.sid} uses a slot of another worker"


def _describe_worker(available: bool) -> str:
    return "the worker is available" if available else "the worker is not available"


def _wrong_statuses() -> Iterator[str]:
    live = models.Task.objects.exclude(assignment_status__in=words(lifecycle.FINAL_TASK))
    moving = set(_CURRENT_TRANSFERS.values_list("task", flat=True))
    for task in live.order_by("pk").prefetch_related("reservations").iterator(chunk_size=500):
        statuses = [ReservationStatus(r.reservation_status) for r in task.reservations.all()]
        derived = lifecycle.derive_task_status(statuses, in_transfer=task.pk in moving)
        if derived != task.assignment_status:
            yield f"task {task.sid} is {task.assignment_status}; its reservations say {derived}"
    over = models.Reservation.objects.open().filter(
        task__assignment_status__in=words(lifecycle.FINAL_TASK)
    )
    for reservation in over.select_related("task").order_by("pk").iterator():
        yield (
            f"reservation {reservation.sid} is {reservation.reservation_status} though its task is"
            f" {reservation.task.assignment_status}"
        )


def _wrong_transfers() -> Iterator[str]:
    here = OuterRef("pk")
    initiating = models.Reservation.objects.filter(
        outgoing=here, reservation_status=ReservationStatus.ACCEPTED.value
    )
    offer = models.Reservation.objects.pending().filter(incoming=here)
    asked = _CURRENT_TRANSFERS.annotate(given=Exists(initiating), asked=Exists(offer)).order_by(
        "pk"
    )
    for transfer in asked.iterator():
        if not transfer.given:
            yield f"transfer {transfer.sid} is in progress but no reservation is being transferred"
        if transfer.asked == transfer.seeking:
            offer_state = "has an open offer" if transfer.asked else "has no open offer"
            seeks = "seeks" if transfer.seeking else "does not seek"
            yield f"transfer {transfer.sid} {seeks} a worker, and {offer_state}"
    over = [TransferStatus.FAILED.value, TransferStatus.CANCELED.value]
    left = models.Reservation.objects.filter(outgoing__transfer_status__in=over)
    for reservation in left.select_related("outgoing").order_by("pk").iterator():
        yield f"reservation {reservation.sid} belongs to a transfer that failed or was canceled"


def _wrong_lanes() -> Iterator[str]:
    """Compute the digest and the key of each lane again, and compare."""
    rows = models.Lane.objects.select_related("task_channel", "task_queue").order_by("pk")
    for lane in rows.iterator(chunk_size=_CHUNK):
        identity = Identity(
            task_channel_sid=lane.task_channel.sid,
            task_queue_sid=None if lane.task_queue is None else lane.task_queue.sid,
            expression=lane.expression,
            order_by=lane.order_by,
            known_worker_sid=lane.known_worker_sid,
            known_worker_name=lane.known_worker_name,
            ignore_capacity=lane.ignore_capacity,
        )
        if identity.digest != lane.digest:
            yield f"lane {lane.pk} has a digest that is not that of its fields"
        try:
            seek = lanes.find_lane_key(identity)
        except ExpressionError as error:
            yield f"lane {lane.pk} has an expression that cannot be parsed: {error}"
            continue
        if (seek.path, seek.value) != (lane.seek_path, lane.seek_value):
            yield (
                f"lane {lane.pk} has the key {lane.seek_value!r} at {lane.seek_path!r}; its"
                f" expression gives {seek.value!r} at {seek.path!r}"
            )


def _tasks_on_wrong_lanes() -> Iterator[str]:
    """Compute the lane of each waiting task again, and compare."""
    rows = models.Task.objects.pending().select_related(
        "workspace", "workflow", "task_channel", "task_queue", "lane"
    )
    now = timezone.now()
    for task in rows.order_by("pk").iterator(chunk_size=_CHUNK):
        assert task.lane is not None
        try:
            digest = lanes.find_lane_identity(task, now=now).digest
        except Exception as error:  # a broken row must not hide problems of others
            yield f"task {task.sid}: cannot compute its lane: {error!r}"
            continue
        if digest != task.lane.digest:
            yield f"task {task.sid} waits on another lane than its attributes require"


def _wrong_counts() -> Iterator[str]:
    for found in counting.find_differences():
        yield (
            f"the tasks of workspace {found.workspace_id} that are {found.assignment_status} with"
            f" priority {found.priority} in queue {found.task_queue_id}, workflow"
            f" {found.workflow_id}, channel {found.task_channel_id} are counted as"
            f" {found.counted}; there are {found.there}"
        )
