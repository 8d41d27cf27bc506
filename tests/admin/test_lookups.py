"""A list takes only the queries of its own filters: no unbounded work, no errors."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import SuspiciousOperation
from django.db import models as db
from django.test import RequestFactory

from routing import models
from tests import factories
from tests.admin.visitors import Visitor

NONSENSE = ("", "x", "[", "(a+)+$", "\0", "é\ud7ff", "9" * 30, "-1", "1e400", "2026-99-99", "True")


def lists() -> Iterator[tuple[str, Any]]:
    """Yield the address of each list, and its admin."""
    for model, its_admin in admin.site._registry.items():
        yield f"{model._meta.app_label}_{model._meta.model_name}_changelist", its_admin


LISTS = sorted(lists(), key=lambda each: each[0])


def columns(its_admin: Any) -> list[str]:
    """Return the columns of a list's table."""
    fields = its_admin.model._meta.concrete_fields
    return [field.name for field in fields if not isinstance(field, db.ForeignKey)]


@pytest.mark.parametrize(("page", "its_admin"), LISTS)
def test_no_column_can_be_searched_by_a_lookup_of_the_querys_own(
    olga: Visitor, page: str, its_admin: Any
) -> None:
    lookups = itertools.cycle(("regex", "iregex", "contains", "year", "range"))
    for column in columns(its_admin):
        for lookup in itertools.islice(lookups, 2):
            query = f"?{column}__{lookup}={quote('(a+)+$')}"
            assert look(olga, its_admin, query) == 400, query


@pytest.mark.parametrize(("page", "its_admin"), LISTS)
def test_an_invalid_query_is_refused_or_finds_nothing_and_breaks_no_list(
    olga: Visitor, page: str, its_admin: Any
) -> None:
    days = its_admin.date_hierarchy
    names = [f"{days}__{part}" for part in ("year", "month", "day") if days]
    names += ["p", "o", "all", "e", "_changelist_filters", "workspace", "nonsense"]
    for each in its_admin.list_filter:
        if isinstance(each, str):
            names += [each, f"{each}__exact", f"{each}__isnull", f"{each}__gte"]
        else:
            names.append(each.parameter_name)
    for number, value in enumerate(NONSENSE):
        quoted = quote(value, errors="surrogatepass")
        # Each parameter gets a third of the values, and each value a third of the parameters.
        for name in names[number % 3 :: 3]:
            assert look(olga, its_admin, f"?{name}={quoted}") in (200, 302, 400), name
        assert olga.see(page, query=f"?q={quoted}").status_code in (200, 302, 400)


def no_context(request: Any) -> dict[str, Any]:
    """Return nothing for the page around a list, which is the same for each query."""
    return {}


def look(visitor: Visitor, its_admin: Any, query: str) -> int:
    """Return the status of a list's answer, whose rows are read but not drawn."""
    request: Any = RequestFactory().get(f"/admin/{query}")
    request.user = visitor.user
    request.session = visitor.client.session
    request._messages = FallbackStorage(request)
    try:
        with mock.patch.object(admin.site, "each_context", new=no_context):
            answer = its_admin.changelist_view(request)
    except SuspiciousOperation:
        return 400
    if answer.status_code == 200:
        list(answer.context_data["cl"].result_list)
    return int(answer.status_code)


def test_the_filters_beside_a_list_work(alice: Visitor, workspace: models.Workspace) -> None:
    factories.worker(workspace)
    factories.accepted(workspace)
    factories.task(workspace)
    for status, count in (("pending", 1), ("assigned", 1), ("canceled", 0)):
        query = f"?assignment_status__exact={status}"
        found = alice.see("routing_task_changelist", query=query).context["cl"].result_list
        assert len(found) == count
    zoe = factories.worker(workspace, "Zoe", available=False)
    query = f"?workspace={workspace.sid}&activity={zoe.activity.sid}"
    found = alice.see("routing_worker_changelist", query=query).context["cl"].result_list
    assert [row.pk for row in found] == [zoe.pk]


@pytest.mark.parametrize("month", ["11", "99", "1" * 30])
def test_failed_logins_are_listed_by_day(olga: Visitor, month: str) -> None:
    query = f"?attempt_time__year=2026&attempt_time__month={month}"
    status = olga.see("axes_accessattempt_changelist", query=query).status_code
    assert status == {"11": 200, "99": 302}.get(month, 400)
