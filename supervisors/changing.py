"""Pages of changes: the list, one act with its rows, and what can still be done about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from routing import models, subjects, task_layouts
from routing.actions.supervision import batch_rows, batches
from routing.actions.support.errors import ActionError
from routing.core.vocabulary import BatchState, RowOutcome
from routing.time_zones import find_zone
from supervisors import access, acting, changes, views
from supervisors.access import Supervisor
from supervisors.act_words import OUTCOMES, describe_counts
from supervisors.change_words import FIELDS, name_event
from supervisors.changes import Entry, Filters, Line
from supervisors.commands import COMMANDS
from supervisors.csv_files import stream_csv
from supervisors.panels import PAGES
from supervisors.refusals import translate_reason
from supervisors.selecting import MODELS

ROWS: Final = 100
"""Rows of an act on one page."""
MOST_FILE_ROWS: Final = 10_000
"""Changes in one file."""
_LONGEST: Final = 200


@require_GET
@access.supervisors_only
def show_changes(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Show who changed what."""
    filters, after = _read_filters(request), request.GET.get("after", "")[:_LONGEST]
    listed = changes.list_changes(supervisor.workspace, filters, after=after)
    running = models.Batch.objects.filter(
        workspace=supervisor.workspace, state=BatchState.RUNNING.value
    ).order_by("-pk")[:10]
    query = {"workspace": supervisor.workspace.sid} | {
        name: value for name, value in _write_filters(filters).items() if value
    }
    more = {
        "listed": listed,
        "shown": _show_entries(supervisor, listed.entries),
        "filters": filters,
        "running": [_describe_batch(batch) for batch in running],
        "commands": COMMANDS.values(),
        "kinds": [(each.value, name_event(each)) for each in changes.SHOWN],
        "fields": sorted(FIELDS.items()),
        "next": f"?{urlencode(query | {'after': listed.after})}" if listed.after else "",
        "csv": f"{reverse('supervisors:changes_csv')}?{urlencode(query)}",
        "most_events": changes.MOST_EVENTS,
    }
    with timezone.override(find_zone(supervisor.workspace.time_zone)):
        return views.show_page(request, supervisor, PAGES["changes"], more=more)


