"""Buttons of commands, for rows, ways out and selections.

How another page offers commands:

- `{% load acts %}`, then `{% act_menu "WT" task.sid status=task.status version=task.version %}` on
  a row: a menu with all commands for tasks; those that the status forbids are disabled, with the
  reason. For agents `{% act_menu "WK" worker.sid version=worker.since_us %}`, for queues
  `{% act_menu "WQ" queue.sid version=queue.changed_us %}`.
- `{% act_link "workers.set_capacity" worker.sid label channel="chat" by=1 %}`: one prefilled
  command. With several rows, pass their sids as a list. On one row, a command that can be undone
  and has all its arguments is done at a press; every other opens its dialog.
- `{% act_bar "WT" %}` once on a page, outside of panels: the bar of the selection. A row takes part
  by `{% act_box task.sid version=task.version label=title %}`. The script keeps the selection by
  sid over refreshes and pages, as long as the filters stay; without scripts the boxes belong to
  the bar's form, and those of one page are selected.

Links lead to `/supervisor/do/<command>`, so all of it works without scripts. Panels are shared
between people, so nothing here contains a CSRF token except the bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from routing.actions.supervision.batches import MOST_ROWS
from routing.core.vocabulary import AssignmentStatus as S
from supervisors.change_words import name_event, name_field, name_origin
from supervisors.commands import COMMANDS, Act
from supervisors.query import View

register = template.Library()

_ONLY: Final[dict[str, tuple[frozenset[str], Promise]]] = {
    name: (frozenset(statuses), why)
    for names, statuses, why in (
        (
            ("tasks.assign", "tasks.move", "tasks.reevaluate"),
            (S.PENDING,),
            _("Only for a task that waits."),
        ),
        (("tasks.withdraw_offers",), (S.RESERVED,), _("Only for a task that is on offer.")),
        (
            ("tasks.set_priority",),
            (S.PENDING, S.RESERVED, S.ASSIGNED),
            _("Only before a task is wrapped up."),
        ),
        (("tasks.transfer", "tasks.wrap_up"), (S.ASSIGNED,), _("Only for a task in work.")),
        (
            ("tasks.take_back", "tasks.complete"),
            (S.ASSIGNED, S.WRAPPING),
            _("Only for a task that an agent has."),
        ),
        (
            ("tasks.cancel",),
            (S.PENDING, S.RESERVED),
            _("Only for a task that no agent has accepted."),
        ),
    )
    for name in names
}
"""The statuses in which a command on a task is possible, and the words where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a menu; a disabled one has no address but a reason."""

    act: Act
    address: str
    why_not: Promise | None = None
    at_once: bool = False


def list_acts(subject: str) -> list[Act]:
    """Return the commands for rows with a sid prefix."""
    return [act for act in COMMANDS.values() if act.subject == subject]


def explain_no_act(act: Act, status: str | None) -> Promise | None:
    """Return why a task's status forbids a command, or None."""
    if status is None or act.name not in _ONLY:
        return None
    statuses, why = _ONLY[act.name]
    return None if status in statuses else why


def build_address(
    workspace: str, command: str, subjects: Sequence[str], arguments: dict[str, Any]
) -> str:
    """Return the address of a command's dialog, with its rows and arguments."""
    query = {"workspace": workspace, "subjects": " ".join(subjects)} | arguments
    return f"{reverse('supervisors:do', args=[command])}?{urlencode(query)}"


def _write(sid: str, version: int | None) -> str:
    return sid if version is None else f"{sid}@{version}"


@register.inclusion_tag("supervisors/_act_menu.html", takes_context=True)
def act_menu(
    context: Context,
    subject: str,
    sid: str,
    status: str | None = None,
    version: int | None = None,
    name: str = "",
    place: str = "",
) -> dict[str, Any]:
    """Show the menu of a row.

    Arguments:
        subject: the sid prefix of its kind: `WT`, `WK` or `WQ`.
        status: a task's status, which forbids some commands.
        version: the version that the page shows; a row changed since is refused.
        name: what the menu is of, for screen readers.
        place: part of the menu's id, where a page shows the row several times.
    """
    workspace = context["scene"].workspace.sid
    entries = []
    for act in list_acts(subject):
        why = explain_no_act(act, status)
        address = build_address(workspace, act.name, [_write(sid, version)], {})
        entries.append(Entry(act=act, address="" if why else address, why_not=why))
    return {"entries": entries, "menu_id": f"acts-{place}{sid}", "name": name}


