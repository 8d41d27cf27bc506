"""Carry out commands: a dialog for the arguments, a confirmation by size, and the answer.

The dialog is a page of its own. A script gets the same as a part, and the answer as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.request import QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from routing import jobs, models, subjects, task_layouts
from routing.actions import transfers
from routing.actions.supervision import batch_rows, batches, previews
from routing.actions.supervision.batches import Subject
from routing.actions.support.errors import ActionError
from routing.core.vocabulary import BatchState, RowOutcome
from supervisors import access, act_words, views
from supervisors.access import Supervisor
from supervisors.act_words import describe_counts, describe_outcome
from supervisors.commands import COMMANDS, Act
from supervisors.forms import ActForm
from supervisors.panels import PAGES
from supervisors.present_values import describe_present
from supervisors.queues_gained import find_gains
from supervisors.refusals import translate_reason
from supervisors.selecting import (
    MODELS,
    BadRequest,
    count_not_waiting,
    describe_not_waiting,
    select_rows,
)

MOST_NAMED: Final = 5
"""The number of rows that a dialog names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A command with its rows and arguments, before it is carried out.

    Arguments:
        all_match: whether the rows are all that match a filter.
        searched: the number of tasks among which they were found, if the search ended there.
        back: the address to which the supervisor returns.
    """

    act: Act
    supervisor: Supervisor
    subjects: list[Subject]
    form: ActForm
    all_match: bool = False
    searched: int = 0
    back: str = ""

    @property
    def asks(self) -> str:
        """Return how it is confirmed."""
        return self.act.asks(len(self.subjects), all_match=self.all_match)


@require_http_methods(["GET", "POST"])
@access.supervisors_only
def do(request: HttpRequest, supervisor: Supervisor, name: str) -> HttpResponse:
    """Show the dialog of a command, or carry it out."""
    act = COMMANDS.get(name)
    if act is None:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    try:
        selection = select_rows(act, given, supervisor)
    except BadRequest as error:
        return refuse(request, "invalid", str(error), status=400)
    carries_out = request.method == "POST" and "ask" not in given
    form = act.form(given, workspace=supervisor.workspace)
    if not carries_out and not form.is_valid():
        # The first look at the dialog: what is missing is no mistake yet.
        form = act.form(initial=given.dict(), workspace=supervisor.workspace)
    question = Question(
        act=act,
        supervisor=supervisor,
        subjects=selection.subjects,
        form=form,
        all_match=selection.all_match,
        searched=selection.searched,
        back=find_way_back(request, given),
    )
    if not carries_out:
        return _ask(request, question)
    if not form.is_valid():
        return _ask(request, question, status=400)
    if not _is_confirmed(question, given):
        return _ask(request, question, unconfirmed=True)
    return _carry_out(request, question)


def find_way_back(request: HttpRequest, given: QueryDict) -> str:
    """Return the page of the cockpit from which the command came."""
    for address in (given.get("back"), request.headers.get("Referer")):
        if address and url_has_allowed_host_and_scheme(
            address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            return address
    return reverse("supervisors:now")


def _is_confirmed(question: Question, given: QueryDict) -> bool:
    if question.asks == "number":
        return given.get("typed", "").strip() == str(len(question.subjects))
    return not question.asks or given.get("confirmed") == "1"


def _ask(
    request: HttpRequest, question: Question, *, status: int = 200, unconfirmed: bool = False
) -> HttpResponse:
    """Show the dialog: the form, and once it is filled in, what would become of the rows.

    Arguments:
        unconfirmed: whether the command was sent, and only the confirmation is missing. That is
            the next step of a dialog; programs get it as a refusal.
    """
    if wants_json(request) and (unconfirmed or status != 200):
        if unconfirmed:
            return _answer_error("confirm", _describe_size(question), status=409)
        errors = {name: list(found) for name, found in question.form.errors.items()}
        message = _describe_errors(question.form)
        return _answer_error("invalid", message, status=status, fields=errors)
    is_filled = question.form.is_bound and question.form.is_valid()
    preview = None
    if is_filled and len(question.subjects) > 1:
        preview = previews.preview_batch(
            workspace=question.supervisor.workspace,
            command=question.act.name,
            arguments=question.form.arguments(),
            subjects=question.subjects,
            actor=question.supervisor.actor,
        )
    names, more = _name_subjects(question)
    context = {
        "act": question.act,
        "form": question.form,
        "count": len(question.subjects),
        "subjects": " ".join(_write(each) for each in question.subjects),
        "named": names,
        "more": more,
        "is_filled": is_filled,
        "asks": question.asks,
        "all_match": question.all_match,
        "searched": question.searched,
        "back": question.back,
        "size": _describe_size(question),
        "changed": _describe_changed(question),
        "present": describe_present(
            question.act,
            question.supervisor.workspace,
            [each.sid for each in question.subjects[:2]],
        ),
        "found": None if preview is None else _describe_preview(preview),
        "serving": describe_serving(question) if preview is not None else (),
        "reasons": () if preview is None else _list_reasons(preview),
        "wrong_number": unconfirmed and "typed" in request.POST,
        "scene_workspace": question.supervisor.workspace.sid,
    }
    if access.is_script(request):
        return render(request, "supervisors/_act.html", context, status=status)
    page = PAGES["act"]
    return views.show_page(request, question.supervisor, page, more=context, status=status)


def _write(subject: Subject) -> str:
    return subject.sid if subject.version is None else f"{subject.sid}@{subject.version}"


def _name_subjects(question: Question) -> tuple[list[str], int]:
    """Return the names of the first rows, and how many more there are."""
    workspace = question.supervisor.workspace
    wanted = [each.sid for each in question.subjects[:MOST_NAMED]]
    rows = MODELS[question.act.subject]._default_manager.filter(workspace=workspace, sid__in=wanted)
    if question.act.subject == "WT":
        layout = task_layouts.load_layout(workspace)
        names = []
        for sid, attributes in rows.order_by("pk").values_list("sid", "attributes"):
            title, _at = subjects.first_text(subjects.parse_attributes(attributes), layout.titles)
            names.append(title or sid)
    else:
        names = list(rows.order_by("pk").values_list("friendly_name", flat=True))
    return names, max(len(question.subjects) - MOST_NAMED, 0)


def _describe_size(question: Question) -> str:
    count = len(question.subjects)
    if question.act.subject == "WT":
        return ngettext("This concerns %(n)d task.", "This concerns %(n)d tasks.", count) % {
            "n": count
        }
    if question.act.subject == "WQ":
        return ngettext("This concerns %(n)d queue.", "This concerns %(n)d queues.", count) % {
            "n": count
        }
    return ngettext("This concerns %(n)d agent.", "This concerns %(n)d agents.", count) % {
        "n": count
    }


def _describe_changed(question: Question) -> str:
    """Return how many tasks stopped to wait after they were selected, where the command asks it."""
    if not question.act.needs_waiting or len(question.subjects) < 2:
        return ""
    wanted = [each.sid for each in question.subjects]
    count = count_not_waiting(question.supervisor.workspace, wanted)
    return describe_not_waiting(count, len(wanted))


def _describe_preview(preview: previews.Preview) -> str:
    return describe_counts(
        {outcome: preview.outcomes[outcome] for outcome in RowOutcome if preview.outcomes[outcome]}
    )


def _list_reasons(preview: previews.Preview) -> list[tuple[str, int]]:
    """Return why rows will be refused, with their numbers."""
    found = preview.reasons.most_common(previews.MOST_REASONS)
    return [(translate_reason(reason), number) for reason, number in found]


def describe_serving(question: Question) -> list[str]:
    """Return which queues agents gain and lose by an edit of their attributes, in sentences."""
    if question.act.name != "workers.set_attributes":
        return []
    gains = find_gains(
        question.supervisor.workspace,
        question.form.arguments()["edits"],
        [each.sid for each in question.subjects],
    )
    return [
        *map(act_words.describe_gained, gains.gained),
        *map(act_words.describe_lost, gains.lost),
    ]


def _describe_errors(form: ActForm) -> str:
    found = []
    for name, texts in form.errors.items():
        label = form.fields[name].label if name in form.fields else ""
        found += [f"{label}: {text}" if label else str(text) for text in texts]
    return " ".join(found)


def _carry_out(request: HttpRequest, question: Question) -> HttpResponse:
    """Run a batch of the command: at once if it is small, else by a job."""
    supervisor, act = question.supervisor, question.act
    if act.name == "tasks.transfer" and len(question.subjects) == 1:
        rows = supervisor.workspace.tasks.filter(sid=question.subjects[0].sid)
        task = rows.select_related("task_channel").first()
        if task is not None and transfers.is_call(task):
            message = _("Calls cannot be transferred here: there is no telephone network.")
            return refuse(request, "not_supported", message, status=501)
    try:
        batch = batches.create_batch(
            workspace=supervisor.workspace,
            command=act.name,
            arguments=question.form.arguments(),
            subjects=question.subjects,
            note=question.form.cleaned_data["note"],
            actor=supervisor.actor,
            now=timezone.now(),
        )
    except ActionError as error:
        return refuse(request, "invalid", translate_reason(error.message), status=400)
    serving = describe_serving(question) if batch.size == 1 else []
    start_batch(batch)
    return answer_batch(request, batch, back=question.back, serving=serving)


def start_batch(batch: models.Batch) -> None:
    """Run a new batch if it is small; leave it, or the rest of it, to a job."""
    if batch.size <= batches.AT_ONCE and batch_rows.run_slice(batch, most=batch.size, seconds=10):
        return
    batch_rows.release_batch(batch)
    jobs.send_batch(batch.sid)


def answer_batch(
    request: HttpRequest, batch: models.Batch, *, back: str, serving: Sequence[str] = ()
) -> HttpResponse:
    """Answer with what became of a batch: as JSON, on the page before, or on its own page.

    Arguments:
        serving: sentences on the queues that an agent gains and loses if it was done.
    """
    address = find_batch_address(batch)
    row = batch.rows.get() if batch.size == 1 and batch.state == BatchState.FINISHED else None
    words = describe_outcome(batch, row)
    if row is not None and row.outcome in (RowOutcome.REFUSED, RowOutcome.GONE):
        changed = row.reason == batch_rows.CHANGED
        reason = "gone" if row.outcome == RowOutcome.GONE else "changed" if changed else "not_now"
        return refuse(request, reason, words, status=404 if reason == "gone" else 409, back=back)
    if row is not None and row.outcome == RowOutcome.DONE:
        words = " ".join([words, *serving])
    can_undo = (
        batch.state == BatchState.FINISHED
        and batches.explain_no_undo(batch, now=timezone.now()) is None
    )
    if access.is_script(request) or wants_json(request):
        undo = f"{_path(batch, 'undo')}" if can_undo else None
        return JsonResponse(
            {
                "ok": True,
                "batch": batch.sid,
                "state": batch.state,
                "words": words,
                "address": address,
                "undo": undo,
                "counts": {each.value: getattr(batch, each.value) for each in RowOutcome},
            },
            status=202 if batch.state == BatchState.RUNNING else 200,
        )
    if row is None:
        return HttpResponseRedirect(address)
    link = _("Undo") if can_undo else _("Show")
    messages.success(request, format_html('{} <a href="{}">{}</a>', words, address, link))
    return HttpResponseRedirect(back)


def find_batch_address(batch: models.Batch) -> str:
    """Return the address of a batch's page."""
    query = urlencode({"workspace": batch.workspace.sid})
    return f"{reverse('supervisors:batch', args=[batch.sid])}?{query}"


def _path(batch: models.Batch, verb: str) -> str:
    query = urlencode({"workspace": batch.workspace.sid})
    return f"{reverse('supervisors:steer_batch', args=[batch.sid, verb])}?{query}"


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _answer_error(reason: str, message: str, *, status: int, **more: Any) -> HttpResponse:
    error = {"reason": reason, "message": message} | more
    return JsonResponse({"ok": False, "error": error}, status=status)


def refuse(
    request: HttpRequest, reason: str, message: str, *, status: int, back: str = ""
) -> HttpResponse:
    """Answer that nothing was changed, and why."""
    if access.is_script(request) or wants_json(request):
        return _answer_error(reason, message, status=status)
    context = {"message": message, "back": back or reverse("supervisors:now")}
    return render(request, "supervisors/act_refused.html", context, status=status)
