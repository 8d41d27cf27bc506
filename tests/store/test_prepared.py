"""Questions that are put together once are answered as Django answers them each time."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.models.prepared import Prepared
from tests import factories

pytestmark = pytest.mark.django_db

CHANNEL = Prepared(
    lambda workspace, name: models.TaskChannel.objects.filter(
        unique_name=name, workspace_id=workspace
    ),
    0,
    "",
)


def test_rows_are_those_that_django_finds() -> None:
    floor, other = factories.workspace(), factories.workspace()
    for each in (floor, other):
        for name in ("chat", "sms"):
            (found,) = CHANNEL(each.pk, name)
            asked = each.task_channels.get(unique_name=name)
            assert found == asked
            assert vars(found).keys() >= vars(asked).keys() - {"_prefetched_objects_cache"}
            for field in models.TaskChannel._meta.concrete_fields:
                assert getattr(found, field.attname) == getattr(asked, field.attname)
    assert CHANNEL(floor.pk, "fax") == []


def test_their_sql_is_the_same_each_time_and_carries_the_values() -> None:
    floor = factories.workspace()
    with CaptureQueriesContext(connection) as queries:
        CHANNEL(floor.pk, "chat")
        CHANNEL(floor.pk, "it's")
    first, second = (query["sql"] for query in queries)
    assert "chat" in first
    assert "it" in second
    assert "chat" not in second


def test_a_limit_and_an_order_are_kept() -> None:
    floor = factories.workspace()
    two = Prepared(
        lambda workspace: models.TaskChannel.objects.filter(workspace_id=workspace).order_by("-pk")[
            :2
        ],
        0,
    )
    assert two(floor.pk) == list(floor.task_channels.order_by("-pk")[:2])


def test_a_row_that_was_found_can_be_changed_and_stored() -> None:
    floor = factories.workspace()
    (found,) = CHANNEL(floor.pk, "chat")
    found.friendly_name = "Chats"
    found.save()
    assert floor.task_channels.get(unique_name="chat").friendly_name == "Chats"


def test_samples_that_do_not_say_where_their_values_go_are_refused() -> None:
    floor = factories.workspace()
    same = Prepared(
        lambda workspace, name: models.TaskChannel.objects.filter(
            workspace_id=workspace, unique_name=name, friendly_name=name
        ),
        0,
        0,
    )
    with pytest.raises((AssertionError, ValueError)):
        same(floor.pk, "chat")