@register.filter
def change_name(kind: str) -> str:
    """Return the name of a command or of an event type."""
    act = COMMANDS.get(kind)
    return name_event(kind) if act is None else act.title


@register.filter
def field_name(field: str) -> str:
    """Return the name of a field."""
    return name_field(field)


@register.filter
def origin_name(origin: str) -> str:
    """Return the name of the door, or of the kind of actor, behind a change."""
    return name_origin(origin)


@register.simple_tag(takes_context=True)
def act_link(
    context: Context,
    command: str,
    subjects: str | Sequence[str],
    label: str,
    named: str = "",
    **arguments: Any,
) -> SafeString:
    """Show one command as a button, with its arguments filled in.

    Arguments:
        named: its name for screen readers, where the label is a sign.
    """
    return build_link(context, command, subjects, label, arguments, named=named)


@register.simple_tag(takes_context=True)
def act_way(context: Context, way: Any, label: str) -> SafeString:
    """Show the button of a way out of a queue's trouble."""
    return build_link(context, way.command, way.subjects, label, dict(way.fields))


@register.simple_tag(takes_context=True)
def act_remedy(context: Context, remedy: dict[str, Any]) -> SafeString:
    """Show the button of what removes the reason why workers may not have a task."""
    return build_link(
        context, remedy["command"], remedy["subjects"], remedy["label"], dict(remedy["fields"])
    )


def build_link(
    context: Context,
    command: str,
    subjects: str | Sequence[str],
    label: str,
    arguments: dict[str, Any],
    *,
    named: str = "",
) -> SafeString:
    """Return the link of a command."""
    act = COMMANDS[command]
    wanted = [subjects] if isinstance(subjects, str) else list(subjects)
    address = build_address(context["scene"].workspace.sid, command, wanted, arguments)
    at_once = not act.asks(len(wanted)) and bool(arguments)
    return format_html(
        '<a class="button button--small" href="{}" data-act{}{}>{}</a>',
        address,
        SafeString(" data-at-once") if at_once else "",
        format_html(' aria-label="{0}" title="{0}"', named) if named else "",
        label,
    )


@register.simple_tag
def act_box(
    sid: str, version: int | None = None, label: str = "", *, waits: bool = False
) -> SafeString:
    """Show the box that selects a row; `waits` marks a task that waits."""
    return format_html(
        '<input type="checkbox" class="select" form="selection" name="subject" value="{}"'
        ' data-select="{}"{} aria-label="{}">',
        _write(sid, version),
        sid,
        SafeString(" data-waits") if waits else "",
        label,
    )


@register.inclusion_tag("supervisors/_act_bar.html", takes_context=True)
def act_bar(context: Context, subject: str, status: str | None = None) -> dict[str, Any]:
    """Show the bar of the selection, with the commands for several rows.

    Arguments:
        status: the status of all tasks that the page shows, if it is the same.
    """
    scene = context["scene"]
    view = scene.view.change()
    if status is not None:
        # A page of its own lists the same tasks.
        view = View(
            workspace=view.workspace, queue=view.queue, channel=view.channel, status=(status,)
        )
    query = urlencode({"workspace": scene.workspace.sid})
    return {
        "match": view.canonical,
        "filters": view.change(
            sort="", size=View().size, show=(), group="", tz="", window=View().window
        ).canonical,
        "most": MOST_ROWS,
        "check": f"{reverse('supervisors:check_selection')}?{query}" if subject == "WT" else "",
        "csrf_token": context.get("csrf_token"),
        "entries": [
            {"act": act, "address": f"{reverse('supervisors:do', args=[act.name])}?{query}"}
            for act in list_acts(subject)
            if explain_no_act(act, status) is None
        ],
    }
