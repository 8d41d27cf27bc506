"""Bring older rows up to what is written now: whole seconds, and keys of lanes.

Virtual start times of tasks that are still served lose their fractions, so that a task from before
keeps its place among those of its second. Lanes from before 0003 have no key, by which they were
found for every worker and which `manage.py doctor` reported.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F

BATCH = 1_000
SECOND = 1_000_000


def cut_fractions(apps: Any, schema_editor: Any) -> None:
    """Give tasks that are not finished a virtual start time in whole seconds."""
    tasks = apps.get_model("routing", "Task").objects.filter(date_finished__isnull=True)
    last = 0
    while keys := list(
        tasks.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
    ):
        last = keys[-1]
        fraction = F("virtual_start_us") % SECOND
        tasks.filter(pk__in=keys).update(virtual_start_us=F("virtual_start_us") - fraction)


def set_lane_keys(apps: Any, schema_editor: Any) -> None:
    """Store by what each lane is found, where nothing is stored."""
    from routing.core import lanes
    from routing.core.matching import lane_keys
    from workflows import expressions

    rows = apps.get_model("routing", "Lane").objects.filter(seek_path="", seek_value="")
    for row in rows.order_by("pk").iterator(chunk_size=BATCH):
        identity = lanes.Identity(
            task_channel_sid="",
            task_queue_sid=None,
            known_worker_sid=row.known_worker_sid,
            known_worker_name=row.known_worker_name,
            ignore_capacity=row.ignore_capacity,
        )
        try:
            asked = (
                expressions.compile_expression(row.expression, subject="residual")
                if row.expression
                else None
            )
        except expressions.ExpressionError:
            continue  # The router reports it and passes it over.
        key = lane_keys.choose_lane_key(identity, asked)
        if key != lane_keys.LaneKey():
            rows.filter(pk=row.pk).update(seek_path=key.path, seek_value=key.value)


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0015_names_kept"),
    ]

    operations = [
        migrations.RunPython(cut_fractions, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(set_lane_keys, migrations.RunPython.noop, elidable=True),
    ]
