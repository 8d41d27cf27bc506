"""The schema of 0001 to 0016 in one step, for new databases; it replaces those."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


def number_transactions(apps, schema_editor):
    """Make PostgreSQL fill in the transaction that writes an event."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE events ALTER COLUMN transaction_id"
            " SET DEFAULT pg_current_xact_id()::text::bigint"
        )


class Migration(migrations.Migration):
    replaces = [
        ("routing", "0001_initial"),
        ("routing", "0002_events_and_counts"),
        ("routing", "0003_seeking"),
        ("routing", "0004_api_key_use"),
        ("routing", "0005_callbacks"),
        ("routing", "0006_tasks_alive"),
        ("routing", "0007_callbacks_by_status"),
        ("routing", "0008_transfers"),
        ("routing", "0009_reservation_failed"),
        ("routing", "0010_handed_on"),
        ("routing", "0011_names"),
        ("routing", "0012_idempotency"),
        ("routing", "0013_desk_grace"),
        ("routing", "0014_workspace_time_zone"),
        ("routing", "0015_names_kept"),
        ("routing", "0016_seconds_and_lane_keys"),
    ]

    initial = True

    dependencies = [
        ("auth", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("friendly_name", models.CharField(max_length=64)),
                ("sealed_auth_token", models.TextField(editable=False)),
            ],
            options={
                "db_table": "accounts",
                "constraints": [models.UniqueConstraint(fields=("sid",), name="accounts_sid")],
            },
        ),
        migrations.CreateModel(
            name="CallbackReceiver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("url", models.CharField(blank=True, default="", max_length=2048)),
                ("leased_until", models.DateTimeField(editable=False, null=True)),
                ("rests_until", models.DateTimeField(editable=False, null=True)),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
            ],
            options={
                "db_table": "callback_receivers",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="callback_receivers_sid")
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workspace_id", models.BigIntegerField()),
                ("task_queue_id", models.BigIntegerField(default=0)),
                ("workflow_id", models.BigIntegerField(default=0)),
                ("task_channel_id", models.BigIntegerField()),
                ("priority", models.BigIntegerField()),
                ("assignment_status", models.CharField(max_length=10)),
                ("tasks", models.BigIntegerField()),
            ],
            options={
                "db_table": "task_counts",
                "indexes": [
                    models.Index(
                        fields=[
                            "workspace_id",
                            "task_queue_id",
                            "workflow_id",
                            "task_channel_id",
                            "assignment_status",
                            "priority",
                        ],
                        name="task_counts_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "friendly_name",
                    models.CharField(blank=True, help_text="What uses this key.", max_length=64),
                ),
                ("sealed_secret", models.TextField(editable=False)),
                ("date_revoked", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_keys",
                        to="routing.account",
                    ),
                ),
                ("date_last_used", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "db_table": "api_keys",
                "constraints": [models.UniqueConstraint(fields=("sid",), name="api_keys_sid")],
                "verbose_name": "API key",
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("workspace_sid", models.CharField(max_length=34)),
                (
                    "event_type",
                    models.CharField(
                        choices=[
                            ("workspace.created", "workspace.created"),
                            ("workspace.updated", "workspace.updated"),
                            ("workspace.deleted", "workspace.deleted"),
                            ("activity.created", "activity.created"),
                            ("activity.updated", "activity.updated"),
                            ("activity.deleted", "activity.deleted"),
                            ("task-channel.created", "task-channel.created"),
                            ("task-channel.updated", "task-channel.updated"),
                            ("task-channel.deleted", "task-channel.deleted"),
                            ("task-queue.created", "task-queue.created"),
                            ("task-queue.deleted", "task-queue.deleted"),
                            ("task-queue.updated", "task-queue.updated"),
                            ("task-queue.expression.updated", "task-queue.expression.updated"),
                            ("task-queue.entered", "task-queue.entered"),
                            ("task-queue.timeout", "task-queue.timeout"),
                            ("task-queue.moved", "task-queue.moved"),
                            ("workflow.created", "workflow.created"),
                            ("workflow.updated", "workflow.updated"),
                            ("workflow.deleted", "workflow.deleted"),
                            ("workflow.entered", "workflow.entered"),
                            ("workflow.target-matched", "workflow.target-matched"),
                            ("workflow.timeout", "workflow.timeout"),
                            ("workflow.skipped", "workflow.skipped"),
                            ("worker.created", "worker.created"),
                            ("worker.deleted", "worker.deleted"),
                            ("worker.attributes.update", "worker.attributes.update"),
                            ("worker.activity.update", "worker.activity.update"),
                            ("worker.capacity.update", "worker.capacity.update"),
                            (
                                "worker.channel.availability.update",
                                "worker.channel.availability.update",
                            ),
                            ("task.created", "task.created"),
                            ("task.updated", "task.updated"),
                            ("task.wrapup", "task.wrapup"),
                            ("task.completed", "task.completed"),
                            ("task.canceled", "task.canceled"),
                            ("task.deleted", "task.deleted"),
                            ("task.system-deleted", "task.system-deleted"),
                            ("task.transfer-initiated", "task.transfer-initiated"),
                            ("task.transfer-attempt-failed", "task.transfer-attempt-failed"),
                            ("task.transfer-failed", "task.transfer-failed"),
                            ("task.transfer-canceled", "task.transfer-canceled"),
                            ("task.transfer-completed", "task.transfer-completed"),
                            ("reservation.created", "reservation.created"),
                            ("reservation.accepted", "reservation.accepted"),
                            ("reservation.rejected", "reservation.rejected"),
                            ("reservation.timeout", "reservation.timeout"),
                            ("reservation.canceled", "reservation.canceled"),
                            ("reservation.rescinded", "reservation.rescinded"),
                            ("reservation.wrapup", "reservation.wrapup"),
                            ("reservation.completed", "reservation.completed"),
                            ("reservation.failed", "reservation.failed"),
                            ("reservation.callback-failed", "reservation.callback-failed"),
                        ],
                        max_length=40,
                    ),
                ),
                ("event_date", models.DateTimeField()),
                ("description", models.CharField(max_length=255)),
                ("event_data", models.JSONField()),
                ("actor_type", models.CharField(max_length=32)),
                ("actor_sid", models.CharField(max_length=64, null=True)),
                (
                    "resource_type",
                    models.CharField(
                        choices=[
                            ("workspace", "workspace"),
                            ("activity", "activity"),
                            ("task-channel", "task-channel"),
                            ("task-queue", "task-queue"),
                            ("workflow", "workflow"),
                            ("worker", "worker"),
                            ("task", "task"),
                            ("reservation", "reservation"),
                        ],
                        max_length=16,
                    ),
                ),
                ("resource_sid", models.CharField(max_length=34)),
                ("source", models.CharField(max_length=32)),
                ("source_ip_address", models.GenericIPAddressField(null=True)),
                ("delivered", models.BooleanField(default=False)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="routing.account",
                    ),
                ),
                ("task_channel_key", models.BigIntegerField(null=True)),
                ("task_key", models.BigIntegerField(null=True)),
                ("task_queue_key", models.BigIntegerField(null=True)),
                ("transaction_id", models.BigIntegerField(db_default=0, editable=False)),
                ("waited_in_queue_ms", models.BigIntegerField(null=True)),
                ("waited_ms", models.BigIntegerField(null=True)),
                ("worker_key", models.BigIntegerField(null=True)),
                ("workflow_key", models.BigIntegerField(null=True)),
                ("waited_until_transfer_ms", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "events",
                "indexes": [
                    models.Index(
                        condition=models.Q(("delivered", False)),
                        fields=["id"],
                        name="events_undelivered",
                    ),
                    models.Index(
                        fields=["workspace_sid", "event_date", "id"], name="events_window"
                    ),
                    models.Index(
                        fields=["workspace_sid", "transaction_id", "id"], name="events_log"
                    ),
                    models.Index(
                        fields=["workspace_sid", "event_type", "event_date", "id"],
                        name="events_typed",
                    ),
                    models.Index(
                        condition=models.Q(("task_key__isnull", False)),
                        fields=["task_key", "event_date", "id"],
                        name="events_of_task",
                    ),
                    models.Index(
                        condition=models.Q(("worker_key__isnull", False)),
                        fields=["worker_key", "event_date", "id"],
                        name="events_of_worker",
                    ),
                    models.Index(
                        condition=models.Q(("task_queue_key__isnull", False)),
                        fields=["task_queue_key", "event_date", "id"],
                        name="events_of_task_queue",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("sid",), name="events_sid")],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.CharField(blank=True, max_length=34)),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("etag", models.CharField(blank=True, max_length=32)),
                ("body", models.TextField()),
                ("date_created", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="routing.account",
                    ),
                ),
            ],
            options={
                "db_table": "idempotency_keys",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "scope", "key"), name="idempotency_keys_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CallbackDelivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workspace_sid", models.CharField(max_length=34)),
                ("order_key", models.BigIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("date_created", models.DateTimeField()),
                ("date_due", models.DateTimeField()),
                ("date_answered", models.DateTimeField(null=True)),
                ("answer_status", models.PositiveSmallIntegerField(null=True)),
                ("answer", models.CharField(default="", max_length=500)),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="routing.event",
                    ),
                ),
            ],
            options={
                "db_table": "callback_deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["workspace_sid", "order_key", "id"],
                        name="callback_deliveries_in_order",
                    ),
                    models.Index(
                        fields=["workspace_sid", "status", "id"], name="callback_deliveries_shown"
                    ),
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["workspace_sid", "date_due", "id"],
                        name="callback_deliveries_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("event",), name="callback_deliveries_event")
                ],
                "verbose_name": "event callback",
            },
        ),
        migrations.CreateModel(
            name="Workspace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "friendly_name",
                    models.CharField(help_text="What people call this floor.", max_length=64),
                ),
                (
                    "multi_task_enabled",
                    models.BooleanField(
                        default=True,
                        help_text="On: workers take several tasks at once, up to their capacity on each channel. Off: one task per worker over all channels. Capacities are kept either way.",
                        verbose_name="multitasking",
                    ),
                ),
                (
                    "prioritize_queue_order",
                    models.CharField(
                        choices=[("FIFO", "FIFO"), ("LIFO", "LIFO")],
                        default="FIFO",
                        help_text="Which kind of queue a worker who serves both kinds drains first.",
                        max_length=4,
                    ),
                ),
                ("event_callback_url", models.CharField(blank=True, default="", max_length=2048)),
                (
                    "events_filter",
                    models.TextField(
                        blank=True,
                        help_text="Event types to send, separated by commas; empty for all.",
                        null=True,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workspaces",
                        to="routing.account",
                    ),
                ),
                (
                    "desk_grace",
                    models.PositiveIntegerField(
                        default=30,
                        help_text="Workers whose last open desk has been gone for so many seconds are moved to the timeout activity, and their offers go to others. 0: they stay as they are.",
                        verbose_name="seconds without a desk",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(
                        default="UTC",
                        help_text="The time zone in which the admin shows moments, such as Europe/Berlin.",
                        max_length=64,
                    ),
                ),
            ],
            options={
                "db_table": "workspaces",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="workspaces_sid"),
                    models.UniqueConstraint(
                        fields=("account", "friendly_name"), name="workspaces_name"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "friendly_name",
                    models.CharField(help_text="What the agent picks in the menu.", max_length=64),
                ),
                (
                    "available",
                    models.BooleanField(
                        default=False,
                        help_text="Whether workers in this activity are offered work. Fixed once created.",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activities",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "activities",
                "db_table": "activities",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="activities_sid"),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("friendly_name"),
                        name="activities_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "memberships",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "workspace"), name="memberships_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskChannel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("friendly_name", models.CharField(help_text="What people read.", max_length=64)),
                (
                    "unique_name",
                    models.CharField(
                        help_text="What expressions and the API call it (worker.channel.<name>). Lower-case letters, digits, _ and $, not beginning with a digit. Fixed once created.",
                        max_length=64,
                    ),
                ),
                (
                    "channel_optimized_routing",
                    models.BooleanField(
                        default=False,
                        help_text="Choose who has been idle longest on this channel rather than over all channels.",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="task_channels",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "task_channels",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="task_channels_sid"),
                    models.UniqueConstraint(
                        fields=("workspace", "unique_name"), name="task_channels_name"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskQueue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("friendly_name", models.CharField(max_length=64)),
                (
                    "target_workers",
                    models.TextField(
                        blank=True,
                        default="1==1",
                        help_text="An expression over a worker's attributes: who serves this queue. 1==1 means everyone; empty means nobody, and tasks wait.",
                    ),
                ),
                (
                    "max_reserved_workers",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How many workers are offered the same task at once (1 to 50); the first to accept has it.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(50),
                        ],
                    ),
                ),
                (
                    "task_order",
                    models.CharField(
                        choices=[("FIFO", "FIFO"), ("LIFO", "LIFO")],
                        default="FIFO",
                        help_text="FIFO: priority, then age. LIFO: the newest first, whatever its priority.",
                        max_length=4,
                    ),
                ),
                (
                    "grab_policy",
                    models.CharField(
                        choices=[
                            ("off", "off"),
                            ("anything", "anything"),
                            ("oldest", "oldest"),
                            ("waited", "waited"),
                        ],
                        default="anything",
                        help_text="What workers may pick by hand: off, anything, only the oldest few, or only what has waited a while.",
                        max_length=8,
                    ),
                ),
                (
                    "grab_limit",
                    models.PositiveIntegerField(
                        default=10,
                        help_text="With the policy 'oldest': how many of the oldest tasks.",
                    ),
                ),
                (
                    "grab_after",
                    models.PositiveIntegerField(
                        default=60, help_text="With the policy 'waited': after how many seconds."
                    ),
                ),
                (
                    "assignment_activity",
                    models.ForeignKey(
                        blank=True,
                        help_text="With multitasking off: the activity of a worker who has accepted.",
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="+",
                        to="routing.activity",
                    ),
                ),
                (
                    "reservation_activity",
                    models.ForeignKey(
                        blank=True,
                        help_text="With multitasking off: the activity of a worker who has an offer.",
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="+",
                        to="routing.activity",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="task_queues",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "task_queues",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="task_queues_sid"),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("friendly_name"),
                        name="task_queues_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "friendly_name",
                    models.CharField(help_text="Unique in the workspace.", max_length=64),
                ),
                (
                    "attributes",
                    models.TextField(
                        default="{}",
                        help_text='A JSON object that expressions match on, such as {"languages": ["en"]}.',
                    ),
                ),
                ("date_status_changed", models.DateTimeField(editable=False)),
                (
                    "last_reserved_us",
                    models.BigIntegerField(
                        editable=False,
                        help_text="When the worker was last offered a task: who is idle.",
                        null=True,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("workload_version", models.PositiveBigIntegerField(default=0, editable=False)),
                (
                    "activity",
                    models.ForeignKey(
                        help_text="Only an available activity lets new work come; running work goes on in any.",
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="workers",
                        to="routing.activity",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="The login that works as this worker at the agent's desk; empty for none.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="workers",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workers",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "workers",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="workers_sid"),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("friendly_name"),
                        name="workers_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("user__isnull", False)),
                        fields=("workspace", "user"),
                        name="workers_one_per_user",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lane",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("expression", models.TextField(blank=True)),
                ("order_by", models.TextField(blank=True)),
                ("known_worker_sid", models.TextField(null=True)),
                ("known_worker_name", models.TextField(null=True)),
                ("ignore_capacity", models.BooleanField(default=False)),
                ("date_seen", models.DateTimeField()),
                (
                    "task_channel",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lanes",
                        to="routing.taskchannel",
                    ),
                ),
                (
                    "task_queue",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lanes",
                        to="routing.taskqueue",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lanes",
                        to="routing.workspace",
                    ),
                ),
                ("seek_path", models.TextField(default="")),
                ("seek_value", models.CharField(default="", max_length=80)),
            ],
            options={
                "db_table": "lanes",
                "indexes": [
                    models.Index(
                        fields=["task_channel", "seek_path", "seek_value"], name="lanes_sought"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "digest"), name="lanes_digest")
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkerChannel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "configured_capacity",
                    models.PositiveSmallIntegerField(
                        default=1,
                        help_text="How many tasks at once (0 to 50). 0 takes nothing new on this channel.",
                        validators=[django.core.validators.MaxValueValidator(50)],
                        verbose_name="capacity",
                    ),
                ),
                (
                    "available",
                    models.BooleanField(
                        default=True,
                        help_text="Off: nothing new on this channel for a while; the capacity is kept.",
                    ),
                ),
                (
                    "reserved_for_manual",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="So many slots are never filled by the router, only by the agent's own picking.",
                        validators=[django.core.validators.MaxValueValidator(50)],
                        verbose_name="kept for grabbing",
                    ),
                ),
                ("consumed", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("assigned", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("last_reserved_us", models.BigIntegerField(editable=False, null=True)),
                (
                    "task_channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="worker_channels",
                        to="routing.taskchannel",
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channels",
                        to="routing.worker",
                    ),
                ),
                ("worker_available", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "db_table": "worker_channels",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("available", True),
                            ("consumed__lt", models.F("configured_capacity")),
                            ("worker_available", True),
                        ),
                        fields=["task_channel", "worker"],
                        name="worker_channels_free",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="worker_channels_sid"),
                    models.UniqueConstraint(
                        fields=("worker", "task_channel"), name="worker_channels_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("assigned__lte", models.F("consumed"))),
                        name="worker_channels_assigned_in_consumed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Workflow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("friendly_name", models.CharField(max_length=64)),
                (
                    "assignment_callback_url",
                    models.CharField(blank=True, max_length=2048, null=True),
                ),
                (
                    "fallback_assignment_callback_url",
                    models.CharField(blank=True, max_length=2048, null=True),
                ),
                (
                    "task_reservation_timeout",
                    models.PositiveIntegerField(
                        default=120,
                        help_text="How many seconds an offer stands before it expires (1 to 86400).",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(86400),
                        ],
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workflows",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "workflows",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="workflows_sid"),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("friendly_name"),
                        name="workflows_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WorkflowRevision",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("configuration", models.TextField()),
                ("date_created", models.DateTimeField(editable=False)),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="routing.workflow",
                    ),
                ),
            ],
            options={
                "db_table": "workflow_revisions",
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("attributes", models.TextField(default="{}")),
                (
                    "assignment_status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("reserved", "reserved"),
                            ("assigned", "assigned"),
                            ("wrapping", "wrapping"),
                            ("completed", "completed"),
                            ("canceled", "canceled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("priority", models.PositiveIntegerField(default=0)),
                ("reason", models.TextField(null=True)),
                ("timeout", models.PositiveIntegerField(default=86400)),
                ("routing_target", models.CharField(max_length=34, null=True)),
                ("ignore_capacity", models.BooleanField(null=True)),
                ("task_queue_entered_date", models.DateTimeField(null=True)),
                ("date_finished", models.DateTimeField(null=True)),
                ("assignments", models.PositiveIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=0)),
                ("virtual_start_us", models.BigIntegerField()),
                ("expires_us", models.BigIntegerField()),
                ("step_deadline_us", models.BigIntegerField(null=True)),
                ("filter_index", models.SmallIntegerField(null=True)),
                ("target_index", models.PositiveSmallIntegerField(default=0)),
                ("step_clock_us", models.BigIntegerField(null=True)),
                ("skip_unasked", models.BooleanField(default=False)),
                (
                    "lane",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="tasks",
                        to="routing.lane",
                    ),
                ),
                (
                    "task_channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="tasks",
                        to="routing.taskchannel",
                    ),
                ),
                (
                    "task_queue",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="tasks",
                        to="routing.taskqueue",
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tasks",
                        to="routing.workflow",
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="routing.workflowrevision",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tasks",
                        to="routing.workspace",
                    ),
                ),
                ("former_channel_name", models.CharField(editable=False, max_length=64, null=True)),
                ("former_channel_sid", models.CharField(editable=False, max_length=34, null=True)),
            ],
            options={
                "db_table": "tasks",
                "indexes": [
                    models.Index(
                        models.F("lane"),
                        models.OrderBy(models.F("priority"), descending=True),
                        models.F("virtual_start_us"),
                        models.F("id"),
                        condition=models.Q(("assignment_status", "pending")),
                        name="tasks_lane_fifo",
                    ),
                    models.Index(
                        models.F("lane"),
                        models.OrderBy(models.F("virtual_start_us"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        condition=models.Q(("assignment_status", "pending")),
                        name="tasks_lane_lifo",
                    ),
                    models.Index(
                        condition=models.Q(("assignment_status", "pending")),
                        fields=["task_queue", "date_created", "id"],
                        name="tasks_queue_pending",
                    ),
                    models.Index(
                        condition=models.Q(("assignment_status__in", ["pending", "reserved"])),
                        fields=["workspace", "expires_us"],
                        name="tasks_expiring",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("assignment_status", "pending"), ("step_deadline_us__isnull", False)
                        ),
                        fields=["workspace", "step_deadline_us"],
                        name="tasks_step_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("assignment_status", "pending"), ("skip_unasked", True)
                        ),
                        fields=["workspace", "id"],
                        name="tasks_skip_unasked",
                    ),
                    models.Index(fields=["workspace", "date_created", "id"], name="tasks_listed"),
                    models.Index(
                        condition=models.Q(("date_finished__isnull", False)),
                        fields=["date_finished"],
                        name="tasks_finished",
                    ),
                    models.Index(
                        condition=models.Q(("assignment_status", "pending")),
                        fields=["task_channel", "date_created", "id"],
                        name="tasks_oldest_of_channel",
                    ),
                    models.Index(
                        condition=models.Q(("assignment_status", "pending")),
                        fields=["workflow", "task_channel", "date_created", "id"],
                        name="tasks_oldest_of_workflow",
                    ),
                    models.Index(
                        condition=models.Q(("assignment_status", "pending")),
                        fields=["task_queue", "task_channel", "date_created", "id"],
                        name="tasks_oldest_of_queue",
                    ),
                    models.Index(
                        condition=models.Q(("assignment_status", "pending")),
                        fields=["task_queue", "task_channel", "task_queue_entered_date", "id"],
                        name="tasks_longest_in_queue",
                    ),
                    models.Index(
                        models.F("workspace"),
                        models.OrderBy(models.F("priority"), descending=True),
                        models.F("virtual_start_us"),
                        models.F("id"),
                        condition=models.Q(("assignment_status", "pending")),
                        name="tasks_served",
                    ),
                    models.Index(
                        condition=models.Q(("date_finished__isnull", True)),
                        fields=["workspace", "date_created", "id"],
                        name="tasks_alive",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="tasks_sid"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("assignment_status__in", ["canceled", "completed"]),
                                ("date_finished__isnull", False),
                            ),
                            models.Q(
                                models.Q(
                                    ("assignment_status__in", ["canceled", "completed"]),
                                    _negated=True,
                                ),
                                ("date_finished__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="tasks_finished_when_final",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("assignment_status", "pending"), _negated=True),
                            ("lane__isnull", False),
                            _connector="OR",
                        ),
                        name="tasks_wait_on_a_lane",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                ("initiating_reservation_sid", models.CharField(max_length=34)),
                ("initiating_worker_sid", models.CharField(max_length=34)),
                ("initiating_queue_sid", models.CharField(max_length=34, null=True)),
                ("initiating_workflow_sid", models.CharField(max_length=34, null=True)),
                (
                    "transfer_mode",
                    models.CharField(choices=[("WARM", "WARM"), ("COLD", "COLD")], max_length=4),
                ),
                (
                    "transfer_type",
                    models.CharField(
                        choices=[("WORKER", "WORKER"), ("QUEUE", "QUEUE")], max_length=6
                    ),
                ),
                ("transfer_to", models.CharField(max_length=34)),
                (
                    "transfer_status",
                    models.CharField(
                        choices=[
                            ("initiated", "initiated"),
                            ("complete", "complete"),
                            ("failed", "failed"),
                            ("canceled", "canceled"),
                        ],
                        default="initiated",
                        max_length=9,
                    ),
                ),
                ("transfer_failed_reason", models.TextField(null=True)),
                ("deadline_us", models.BigIntegerField()),
                ("seeking", models.BooleanField(default=False)),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transfers",
                        to="routing.task",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transfers",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "transfers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("seeking", True)),
                        fields=["workspace", "id"],
                        name="transfers_seeking",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="transfers_sid"),
                    models.UniqueConstraint(
                        condition=models.Q(("transfer_status", "initiated")),
                        fields=("task",),
                        name="transfers_one_under_way",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("seeking", False), ("transfer_status", "initiated"), _connector="OR"
                        ),
                        name="transfers_seek_under_way",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "reservation_status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("accepted", "accepted"),
                            ("wrapping", "wrapping"),
                            ("completed", "completed"),
                            ("rejected", "rejected"),
                            ("timeout", "timeout"),
                            ("canceled", "canceled"),
                            ("rescinded", "rescinded"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("reservation_timeout", models.PositiveIntegerField()),
                ("deadline_us", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=0)),
                (
                    "worker_previous_activity",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="routing.activity",
                    ),
                ),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="routing.task",
                    ),
                ),
                (
                    "worker",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reservations",
                        to="routing.worker",
                    ),
                ),
                (
                    "worker_channel",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reservations",
                        to="routing.workerchannel",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="routing.workspace",
                    ),
                ),
                (
                    "incoming",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="routing.transfer",
                    ),
                ),
                (
                    "outgoing",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="routing.transfer",
                    ),
                ),
                ("former_worker_name", models.CharField(editable=False, max_length=64, null=True)),
                ("former_worker_sid", models.CharField(editable=False, max_length=34, null=True)),
            ],
            options={
                "db_table": "reservations",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("reservation_status__in", ["accepted", "pending", "wrapping"])
                        ),
                        fields=["worker"],
                        name="reservations_open",
                    ),
                    models.Index(
                        condition=models.Q(("reservation_status", "pending")),
                        fields=["workspace", "deadline_us"],
                        name="reservations_due",
                    ),
                    models.Index(
                        condition=models.Q(("incoming__isnull", False)),
                        fields=["incoming"],
                        name="reservations_incoming",
                    ),
                    models.Index(
                        condition=models.Q(("outgoing__isnull", False)),
                        fields=["outgoing"],
                        name="reservations_outgoing",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="reservations_sid"),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("reservation_status__in", ["accepted", "pending", "wrapping"])
                        ),
                        fields=("task", "worker"),
                        name="reservations_one_open_offer",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("reservation_status__in", ["accepted", "wrapping"]),
                            ("outgoing__isnull", True),
                        ),
                        fields=("task",),
                        name="reservations_one_owner",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("reservation_status__in", ["accepted", "wrapping"]),
                            ("outgoing__isnull", False),
                        ),
                        fields=("task",),
                        name="reservations_one_handing_over",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("reservation_status__in", ["accepted", "pending", "wrapping"]),
                                _negated=True,
                            ),
                            models.Q(("worker__isnull", False), ("worker_channel__isnull", False)),
                            _connector="OR",
                        ),
                        name="reservations_open_take_a_slot",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssignmentCallback",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workflow_sid", models.CharField(max_length=34)),
                ("url", models.CharField(max_length=2048)),
                ("fallback_url", models.CharField(default="", max_length=2048)),
                ("parameters", models.JSONField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("date_created", models.DateTimeField()),
                ("date_answered", models.DateTimeField(null=True)),
                ("answer_status", models.PositiveSmallIntegerField(null=True)),
                ("answer", models.CharField(default="", max_length=500)),
                ("outcome", models.CharField(default="", max_length=500)),
                ("error_code", models.PositiveIntegerField(default=0)),
                (
                    "reservation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="callback",
                        to="routing.reservation",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignment_callbacks",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "assignment_callbacks",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["workflow_sid", "id"],
                        name="assignment_callbacks_pending",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="workspace",
            name="default_activity",
            field=models.ForeignKey(
                help_text="The activity of a new worker.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="routing.activity",
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="timeout_activity",
            field=models.ForeignKey(
                help_text="Where a worker is moved who lets an offer expire.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="routing.activity",
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="revision",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="routing.workflowrevision",
            ),
        ),
        migrations.RunPython(
            number_transactions,
            migrations.RunPython.noop,
        ),
    ]
