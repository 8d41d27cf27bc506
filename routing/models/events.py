"""Events: the audit trail and the source of statistics in one table, the outbox beside it."""

from __future__ import annotations

from django.db import connection, models
from django.db.models import Q

from routing.core.event_catalog import NEEDS_DELIVERY, EventType
from routing.core.vocabulary import ResourceType
from routing.db.sql.follow_ups import FollowUp
from routing.models.base import choices, sid_field, unique_sid

_WITHOUT_AUDIENCE = ", ".join(f"'{each.value}'" for each in EventType if each not in NEEDS_DELIVERY)
"""Types of events that are not published, as an SQL list."""


class _OldestRunningTransaction(models.Func):
    """The oldest transaction that has not ended yet (PostgreSQL)."""

    template = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    output_field = models.BigIntegerField()


def find_last_transaction() -> int | None:
    """Return the transaction of all newest events; None if each has its own.

    On SQLite a search among its events needs the equality, as it seeks in an index by one range
    alone. Otherwise it would walk over all of them.
    """
    return None if connection.vendor == "postgresql" else 0


class Events(models.QuerySet["Event"]):
    """Events, with filters that need more than ids."""

    def settled(self) -> Events:
        """Filter events before which no other can appear, by transaction and id.

        A transaction that began earlier may commit later. Events after its first one are held back
        until it has ended.
        """
        if connection.vendor != "postgresql":
            return self
        return self.filter(transaction_id__lt=_OldestRunningTransaction())

    def after(self, last: Event) -> Events:
        """Filter events that come after this one, by transaction and id."""
        return self.after_place(last.transaction_id, last.pk)

    def after_place(self, transaction_id: int, pk: int) -> Events:
        """Filter events that come after a place in the log."""
        if transaction_id == find_last_transaction():
            return self.filter(transaction_id=transaction_id, id__gt=pk)
        return self.filter(
            Q(transaction_id__gt=transaction_id) | Q(transaction_id=transaction_id, id__gt=pk),
            transaction_id__gte=transaction_id,
        )


class Event(models.Model):
    """A record of one change, written in the transaction of the change.

    It names its resources by sid, not by foreign key, because events outlive their tasks.
    """

    sid = sid_field()
    # Not indexed: every query for events filters by workspace.
    account = models.ForeignKey(
        "routing.Account", on_delete=models.CASCADE, related_name="events", db_index=False
    )
    workspace_sid = models.CharField(max_length=34)
    # Without choices, so that a new type needs no migration.
    event_type = models.CharField(max_length=40)
    event_date = models.DateTimeField()
    description = models.CharField(max_length=255)
    event_data = models.JSONField()
    actor_type = models.CharField(max_length=32)
    actor_sid = models.CharField(max_length=64, null=True)
    resource_type = models.CharField(max_length=16, choices=choices(ResourceType))
    resource_sid = models.CharField(max_length=34)
    source = models.CharField(max_length=32)
    source_ip_address = models.GenericIPAddressField(null=True)
    # The release before this one reads it, and its partial index; see `UnpublishedEvent`.
    delivered = models.BooleanField(default=False)

    # The resources of the event, hashed by `sids.key`: 8 bytes instead of a sid's 35, in the row
    # and in each index.
    task_key = models.BigIntegerField(null=True)
    worker_key = models.BigIntegerField(null=True)
    task_queue_key = models.BigIntegerField(null=True)
    workflow_key = models.BigIntegerField(null=True)
    task_channel_key = models.BigIntegerField(null=True)
    # How long the task had waited when it was accepted or canceled: since its creation, and since
    # it entered its queue.
    waited_ms = models.BigIntegerField(null=True)
    waited_in_queue_ms = models.BigIntegerField(null=True)
    # The part before the task was first transferred; null where it was not. The split by wait time
    # uses this.
    waited_until_transfer_ms = models.BigIntegerField(null=True)
    # How the task of a reservation came to the worker; whether an acceptance was the first answer
    # to the task; how long the worker had a completed one, and how long they wrapped it up. Null
    # where it does not apply, and in events of a release that did not store it.
    origin = models.CharField(max_length=8, null=True)
    is_first_answer = models.BooleanField(null=True)
    handled_ms = models.BigIntegerField(null=True)
    wrapping_ms = models.BigIntegerField(null=True)
    # As what a stay in a queue ends by this event, where its type leaves that open:
    # `core.stays.StayEnd`.
    stay_end = models.CharField(max_length=17, null=True)
    # The transaction that wrote the row. On PostgreSQL ids are assigned before the commit, so their
    # order is not the order of visibility; the database sets this. SQLite has one writer at a time.
    transaction_id = models.BigIntegerField(db_default=0, editable=False)

    follow_up = FollowUp(
        table="unpublished_events",
        column="event_id",
        reads="event_type",
        condition=f"event_type NOT IN ({_WITHOUT_AUDIENCE})",
    )
    is_owed = False
    """Whether a callback delivery is pending for it, or for an event written with it."""
    is_routed = False
    """Whether the router has nothing to do because of it: what it was to do is done."""

    objects = Events.as_manager()

    class Meta:
        db_table = "events"
        constraints = [unique_sid("events")]
        # Writing its event is the most expensive part of an assignment, so every index must have a
        # use. All grow at their ends, because rows come in the order of time. Workflows and
        # channels have no index: they are few, and any busy window has enough events of each.
        indexes = [
            # The list, newest first, and its date window.
            models.Index(fields=["workspace_sid", "event_date", "id"], name="events_window"),
            # The log that consumers follow, in the order of commits.
            models.Index(fields=["workspace_sid", "transaction_id", "id"], name="events_log"),
            # Cumulative statistics, which count a few types, and the filter by type.
            models.Index(
                fields=["workspace_sid", "event_type", "event_date", "id"], name="events_typed"
            ),
            # The history of a task and its reservations: its page, its explanation, its filter.
            models.Index(
                fields=["task_key", "event_date", "id"],
                name="events_of_task",
                condition=Q(task_key__isnull=False),
            ),
            # Events of a worker or a queue within a window that 15,000 and 5,000 of them share.
            models.Index(
                fields=["worker_key", "event_date", "id"],
                name="events_of_worker",
                condition=Q(worker_key__isnull=False),
            ),
            models.Index(
                fields=["task_queue_key", "event_date", "id"],
                name="events_of_task_queue",
                condition=Q(task_queue_key__isnull=False),
            ),
            models.Index(fields=["id"], name="events_undelivered", condition=Q(delivered=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.resource_sid}"

    @property
    def needs_publishing(self) -> bool:
        """Return whether the router or a websocket waits for it."""
        return self.event_type in NEEDS_DELIVERY


class UnpublishedEvent(models.Model):
    """An event that was not published yet, which happens after the commit.

    The insert of an event writes it (`Event.follow_up`), and the courier deletes it. A row that
    stays for more than a moment was left behind by a process that died: the event is published
    again. A column of the event would cost an update of its wide row and of all its indexes.
    """

    # No foreign key, as its check would cost more than the row. Events outlive their rows here.
    event_id = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "unpublished_events"

    def __str__(self) -> str:
        return str(self.event_id)
