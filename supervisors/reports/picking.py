"""The report *Picking by hand*: grabs in and out of order, by agent and queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from routing import models, sids
from routing.snapshots.grab_places import MOST_COUNTED
from routing.statistics import pick_reports
from routing.statistics.pick_reports import MOST_GRABS, MOST_PASSED, LoadedPicks, Picks
from routing.statistics.windows import Span
from supervisors.reports.columns import Column, Unit
from supervisors.reports.request import Key, Request
from supervisors.reports.tables import Row, Table
from supervisors.wording import GRAB_POLICIES

DIMENSIONS: Final = (("agent", "queue"), ("agent",), ("queue",))
FILTERS: Final = ("agent", "queue", "channel")


@dataclass(slots=True)
class QueuePicks:
    """Grabs, beside the policy of their queue; "" for several queues."""

    picks: Picks
    policy: str = ""


def build_table(request: Request) -> Table:
    """Return the rows of the window by name, without a ranking."""
    loaded, found, total = _load(request, request.window.span)
    earlier = _load(request, request.earlier_span) if request.earlier_days else None
    request.load_names(found)
    policies = _load_policies(request.workspace)
    rows = []
    for key, picks in found.items():
        heads = request.build_heads(key, ())
        queue = key[list(request.by).index("queue")] if "queue" in request.by else 0
        row = Row(heads=heads, figures=QueuePicks(picks, policies.get(queue, "")))
        row.query = request.write_cell(heads, FILTERS)
        if earlier is not None:
            row.before = QueuePicks(earlier[1].get(key) or Picks())
        rows.append(row)
    rows.sort(key=lambda row: [head.text.casefold() for head in row.heads])
    return Table(
        columns=_COLUMNS,
        rows=rows,
        total=Row(
            heads=(),
            figures=QueuePicks(total),
            before=None if earlier is None else QueuePicks(earlier[2]),
            query=request.write_cell((), FILTERS),
        ),
        notes=list(_describe_limits([loaded] if earlier is None else [loaded, earlier[0]], total)),
    )


def _load(request: Request, span: Span) -> tuple[LoadedPicks, dict[Key, Picks], Picks]:
    """Return the grabs of a span as they were read, by the keys of rows, and in all."""
    loaded = pick_reports.load_picks(request.build_scope([span], FILTERS), now=request.now)
    place = {"agent": 0, "queue": 1}
    found: dict[Key, Picks] = {}
    total = Picks()
    for pair, picks in loaded.rows.items():
        found.setdefault(tuple(pair[place[name]] for name in request.by), Picks()).add(picks)
        total.add(picks)
    return loaded, found, total


def _describe_limits(read: Sequence[LoadedPicks], total: Picks) -> Iterator[str]:
    """Yield sentences about limits that were reached."""
    if any(each.is_cut for each in read):
        yield _("The newest %(grabs)d grabs were read.") % {"grabs": MOST_GRABS}
    if any(each.passed_cut for each in read):
        yield _("Of the tasks that were passed over, %(tasks)d were looked up.") % {
            "tasks": MOST_PASSED
        }
    if total.cut:
        yield ngettext(
            "%(grabs)d grab passed over more tasks than are followed (%(most)d at most). The "
            "longest wait and the number that was late may be higher.",
            "%(grabs)d grabs passed over more tasks than are followed (%(most)d each at most). "
            "The longest wait and the number that was late may be higher.",
            total.cut,
        ) % {"grabs": total.cut, "most": MOST_COUNTED}


def _load_policies(workspace: models.Workspace) -> dict[int, str]:
    rows = workspace.task_queues.values_list("sid", "grab_policy")
    return {sids.index_key(sid): str(GRAB_POLICIES[policy]) for sid, policy in rows}


_COLUMNS: Final[Sequence[Column]] = (
    Column(
        name="grabs",
        title=gettext_lazy("Grabs"),
        read=lambda row: row.picks.grabs,
        formula=gettext_lazy("Tasks that the agent picked."),
        opens="accepted",
        origin="grab",
        is_usual=True,
    ),
    Column(
        name="in_order",
        title=gettext_lazy("In order"),
        read=lambda row: row.picks.in_order,
        formula=gettext_lazy("No task that asks for the same, and no older one, waited before it."),
        opens="in_order",
        is_usual=True,
    ),
    Column(
        name="out_of_order",
        title=gettext_lazy("Out of order"),
        read=lambda row: row.picks.out_of_order,
        formula=gettext_lazy(
            "Certain: tasks that ask for the same waited before it, so every agent who may take "
            "the one might have taken them."
        ),
        opens="out_of_order",
        is_usual=True,
    ),
    Column(
        name="maybe",
        title=gettext_lazy("Maybe"),
        read=lambda row: row.picks.maybe,
        formula=gettext_lazy(
            "Older tasks of the queue with at least its priority waited, which ask for something "
            "else."
        ),
        opens="maybe",
        is_usual=True,
    ),
    Column(
        name="median_passed_over",
        title=gettext_lazy("Passed over, median"),
        read=lambda row: row.picks.median_passed_over,
        unit=Unit.NUMBER,
        formula=gettext_lazy(
            "Of the grabs out of order: how many were passed over, counted to 100."
        ),
        opens="out_of_order",
        is_usual=True,
    ),
    Column(
        name="longest_passed_over",
        title=gettext_lazy("Longest wait of those passed over"),
        read=lambda row: row.picks.longest_wait_ms,
        unit=Unit.MS,
        formula=gettext_lazy(
            "How long tasks that were passed over waited in the end, or wait until now, by the "
            "clock of their target."
        ),
        is_usual=True,
    ),
    Column(
        name="passed_over_late",
        title=gettext_lazy("Passed over and late"),
        read=lambda row: row.picks.missed_target,
        formula=gettext_lazy(
            "Tasks that were passed over and waited longer than their target’s threshold."
        ),
        is_usual=True,
    ),
    Column(
        name="grabs_cut",
        title=gettext_lazy("Grabs not followed in full"),
        read=lambda row: row.picks.cut,
        formula=gettext_lazy(
            "Grabs out of order of which not every task that was passed over is followed, as there "
            "were too many. With any, the two figures before this one may be higher."
        ),
    ),
    Column(
        name="grab_policy",
        title=gettext_lazy("Grab policy"),
        read=lambda row: row.policy or None,
        unit=Unit.TEXT,
        formula=gettext_lazy("What agents may grab from this queue now."),
        is_usual=True,
    ),
)
