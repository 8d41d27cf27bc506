"""Events: what happened; the audit trail, the outbox and the source of statistics in one table."""

from __future__ import annotations

from django.db import connection, models
from django.db.models import Q

from routing.core.vocabulary import EventType, ResourceType
from routing.models.base import choices, sid_field, unique_sid


class _OldestRunningTransaction(models.Func):
    """The first transaction, of all that write, that has not ended yet (PostgreSQL)."""

    template = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    output_field = models.BigIntegerField()


class Events(models.QuerySet["Event"]):
    """Events, with the one question that ids cannot answer."""

    def settled(self) -> Events:
        """Keep those before which, by transaction and id, none will ever appear any more.

        A transaction that began earlier may commit later: what is written after it waits for it.
        """
        if connection.vendor != "postgresql":
            return self
        return self.filter(transaction_id__lt=_OldestRunningTransaction())

    def after(self, last: Event) -> Events:
        """Keep what comes after an event, by transaction and id."""
        return self.filter(
            Q(transaction_id__gt=last.transaction_id)
            | Q(transaction_id=last.transaction_id, id__gt=last.pk),
            transaction_id__gte=last.transaction_id,
        )


class Event(models.Model):
    """One thing that happened, written in the transaction that made it happen.

    It names what it is about by sid, not by foreign key: events outlive their tasks.
    """

    sid = sid_field()
    # Not indexed: whoever looks for events knows their workspace.
    account = models.ForeignKey(
        "routing.Account", on_delete=models.CASCADE, related_name="events", db_index=False
    )
    workspace_sid = models.CharField(max_length=34)
    event_type = models.CharField(max_length=40, choices=choices(EventType))
    event_date = models.DateTimeField()
    description = models.CharField(max_length=255)
    event_data = models.JSONField()
    actor_type = models.CharField(max_length=32)
    actor_sid = models.CharField(max_length=64, null=True)
    resource_type = models.CharField(max_length=16, choices=choices(ResourceType))
    resource_sid = models.CharField(max_length=34)
    source = models.CharField(max_length=32)
    source_ip_address = models.GenericIPAddressField(null=True)
    # Whether the world was told. Telling happens after the commit, so a row that stays False for
    # more than a moment was left behind by a process that died, and is told again.
    delivered = models.BooleanField(default=False)

    # Whom the event names, as `sids.key` has it: eight bytes where a sid takes thirty-five, in the
    # row and in each index.
    task_key = models.BigIntegerField(null=True)
    worker_key = models.BigIntegerField(null=True)
    task_queue_key = models.BigIntegerField(null=True)
    workflow_key = models.BigIntegerField(null=True)
    task_channel_key = models.BigIntegerField(null=True)
    # How long the task had waited when it was accepted or canceled: since its creation, and since
    # it entered its queue.
    waited_ms = models.BigIntegerField(null=True)
    waited_in_queue_ms = models.BigIntegerField(null=True)
    # How much of that was before the task was first handed on; null where it has not been. The
    # split by wait time is of this.
    waited_until_transfer_ms = models.BigIntegerField(null=True)
    # The transaction that wrote the row, where ids are taken before commits and so do not say what
    # can be read when: on PostgreSQL the database fills it in. SQLite has one writer at a time.
    transaction_id = models.BigIntegerField(db_default=0, editable=False)

    is_owed = False
    """Whether the receiver of callbacks waits for it, or for one that was written with it."""

    objects = Events.as_manager()

    class Meta:
        db_table = "events"
        constraints = [unique_sid("events")]
        # Writing its event is the dearest part of an assignment, so each of these must earn its
        # keep. All of them grow at their ends: rows come in the order of time. Workflows and
        # channels have none: they are few, and a page of theirs is found within any busy window.
        indexes = [
            # The list, newest first, and the window that its dates cut out.
            models.Index(fields=["workspace_sid", "event_date", "id"], name="events_window"),
            # The log as a consumer reads it on: in the order of commits.
            models.Index(fields=["workspace_sid", "transaction_id", "id"], name="events_log"),
            # Cumulative statistics count a few types of the many; and the filter by type.
            models.Index(
                fields=["workspace_sid", "event_type", "event_date", "id"], name="events_typed"
            ),
            # The story of a task and of its reservations: its page, its explanation, its filter.
            models.Index(
                fields=["task_key", "event_date", "id"],
                name="events_of_task",
                condition=Q(task_key__isnull=False),
            ),
            # The day of a worker, and of a queue: up to 15,000 and 5,000 share one window.
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
