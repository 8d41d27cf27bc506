"""The rows that a request to act names: one by one, or all that match a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from routing import models, sids
from routing.actions.supervision.batches import MOST_ROWS, Subject
from supervisors import access, agents, conditions, tasks, views
from supervisors.access import Supervisor
from supervisors.commands import Act

MODELS: Final[Mapping[str, Any]] = {"WK": models.Worker, "WT": models.Task, "WQ": models.TaskQueue}
"""The table of the rows with a sid prefix."""
_CHUNK: Final = 500


class BadRequest(Exception):
    """A request that no form of the cockpit sends; the message says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows of a request.

    Arguments:
        all_match: whether they are all that match a view.
        searched: the number of tasks that were looked at, if the search ended before the last.
    """

    subjects: list[Subject]
    all_match: bool = False
    searched: int = 0


def select_rows(act: Act, given: QueryDict, supervisor: Supervisor) -> Selection:
    """Return the rows of a request: `subject` for each, or all in `subjects`, as `SID@VERSION`.

    With `match`, the query of a page, they are all that the page lists, on all its pages.

    Raises `BadRequest`, and `Http404` if none of them is in the workspace.
    """
    if match := given.get("match"):
        return _select_matching(act, QueryDict(str(match)), supervisor)
    texts = [*given.getlist("subject"), *given.get("subjects", "").split()]
    found: dict[str, Subject] = {}
    for text in texts:
        sid, _at, version = text.strip().partition("@")
        if not sids.is_valid(sid, act.subject) or (version and not version.isdecimal()):
            raise BadRequest(
                _("“%(text)s” is no row of this command; it takes sids with %(prefix)s.")
                % {"text": text[:60], "prefix": act.subject}
            )
        found[sid] = Subject(sid=sid, version=int(version[:18]) if version else None)
    if not found:
        raise BadRequest(_("Nothing is selected. Select at least one row."))
    _check_number(len(found))
    rows = MODELS[act.subject]._default_manager.filter(workspace=supervisor.workspace)
    known = list(found)
    if not any(
        rows.filter(sid__in=known[start : start + _CHUNK]).exists()
        for start in range(0, len(known), _CHUNK)
    ):
        raise Http404
    return Selection(subjects=list(found.values()), all_match=given.get("all") == "1")


def count_not_waiting(workspace: models.Workspace, wanted: Sequence[str]) -> int:
    """Return how many of these tasks do not wait, or are no longer there."""
    waiting = workspace.tasks.pending()
    found = sum(
        waiting.filter(sid__in=wanted[start : start + _CHUNK]).count()
        for start in range(0, len(wanted), _CHUNK)
    )
    return len(wanted) - found


def describe_not_waiting(count: int, size: int) -> str:
    """Return the sentence that tasks of a selection do not wait any more; empty for none.

    Arguments:
        size: the number of all tasks in the selection.
    """
    if not count:
        return ""
    return ngettext(
        "%(count)d of your %(size)d is no longer waiting.",
        "%(count)d of your %(size)d are no longer waiting.",
        count,
    ) % {"count": count, "size": size}


@require_POST
@access.supervisors_only
def check_selection(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Answer how many tasks of a selection have stopped to wait since they were selected.

    The form has the sids of those that waited in `subjects`, and the size of the selection.
    """
    wanted = list(dict.fromkeys(request.POST.get("subjects", "").split()))
    size = request.POST.get("size", "")
    if len(wanted) > MOST_ROWS or not all(sids.is_valid(sid, "WT") for sid in wanted):
        return JsonResponse({"ok": False}, status=400)
    count = count_not_waiting(supervisor.workspace, wanted)
    known = int(size) if size.isdecimal() and len(size) < 6 else len(wanted)
    words = describe_not_waiting(count, max(known, len(wanted)))
    return JsonResponse({"ok": True, "count": count, "words": words})


def _check_number(count: int) -> None:
    if count > MOST_ROWS:
        raise BadRequest(
            _("%(count)d rows are selected; at most %(most)d can be changed at once.")
            % {"count": count, "most": MOST_ROWS}
        )


def _select_matching(act: Act, query: QueryDict, supervisor: Supervisor) -> Selection:
    scene, faults = views.build_scene(query, supervisor, now=timezone.now())
    subject: conditions.Subject = "worker" if act.subject == "WK" else "task"
    if faults or conditions.find_fault(scene.view, subject):
        # A filter that is ignored would select rows that the page does not list.
        raise BadRequest(_("The filters of the page are not valid any more. Select again."))
    scene = replace(scene, view=scene.view.change())
    searched = 0
    if act.subject == "WK":
        subjects = [Subject(sid=worker.sid) for worker in agents.find_agents(scene)]
    elif act.subject == "WT":
        found = tasks.find_matching(scene, most=MOST_ROWS)
        if found is None:
            raise BadRequest(_("Choose a queue or a channel, or another order."))
        subjects = [Subject(sid=row.sid, version=row.version) for row in found.rows]
        searched = found.looked_at if found.is_cut else 0
        if found.next is not None and not found.is_cut:
            raise BadRequest(
                _("More than %(most)d tasks match. Narrow the filters; %(most)d can be changed.")
                % {"most": MOST_ROWS}
            )
    else:
        raise BadRequest(_("Nothing is selected. Select at least one row."))
    if not subjects:
        raise BadRequest(_("Nothing is selected. Select at least one row."))
    _check_number(len(subjects))
    return Selection(subjects=subjects, all_match=True, searched=searched)
