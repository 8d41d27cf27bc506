"""The page of one revision of a workflow: what it changed, and the button that restores it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from routing import models
from routing.actions import workflows
from routing.actions.support.errors import ActionError
from routing.actions.support.workflow_revisions import LONGEST_MESSAGE
from routing.admin.base import ActionAdmin, action_context
from workflows.differences import compare_texts

MOST_LISTED: Final = 20
"""Revisions on a workflow's page."""
_KINDS: Final = {"+": "new", "-": "gone", "@": "place"}


def list_revisions(workflow: models.Workflow) -> dict[str, Any]:
    """Return the newest revisions of a workflow for its page."""
    rows = workflow.revisions.filter(number__isnull=False).order_by("-number")
    return {
        "revisions": rows.defer("configuration")[:MOST_LISTED],
        "revisions_left_out": max(rows.count() - MOST_LISTED, 0),
    }


def show_revision(
    admin: ActionAdmin, request: HttpRequest, workflow: models.Workflow, number: int
) -> HttpResponse:
    """Show a revision beside another one, or restore it."""
    numbered = workflow.revisions.filter(number__isnull=False).order_by("-number")
    revision = numbered.filter(number=number).first()
    if revision is None:
        raise Http404
    if request.method == "POST":
        return _restore(admin, request, workflow, number)
    others = list(numbered.exclude(pk=revision.pk).defer("configuration"))
    other = _choose_other(request.GET.get("against", ""), others, revision)
    context: dict[str, Any] = {
        "title": f"{workflow}: revision {number}",
        "workflow": workflow,
        "revision": revision,
        "is_current": revision.pk == workflow.revision_id,
        "others": others,
        "other": other,
    }
    if other is not None:
        before, after = sorted((revision, other), key=lambda each: each.number or 0)
        difference = compare_texts(before.configuration, after.configuration)
        context |= {
            "before": before,
            "after": after,
            "difference": difference,
            "lines": list(_classify_lines(difference.lines)),
        }
    return TemplateResponse(
        request, "admin/routing/workflow_revision.html", admin.page(request, **context)
    )


def _choose_other(
    wanted: str, others: list[models.WorkflowRevision], revision: models.WorkflowRevision
) -> models.WorkflowRevision | None:
    """Return the revision with the wanted number; by default the one before, else any."""
    for each in others:
        if str(each.number) == wanted:
            return each
    earlier = [each for each in others if (each.number or 0) < (revision.number or 0)]
    return next(iter(earlier or others), None)


def _classify_lines(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield _KINDS.get(line[:1], "same"), line


def _restore(
    admin: ActionAdmin, request: HttpRequest, workflow: models.Workflow, number: int
) -> HttpResponse:
    page = admin.url("change", workflow.pk)
    try:
        restored = workflows.restore_revision(
            workflow=workflow,
            number=number,
            message=request.POST.get("message", "")[:LONGEST_MESSAGE],
            re_evaluate_tasks="re_evaluate_tasks" in request.POST,
            **action_context(request),
        )
    except ActionError as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(request.get_full_path())
    assert restored.revision is not None
    messages.success(
        request, f"Revision {restored.revision.number} has the text of revision {number}."
    )
    return HttpResponseRedirect(page)
