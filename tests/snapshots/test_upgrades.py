"""Rows that an older version wrote are brought up to what this one writes."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import connection

from routing import diagnosis, models
from tests import factories

pytestmark = pytest.mark.django_db

migration = importlib.import_module("routing.migrations.0016_seconds_and_lane_keys")


def test_lanes_without_a_key_get_the_one_that_they_would_be_given_now() -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace)
    targets = (
        factories.target(queue, expression="worker.languages HAS task.language"),
        factories.target(queue, known_worker_friendly_name="task.agent"),
        factories.target(queue, expression="worker.level > 3"),
        factories.target(queue),
    )
    filters = [factories.filter_(f"kind == {n}", each) for n, each in enumerate(targets)]
    factories.workflow(workspace, *filters)
    for kind in range(len(targets)):
        attributes = {"kind": kind, "language": "en", "agent": "Ann"}
        factories.task(workspace, attributes=attributes)
    models.Lane.objects.filter(expression="worker.level > 3").update(expression="worker.level > (")
    before = list(models.Lane.objects.order_by("pk").values_list("seek_path", "seek_value"))
    assert len({path for path, _ in before}) == 3
    models.Lane.objects.update(seek_path="", seek_value="")
    migration.set_lane_keys(apps, connection)
    assert list(models.Lane.objects.order_by("pk").values_list("seek_path", "seek_value")) == before
    models.Lane.objects.filter(expression__contains="(").update(expression="worker.level > 3")
    assert list(diagnosis.find_problems()) == []


def test_virtual_start_times_of_tasks_that_are_served_lose_their_fractions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migration, "BATCH", 2)
    workspace = factories.workspace()
    made = [factories.task(workspace) for _ in range(3)]
    whole = made[0].virtual_start_us
    for number, task in enumerate(made):
        models.Task.objects.filter(pk=task.pk).update(virtual_start_us=whole + 300 * number)
    migration.cut_fractions(apps, connection)
    assert set(models.Task.objects.values_list("virtual_start_us", flat=True)) == {whole}
