"""Compiled queries give the same rows as Django's own."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.db import connection
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Upper
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.actions import task_transitions
from routing.actors import SYSTEM
from routing.db.compiled import (
    INTEGER,
    MAX_PREPARED_LENGTH,
    MOMENT,
    SEQUENCE,
    CompiledQuery,
    CompiledUpdate,
)
from tests import factories

pytestmark = pytest.mark.django_db

CHANNEL = CompiledQuery(
    lambda workspace, name: models.TaskChannel.objects.filter(
        unique_name=name, workspace_id=workspace
    )
)


def test_the_rows_are_those_of_django() -> None:
    workspace, other = factories.workspace(), factories.workspace()
    for each in (workspace, other):
        for name in ("chat", "sms"):
            (found,) = CHANNEL(each.pk, name)
            asked = each.task_channels.get(unique_name=name)
            assert found == asked
            assert vars(found).keys() >= vars(asked).keys() - {"_prefetched_objects_cache"}
            for field in models.TaskChannel._meta.concrete_fields:
                assert getattr(found, field.attname) == getattr(asked, field.attname)
    assert CHANNEL(workspace.pk, "fax") == []


def test_their_sql_is_the_same_each_time_and_carries_the_values() -> None:
    workspace = factories.workspace()
    with CaptureQueriesContext(connection) as queries:
        CHANNEL(workspace.pk, "chat")
        CHANNEL(workspace.pk, "it's")
    first, second = (query["sql"] for query in queries)
    assert "chat" in first
    assert "it" in second
    assert "chat" not in second


def test_a_limit_and_an_order_are_kept() -> None:
    workspace = factories.workspace()
    two = CompiledQuery(
        lambda workspace: models.TaskChannel.objects.filter(workspace_id=workspace).order_by("-pk")[
            :2
        ]
    )
    assert two(workspace.pk) == list(workspace.task_channels.order_by("-pk")[:2])


def test_annotations_are_attributes_of_the_rows() -> None:
    workspace = factories.workspace()
    query = CompiledQuery(
        lambda workspace: models.TaskChannel.objects.filter(workspace_id=workspace).annotate(
            in_upper_case=Upper("unique_name"),
            has_workers=Exists(models.WorkerChannel.objects.filter(task_channel=OuterRef("pk"))),
        )
    )
    found: dict[str, Any] = {each.unique_name: each for each in query(workspace.pk)}
    assert (found["chat"].in_upper_case, found["chat"].has_workers) == ("CHAT", False)
    factories.worker(workspace)
    assert {each.has_workers for each in cast("Any", query(workspace.pk))} == {True}


WITH_RELATIONS = CompiledQuery(
    lambda ids=SEQUENCE: (
        models.Task.objects.pending()
        .filter(pk__in=ids)
        .order_by("-pk")
        .select_related("workspace", "task_queue", "workflow")
    )
)


@pytest.mark.parametrize("count", [1, 3, 25])
def test_rows_of_any_number_of_ids_come_with_their_relations(
    count: int, django_assert_num_queries: Any
) -> None:
    workspace = factories.workspace()
    workflow = factories.workflow(workspace)
    worker = factories.worker(workspace, available=False)
    tasks = [factories.task(workspace, workflow=workflow) for _ in range(count - 1)]
    tasks.append(factories.task(workspace, routing_target=worker.sid))
    factories.task(workspace, workflow=workflow)
    ids = [task.pk for task in tasks]
    WITH_RELATIONS(ids)
    with django_assert_num_queries(1):
        found = WITH_RELATIONS(ids)
        assert found == tasks[::-1]
        assert {row.workspace for row in found} == {workspace}
        assert [row.workflow for row in found] == [task.workflow for task in tasks[::-1]]
        assert found[0].task_queue is None or found[0].task_queue.workspace_id == workspace.pk
    with django_assert_num_queries(0):
        assert WITH_RELATIONS([]) == []


def test_columns_come_as_django_reads_them() -> None:
    workspace = factories.workspace()
    columns = ("unique_name", "date_created", "workspace__multi_task_enabled")
    asked = CompiledQuery(
        lambda workspace: (
            models.TaskChannel.objects.filter(
                workspace_id=workspace, workspace__multi_task_enabled=True
            )
            .order_by("pk")
            .values_list(*columns)
        )
    )
    found = [tuple(row) for row in asked(workspace.pk)]
    assert found == list(workspace.task_channels.order_by("pk").values_list(*columns))


def test_a_row_that_was_found_can_be_changed_and_stored() -> None:
    workspace = factories.workspace()
    (found,) = CHANNEL(workspace.pk, "chat")
    found.friendly_name = "Chats"
    found.save()
    assert workspace.task_channels.get(unique_name="chat").friendly_name == "Chats"


def test_a_value_may_stand_in_several_places() -> None:
    workspace = factories.workspace()
    same = CompiledQuery(
        lambda workspace, name: models.TaskChannel.objects.filter(
            workspace_id=workspace, unique_name=name, friendly_name=name
        )
    )
    assert same(workspace.pk, "chat") == []
    workspace.task_channels.filter(unique_name="chat").update(friendly_name="chat")
    assert [row.unique_name for row in same(workspace.pk, "chat")] == ["chat"]


def test_a_constant_that_equals_a_value_stays_a_constant() -> None:
    workspace = factories.workspace()
    chat_or = CompiledQuery(
        lambda name: workspace.task_channels.filter(unique_name__in=["chat", name])
    )
    assert {row.unique_name for row in chat_or("chat")} == {"chat"}
    assert {row.unique_name for row in chat_or("sms")} == {"chat", "sms"}


def test_a_value_that_the_query_does_not_use_is_refused() -> None:
    workspace = factories.workspace()
    lost = CompiledQuery(lambda workspace, name: workspace_channels(workspace))
    with pytest.raises(ValueError, match="a parameter is missing"):
        lost(workspace.pk, "chat")


def test_a_wrong_number_of_values_is_refused() -> None:
    with pytest.raises(TypeError, match="2 values are needed, not 1"):
        CHANNEL("chat")


def workspace_channels(workspace: Any) -> Any:
    return models.TaskChannel.objects.filter(workspace_id=workspace)


MOVE = CompiledUpdate(
    lambda ids=SEQUENCE, count=INTEGER, moment=MOMENT: (
        models.Task.objects.filter(pk__in=ids, assignment_status="pending"),
        {"priority": F("priority") + count, "version": F("version") + 1, "date_updated": moment},
    )
)


@pytest.mark.parametrize("count", [1, 2, 25])
def test_an_update_changes_only_rows_that_meet_its_condition(count: int) -> None:
    workspace = factories.workspace()
    tasks = [factories.task(workspace, priority=3) for _ in range(count)]
    other, gone = factories.task(workspace, priority=3), factories.task(workspace, priority=3)
    task_transitions.cancel_task(task=gone, actor=SYSTEM, now=factories.NOW)
    moment = factories.later(7)
    for repeated in range(2):
        ids = [task.pk for task in (*tasks, gone)]
        assert MOVE(ids, 4 + repeated, moment) == count
    found = models.Task.objects.filter(pk__in=[task.pk for task in tasks])
    assert {(row.priority, row.date_updated) for row in found} == {(3 + 4 + 5, moment)}
    other.refresh_from_db()
    gone.refresh_from_db()
    assert (other.priority, gone.priority) == (3, 3)
    assert MOVE([], 1, moment) == 0


ACTIVITIES = CompiledQuery(
    lambda sids=SEQUENCE: models.Activity.objects.filter(sid__in=sids, available=True)
)


@pytest.fixture
def sids(db: None) -> list[str]:
    workspace = factories.workspace()
    return [factories.activity(workspace, f"Activity {number}").sid for number in range(30)]


@pytest.mark.parametrize("count", [1, 2, 3, MAX_PREPARED_LENGTH, MAX_PREPARED_LENGTH + 1])
def test_related_rows_of_any_number_of_rows_take_one_query(
    sids: list[str], count: int, django_assert_num_queries: Any
) -> None:
    for wanted in (sids[:count], sids[-count:], sids[:count]):
        with django_assert_num_queries(1):
            found = ACTIVITIES(wanted)
        assert sorted(row.sid for row in found) == sorted(wanted)


def test_an_empty_list_of_sids_takes_no_query(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert ACTIVITIES([]) == []


def test_a_sid_given_twice_is_one_row(sids: list[str]) -> None:
    assert [row.sid for row in ACTIVITIES([sids[3], sids[3]])] == [sids[3]]


def test_missing_and_unrequested_relations_are_left_out(sids: list[str]) -> None:
    models.Activity.objects.filter(sid=sids[1]).update(available=False)
    found = ACTIVITIES([sids[0], sids[1], "WA" + "0" * 32])
    assert [row.sid for row in found] == [sids[0]]