def _show_entries(supervisor: Supervisor, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return entries with the names of their actors, and the pages of their subjects."""
    workspace = supervisor.workspace
    names = changes.load_actors(workspace, [entry.who for entry in entries])
    layout = task_layouts.load_layout(workspace)
    pages = _find_pages(workspace, {entry.subject_sid for entry in entries})
    shown = []
    for entry in entries:
        known = subjects.parse_attributes(entry.attributes) if entry.attributes else {}
        title, _path = subjects.first_text(known, layout.titles)
        shown.append(
            {
                "entry": entry,
                "who": names.get(entry.who, entry.who),
                "subject": title or entry.subject,
                "link": pages.get(entry.subject_sid, ""),
            }
        )
    return shown


def _find_pages(workspace: models.Workspace, wanted: set[str]) -> dict[str, str]:
    """Return the addresses of the pages of those rows that are still there, by sid."""
    query = urlencode({"workspace": workspace.sid})
    pages = {}
    for prefix, name in (("WT", "task"), ("WK", "agent"), ("WQ", "queue")):
        some = [sid for sid in wanted if sid.startswith(prefix)]
        rows = MODELS[prefix]._default_manager.filter(workspace=workspace, sid__in=some)
        for sid in rows.values_list("sid", flat=True) if some else ():
            pages[sid] = f"{reverse(f'supervisors:{name}', args=[sid])}?{query}"
    return pages


@require_GET
@access.supervisors_only
def show_changes_csv(request: HttpRequest, supervisor: Supervisor) -> HttpResponse:
    """Return the list as a file, at most `MOST_FILE_ROWS` changes."""
    filters = _read_filters(request)
    zone = find_zone(supervisor.workspace.time_zone)

    def rows() -> Iterator[list[Any]]:
        listed = changes.list_changes(supervisor.workspace, filters, most=MOST_FILE_ROWS)
        for entry in listed.entries:
            yield from _write_entry(entry, zone)

    header = (
        *("date", "who", "actor_type", "source", "address", "change", "subject", "rows"),
        *("field", "old", "new", "note", "sid"),
    )
    answer: HttpResponse = stream_csv("changes", header, rows())
    return answer


def _write_entry(entry: Entry, zone: Any) -> Iterator[list[Any]]:
    size = 1 if entry.batch is None else entry.batch.size
    lines: list[Line | None] = [*entry.lines] or [None]
    for line in lines:
        yield [
            entry.at.astimezone(zone).isoformat(),
            *(entry.who, entry.actor_type, entry.source, entry.ip_address),
            *(entry.kind, entry.subject, size),
            *(("", "", "") if line is None else (line.field, line.old, line.new)),
            *(entry.note, entry.sid),
        ]


def _read_filters(request: HttpRequest) -> Filters:
    given = {name: request.GET.get(name, "").strip()[:_LONGEST] for name in _FILTERS}
    return Filters(**{name: value.replace("\0", "") for name, value in given.items()})


_FILTERS: Final = ("person", "subject", "command", "field")


def _write_filters(filters: Filters) -> dict[str, str]:
    return {name: getattr(filters, name) for name in _FILTERS}


@require_GET
@access.supervisors_only
def show_batch(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Show one act: its progress, what became of each row, and what can still be done."""
    batch = _find_batch(supervisor, sid)
    outcome = request.GET.get("outcome", "")
    rows = batch.rows.order_by("position")
    if outcome in set(RowOutcome):
        rows = rows.filter(outcome=outcome)
    after = request.GET.get("after", "")
    if after.isdecimal() and len(after) < 6:
        rows = rows.filter(position__gt=int(after))
    shown = list(rows[: ROWS + 1])
    names = _load_names(batch, shown)
    pages = _find_pages(supervisor.workspace, {row.subject_sid for row in shown})
    query = {"workspace": supervisor.workspace.sid, "outcome": outcome}
    more = {
        "batch": _describe_batch(batch),
        "rows": [
            {
                "row": row,
                "link": pages.get(row.subject_sid, ""),
                "reason": translate_reason(row.reason),
                "outcome": OUTCOMES.get(RowOutcome(row.outcome)) if row.outcome else "",
                "lines": changes.list_lines(row.old, row.new, names),
            }
            for row in shown[:ROWS]
        ],
        "chosen": outcome,
        "next": f"?{urlencode(query | {'after': shown[ROWS - 1].position})}"
        if len(shown) > ROWS
        else "",
    }
    with timezone.override(find_zone(supervisor.workspace.time_zone)):
        if access.is_script(request):
            return render(request, "supervisors/_batch.html", more | {"view": supervisor})
        return views.show_page(request, supervisor, PAGES["batch"], more=more)


def _load_names(batch: models.Batch, rows: list[models.BatchRow]) -> dict[str, str]:
    values = [v for row in rows for part in (row.old, row.new) for v in (part or {}).values()]
    return changes.load_names(batch.workspace, values)


def _find_batch(supervisor: Supervisor, sid: str) -> models.Batch:
    rows = models.Batch.objects.filter(workspace=supervisor.workspace, sid=sid)
    batch = rows.select_related("workspace__account", "undo_of").first()
    if batch is None:
        raise Http404
    return batch


def _describe_batch(batch: models.Batch) -> dict[str, Any]:
    """Return what pages show of an act beside its rows."""
    running = batch.state == BatchState.RUNNING
    counts = (
        batch_rows.count_outcomes(batch)
        if running
        else {each.value: getattr(batch, each.value) for each in RowOutcome}
    )
    reached = sum(counts.values())
    command = COMMANDS.get(batch.command)
    why_not = None if running else batches.explain_no_undo(batch, now=timezone.now())
    undo = models.Batch.objects.filter(undo_of=batch).first()
    values = [value for value in batch.arguments.values() if isinstance(value, str)]
    names = changes.load_names(batch.workspace, values)
    return {
        "row": batch,
        "title": batch.command if command is None else command.title,
        "arguments": changes.list_lines({}, batch.arguments, names),
        "running": running,
        "reached": reached,
        "counts": describe_counts(
            {RowOutcome(name): count for name, count in counts.items() if count}
        ),
        "filters": [
            (name, OUTCOMES[RowOutcome(name)], count) for name, count in counts.items() if count
        ],
        "failed": 0 if batch.undo_of_id else counts["refused"] + counts["not_reached"],
        "can_undo": not running and why_not is None,
        "why_not": translate_reason(why_not or ""),
        "undo_address": acting.find_batch_address(undo) if undo else "",
        "undo_of_address": acting.find_batch_address(batch.undo_of) if batch.undo_of else "",
        "address": acting.find_batch_address(batch),
    }


@require_GET
@access.supervisors_only
def show_batch_csv(request: HttpRequest, supervisor: Supervisor, sid: str) -> HttpResponse:
    """Return the rows of an act as a file, one line for each row."""
    batch = _find_batch(supervisor, sid)

    def rows() -> Iterator[list[Any]]:
        for row in batch.rows.order_by("position").iterator(chunk_size=500):
            lines = changes.list_lines(row.old, row.new)
            yield [
                *(row.subject_sid, row.subject_name, row.outcome, row.reason),
                "; ".join(f"{line.field}: {line.old}" for line in lines),
                "; ".join(f"{line.field}: {line.new}" for line in lines),
            ]

    header = ("sid", "name", "outcome", "reason", "old", "new")
    answer: HttpResponse = stream_csv(batch.sid, header, rows())
    return answer


@require_POST
@access.supervisors_only
def steer_batch(request: HttpRequest, supervisor: Supervisor, sid: str, verb: str) -> HttpResponse:
    """Stop an act, try its failed rows again, or undo it."""
    batch, now = _find_batch(supervisor, sid), timezone.now()
    try:
        match verb:
            case "stop":
                made = batches.stop_batch(batch=batch, now=now)
            case "retry":
                made = batches.retry_batch(batch=batch, actor=supervisor.actor, now=now)
            case "undo":
                made = batches.undo_batch(batch=batch, actor=supervisor.actor, now=now)
            case _:
                raise Http404
    except ActionError as error:
        address = acting.find_batch_address(batch)
        words = translate_reason(error.message)
        return acting.refuse(request, "not_now", words, status=409, back=address)
    if made.state == BatchState.RUNNING:
        acting.start_batch(made)
    return acting.answer_batch(request, made, back=acting.find_batch_address(made))
