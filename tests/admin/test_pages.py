"""Properties of every page: the content policy, a title, a bounded number of queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.admin import paging
from tests import factories
from tests.admin.visitors import Visitor, words


@pytest.fixture
def busy(workspace: models.Workspace) -> models.Workspace:
    """Return workspace A with people and work."""
    for _ in range(3):
        factories.worker(workspace)
        factories.accepted(workspace)
    return workspace


def pages() -> Iterator[str]:
    """Yield the names of all lists."""
    for model in admin.site._registry:
        if model._meta.app_label in {"routing", "auth"}:
            yield f"{model._meta.app_label}_{model._meta.model_name}"


@pytest.mark.parametrize("name", sorted(pages()))
def test_no_page_holds_what_the_content_policy_forbids(
    olga: Visitor, busy: models.Workspace, name: str
) -> None:
    answers = [olga.see("index"), olga.see(f"{name}_changelist")]
    if row := answers[1].context["cl"].result_list:
        answers.append(olga.see(f"{name}_change", row[0].pk))
    if (added := olga.see(f"{name}_add")).status_code == 200:
        answers.append(added)
    for answer in answers:
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "Cordboard" in page
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
        assert not re.search(r"<style|<script(?![^>]*\ssrc=)[^>]*>\s*\S", page)
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["worker", "task", "reservation", "event", "taskqueue"])
def test_a_list_takes_the_same_number_of_queries_for_any_number_of_rows(
    alice: Visitor, busy: models.Workspace, name: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            alice.see(f"routing_{name}_changelist")
        return len(seen)

    queries()
    few = queries()
    for _ in range(5):
        factories.worker(busy)
        factories.accepted(busy)
        factories.queue(busy)
    assert queries() == few
    assert few <= 18


def test_no_history_is_counted_to_its_end(
    alice: Visitor, busy: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "REACH", 2)
    for name in ("task", "reservation", "event"):
        shown: Any = alice.see(f"routing_{name}_changelist").context["cl"]
        assert shown.result_count == 2
        assert shown.full_result_count is None


def test_the_landing_page_lists_the_models_in_the_order_of_work(
    alice: Visitor, workspace: models.Workspace
) -> None:
    page = words(alice.see("index"))
    order = [page.index(group) for group in ("Workspaces", "Workers", "Task queues", "Tasks")]
    assert order == sorted(order)


def test_a_missing_row_leads_back_with_a_message(alice: Visitor) -> None:
    answer = alice.client.get("/admin/routing/worker/99999/change/", follow=True)
    assert "doesn’t exist" in words(answer)
