"""Migrations: a new database gets in one step the schema that an old one got in many."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from routing import models
from tests import factories

LAST_REPLACED = ("routing", "0016_seconds_and_lane_keys")
SQUASHED = ("routing", "0001_squashed_0016_seconds_and_lane_keys")


def schema_of(target: tuple[str, str], *, squashed: bool) -> dict[str, Any]:
    """Return the definitions of the app's tables and indexes, without the order of columns.

    Arguments:
        target: the migration to end with, on an empty database in memory.
        squashed: whether migrations that replace others are used.
    """
    connection = connections.create_connection("default")
    connection.settings_dict = {**connection.settings_dict, "NAME": ":memory:"}
    try:
        executor = MigrationExecutor(connection)
        if not squashed:
            executor.loader = MigrationLoader(connection, replace_migrations=False)
        executor.migrate([target])
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            found = dict(cursor.fetchall())
    finally:
        connection.close()
    own = {
        name: sql
        for name, sql in found.items()
        if not name.startswith(("auth_", "django_", "sqlite_"))
    }
    return {
        name: _parts(sql) if sql.startswith("CREATE TABLE") else sql for name, sql in own.items()
    }


def _parts(sql: str) -> set[str]:
    """Return a table's definition as a set of its columns and constraints."""
    return set(re.split(r", (?=\"|CONSTRAINT)", sql[sql.index("(") + 1 : sql.rindex(")")]))


@pytest.mark.django_db
def test_the_squashed_migration_makes_the_same_schema_as_those_it_replaces() -> None:
    one_step = schema_of(SQUASHED, squashed=True)
    assert len(one_step) > 20
    assert one_step == schema_of(LAST_REPLACED, squashed=False)


@pytest.mark.django_db
def test_events_that_the_release_before_left_unpublished_stay_unpublished() -> None:
    migration = importlib.import_module("routing.migrations.0044_unpublished_events")
    factories.task(factories.workspace())
    models.UnpublishedEvent.objects.all().delete()
    left = models.Event.objects.get(event_type="task.created")
    models.Event.objects.filter(pk=left.pk).update(delivered=False)
    with connection.cursor() as cursor:
        cursor.execute(migration.MOVE_IN)
        assert models.UnpublishedEvent.objects.get().pk == left.pk
        models.Event.objects.update(delivered=True)
        cursor.execute(migration.MOVE_OUT)
    assert models.Event.objects.get(delivered=False) == left
