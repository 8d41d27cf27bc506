"""The report *Agents*: their work, offers, slots and activities, by agent and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models, sids
from routing.core.rates import Ratio
from routing.core.vocabulary import ReservationOrigin
from routing.db.consistent import consistent_snapshot
from routing.statistics import agent_reports
from routing.statistics.agent_reports import AgentWork, Key
from routing.statistics.grouping import INTERVAL
from routing.statistics.occupancy import find_known_until
from routing.statistics.windows import Span
from supervisors.durations import isolate_date
from supervisors.reports.columns import Column, Label, Unit
from supervisors.reports.request import Request
from supervisors.reports.tables import Row, Table

DIMENSIONS: Final = (("agent",), ("interval", "agent"), ("agent", "interval"), ("interval",))
FILTERS: Final = ("agent", "channel")


def build_table(request: Request) -> Table:
    """Return the rows of the window, and their total."""
    intervals = request.window.split()
    with consistent_snapshot():
        found = _load(request, intervals)
        before = request.split_earlier()
        earlier = _load(request, before) if request.earlier_days else None
    placed = request.place_earlier(earlier or {}, intervals, before)
    keys = sorted(found)
    request.load_names(keys)
    rows = []
    for key in keys:
        heads = request.build_heads(key, intervals)
        row = Row(heads=heads, figures=found[key], query=request.write_cell(heads, FILTERS))
        if earlier is not None:
            row.before = placed.get(key) or AgentWork()
        rows.append(row)
    if INTERVAL not in request.by:
        rows.sort(key=lambda row: row.heads[0].text.casefold())
    elif request.by[0] == "agent":
        rows.sort(key=lambda row: row.heads[0].text.casefold())  # stable: days stay in order
    total = Row(
        heads=(),
        figures=agent_reports.add_up(found.values()),
        before=None if earlier is None else agent_reports.add_up(earlier.values()),
        query=request.write_cell((), FILTERS),
    )
    return Table(
        columns=list(list_columns(request.workspace)),
        rows=rows,
        total=total,
        notes=list(describe_known(request)),
    )


def _load(request: Request, intervals: Sequence[Span]) -> dict[Key, AgentWork]:
    scope = request.build_scope(intervals, FILTERS)
    return agent_reports.load_agents(scope, request.columns)


def describe_known(request: Request) -> Iterator[str]:
    """Yield what the slot time of a window lacks."""
    until = find_known_until(request.workspace)
    if until is None or until < request.window.end:
        at = (
            "–"
            if until is None
            else date_format(until.astimezone(request.window.calendar.zone), "Y-m-d H:i")
        )
        words = _("Slots and activities are known until %(moment)s.") % {"moment": at}
        yield isolate_date(words)
    if not request.workspace.multi_task_enabled:
        yield _("Multitasking is off: an agent is one slot, so slots by channel have no figures.")


def _count(name: str, title: Label, formula: Label, *, is_usual: bool = False) -> Column:
    return Column(
        name=name,
        title=title,
        read=lambda agent: agent.work.count(name),
        formula=formula,
        opens=name,
        is_usual=is_usual,
    )


def _time(
    name: str, title: Label, read: Callable[[AgentWork], Any], formula: Label, unit: Unit = Unit.MS
) -> Column:
    return Column(name=name, title=title, read=read, formula=formula, unit=unit, is_usual=True)


def _accept_rate(agent: AgentWork) -> Ratio:
    push = ReservationOrigin.PUSH.value
    accepted, rejected, missed = (
        agent.work.count(name, origin=push) for name in ("accepted", "rejected", "missed")
    )
    return Ratio(accepted, accepted + rejected + missed)


def list_columns(workspace: models.Workspace) -> Iterator[Column]:
    """Yield the columns; each activity of the workspace has one."""
    yield from _WORK
    yield from _TIMES
    if workspace.multi_task_enabled:
        yield from _SLOTS
    yield from _OFFERS
    for sid, name in workspace.activities.order_by("friendly_name").values_list(
        "sid", "friendly_name"
    ):
        yield _activity(sid, name)


def _activity(sid: str, name: str) -> Column:
    key = sids.index_key(sid)
    return Column(
        name=f"in_{sid.lower()}",
        title=_("in %(activity)s") % {"activity": name},
        read=lambda agent: agent.activities[key],
        unit=Unit.MS,
        formula=gettext_lazy("Time in this activity."),
        file_name=f"in {name}",
    )


_WORK: Final = (
    _count(
        "handled",
        gettext_lazy("Handled"),
        gettext_lazy("Reservations whose work ended as usual: not taken back, not deleted."),
        is_usual=True,
    ),
    Column(
        name="aht",
        title=gettext_lazy("AHT"),
        read=lambda agent: agent.work.average_handle_ms,
        unit=Unit.MS,
        formula=gettext_lazy(
            "Average handle time: from accepting to completing, with the wrap-up ÷ handled."
        ),
        opens="handled",
        is_usual=True,
    ),
    Column(
        name="wrap_up_time",
        title=gettext_lazy("Wrap-up time"),
        read=lambda agent: agent.work.average_wrap_up_ms,
        unit=Unit.MS,
        formula=gettext_lazy("Time of wrapping up ÷ handled tasks that were wrapped up."),
        opens="wrapped",
        is_usual=True,
    ),
    Column(
        name="effort",
        title=gettext_lazy("Effort"),
        read=lambda agent: agent.effort_per_task_ms,
        unit=Unit.MS,
        formula=gettext_lazy(
            "Each second of a task divided by how many its agent had in hand, summed ÷ handled."
        ),
        opens="handled",
    ),
    _count(
        "answered",
        gettext_lazy("Answered"),
        gettext_lazy("Tasks that this agent was the first to accept. Without transfers."),
        is_usual=True,
    ),
    _count(
        "taken_back",
        gettext_lazy("Taken back"),
        gettext_lazy("Tasks that a supervisor took back from the agent."),
    ),
    _count(
        "deleted_work",
        gettext_lazy("Deleted while in work"),
        gettext_lazy("Tasks that were deleted while the agent had them."),
    ),
    _count(
        "transferred_out",
        gettext_lazy("Transferred out"),
        gettext_lazy("Transfers of the agent that were accepted."),
    ),
)
_TIMES: Final = (
    _time(
        "busy_share",
        gettext_lazy("Busy share"),
        lambda agent: agent.time.busy_share,
        gettext_lazy("Time with a task in hand ÷ (that + time available with none)."),
        Unit.SHARE,
    ),
    Column(
        name="in_hand",
        title=gettext_lazy("Time in hand"),
        read=lambda agent: agent.time.in_hand_ms,
        unit=Unit.MS,
        formula=gettext_lazy("Time with at least one task in hand."),
    ),
    Column(
        name="idle",
        title=gettext_lazy("Idle time"),
        read=lambda agent: agent.time.idle_ms,
        unit=Unit.MS,
        formula=gettext_lazy("Time available with no task in hand."),
    ),
)
_SLOTS: Final = (
    _time(
        "slot_occupancy",
        gettext_lazy("Slot occupancy"),
        lambda agent: agent.time.slot_occupancy,
        gettext_lazy(
            "Slot time busy ÷ (busy + free). Slots on offer and closed ones are left out. A free "
            "slot counts as free also where an expression forbids its use at the time."
        ),
        Unit.SHARE,
    ),
    Column(
        name="concurrency",
        title=gettext_lazy("Concurrency"),
        read=lambda agent: agent.time.concurrency,
        unit=Unit.NUMBER,
        formula=gettext_lazy("Slot time busy ÷ time with a task in hand."),
    ),
)
_OFFERS: Final = (
    _count("offers", gettext_lazy("Offers"), gettext_lazy("Reservations that were made.")),
    _count("accepted", gettext_lazy("Accepted"), gettext_lazy("Reservations that were accepted.")),
    Column(
        name="accept_rate",
        title=gettext_lazy("Accept rate"),
        read=_accept_rate,
        unit=Unit.SHARE,
        formula=gettext_lazy("Of the router’s offers: accepted ÷ (accepted + rejected + missed)."),
        opens="push_answers",
        origin=ReservationOrigin.PUSH.value,
        is_usual=True,
    ),
    _count(
        "rejected",
        gettext_lazy("Rejected"),
        gettext_lazy("Offers that the agent declined."),
        is_usual=True,
    ),
    _count(
        "missed",
        gettext_lazy("Missed"),
        gettext_lazy("Offers that were not answered in time."),
        is_usual=True,
    ),
    _count(
        "rescinded",
        gettext_lazy("Rescinded"),
        gettext_lazy("Offers that ended as another worker accepted first."),
    ),
    _count(
        "canceled_offers",
        gettext_lazy("Canceled offers"),
        gettext_lazy("Offers that ended with their task."),
    ),
)
