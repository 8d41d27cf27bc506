"""Lists of fields that cannot follow from one declaration, held together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory

from routing import models
from routing.actions import workers
from routing.core import snapshot
from routing.fields.workers import WORKER
from routing.snapshots import workers as loaded
from tests.server import ROOT

SHOWN: Final = {field.name for field in WORKER.fields}
SET_BY_ACTIONS: Final = {
    field.name for field in models.Worker._meta.fields if field.editable and not field.primary_key
}
"""Columns of a worker that people set."""


def in_fieldsets(fieldsets: Iterable[Any]) -> set[str]:
    return {name for _, options in fieldsets for name in options["fields"]}


def test_an_action_sets_every_column_of_a_worker_that_people_set() -> None:
    settable = workers.WorkerChanges.__annotations__.keys()
    assert SET_BY_ACTIONS - {"workspace"} == settable, "routing/actions/workers.py"


def test_rest_shows_every_column_of_a_worker_that_people_set() -> None:
    elsewhere = {"workspace", "activity", "user"}
    assert elsewhere | SHOWN >= SET_BY_ACTIONS, "routing/fields/workers.py"


def test_a_parameter_sets_only_what_the_action_accepts() -> None:
    writable = {field.name for field in WORKER.fields if field.writable is not None}
    assert writable <= workers.WorkerDetails.__annotations__.keys(), "routing/actions/workers.py"


def test_events_and_the_sdk_get_every_column_of_a_worker_that_rest_shows() -> None:
    by_name = {field.name: field for field in WORKER.fields}
    for name in SET_BY_ACTIONS & SHOWN:
        assert by_name[name].event, f"routing/fields/workers.py: {name} has no event="
        assert by_name[name].name_for_sdk, f"routing/fields/workers.py: {name} is not in the SDK"


@pytest.mark.django_db
def test_the_admin_shows_every_column_of_a_worker_that_people_set() -> None:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_staff=True)
    page = admin.site._registry[models.Worker]
    for row in (None, models.Worker()):
        shown = in_fieldsets(page.get_fieldsets(request, row))
        assert shown >= SET_BY_ACTIONS, "routing/admin/workers.py: _DETAILS"


def test_a_snapshot_loads_every_field_of_a_worker() -> None:
    given = {field.name for field in fields(snapshot.Worker) if field.init}
    assert loaded.COLUMNS.keys() == given - {"readable", "channels"}, "routing/snapshots"


def test_the_language_page_names_every_field_of_a_worker_that_expressions_read() -> None:
    page = (ROOT / "docs" / "language.md").read_text()
    for name in snapshot.READABLE:
        assert f"`{name}`" in page or f"`worker.{name}`" in page, f"docs/language.md: {name}"
