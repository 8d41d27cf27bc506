"""The columns of the report *Service*."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from routing.core import rates
from routing.core.rates import WaitClock
from routing.core.stays import StayEnd
from routing.core.vocabulary import ReservationOrigin
from routing.statistics.service_reports import Service
from supervisors.reports.columns import Column, Label, Unit


def _end(end: StayEnd, title: Label, formula: Label, *, is_usual: bool = False) -> Column:
    return Column(
        name=end.value,
        title=title,
        read=lambda service: service.figures.ends[end],
        formula=formula,
        opens=end.value,
        is_usual=is_usual,
    )


def _by(origin: ReservationOrigin, name: str, title: Label) -> Column:
    return Column(
        name=name,
        title=title,
        read=lambda service: service.figures.answered_by(origin.value),
        formula=_("Answered tasks that came to their worker this way."),
        opens=StayEnd.ANSWERED.value,
        origin=origin.value,
    )


def _count(name: str, title: Label, formula: Label) -> Column:
    return Column(
        name=name,
        title=title,
        read=lambda service: service.figures.count(name),
        formula=formula,
        opens=name,
    )


def list_columns(clock: WaitClock, *, is_exact: bool = True) -> list[Column]:
    """Return the columns.

    Arguments:
        clock: of the waits.
        is_exact: whether percentiles are exact in all rows.
    """

    def speed(origin: str | None) -> Callable[[Service], int | None]:
        return lambda service: service.figures.average_speed_ms(clock, origin)

    def percentile(percent: int) -> Callable[[Service], int | None]:
        return lambda service: service.find_percentile_ms(percent)

    waits = [
        Column(
            name=name,
            title=title,
            read=speed(origin or None),
            unit=Unit.MS,
            formula=_SPEED[clock],
            opens=StayEnd.ANSWERED.value,
            origin=origin,
            is_usual=not origin,
        )
        for name, title, origin in (
            ("asa", _("ASA"), ""),
            ("asa_by_push", _("ASA by push"), ReservationOrigin.PUSH.value),
            ("asa_by_grab", _("ASA by grab"), ReservationOrigin.GRAB.value),
        )
    ]
    percentiles = [
        Column(
            name=f"wait_p{percent}",
            title=title if is_exact else format_lazy("≈ {title}", title=title),
            read=percentile(percent),
            unit=Unit.MS,
            formula=_PERCENTILE if is_exact else _ESTIMATE,
            opens=StayEnd.ANSWERED.value,
            is_usual=percent == 90,
        )
        for percent, title in ((50, _("Wait p50")), (90, _("Wait p90")), (95, _("Wait p95")))
    ]
    return [*_BALANCE, *_ANSWERS, *waits, *percentiles, *_GIVEN_UP, *_OTHER_ENDS, *_OFFERS]


_PERCENTILE: Final = _("So many of the answered tasks waited at most this long.")
_ESTIMATE: Final = _("≈ So many of the answered tasks waited at most this long.")
_SPEED: Final = {
    WaitClock.QUEUE: _(
        "Average speed of answer: waits since entering the queue ÷ answered. "
        "Without abandoned tasks, transfers and later acceptances."
    ),
    WaitClock.CREATION: _(
        "Average speed of answer: waits since the creation ÷ answered. "
        "Without abandoned tasks, transfers and later acceptances."
    ),
}

_BALANCE: Final = [
    Column(
        name="waiting_before",
        title=_("Waiting before"),
        read=lambda service: service.before,
        formula=_("Tasks that waited at the beginning: pending or on offer, in a queue."),
    ),
    Column(
        name="entered",
        title=_("Entered"),
        read=lambda service: service.figures.entered,
        formula=_("Stays that began: a task that enters a queue twice has two."),
        opens="entered",
        is_usual=True,
    ),
    Column(
        name="channel_entered",
        title=_("Came by channel"),
        read=lambda service: service.figures.channel_entered,
        formula=_("Waiting tasks whose channel became this one."),
        opens="channel_entered",
    ),
]
_ANSWERS: Final = [
    _end(
        StayEnd.ANSWERED,
        _("Answered"),
        _("Tasks that a worker accepted, the first to do so. Without transfers."),
        is_usual=True,
    ),
    _by(ReservationOrigin.PUSH, "answered_by_push", _("by push")),
    _by(ReservationOrigin.GRAB, "answered_by_grab", _("by grab")),
    _by(ReservationOrigin.ASSIGNED, "answered_by_assigned", _("assigned")),
    _by(ReservationOrigin.DIRECT, "answered_by_direct", _("direct")),
    _end(
        StayEnd.ANSWERED_AGAIN,
        _("Answered again"),
        _("Tasks that were accepted after they had been taken back. In no ratio."),
    ),
    Column(
        name="within_target",
        title=_("Within target"),
        read=lambda service: service.within,
        formula=_("Answered within the threshold of their queue and channel."),
        opens="within",
        is_usual=True,
    ),
    Column(
        name="service_level",
        title=_("Service level"),
        read=lambda service: service.level,
        unit=Unit.SHARE,
        formula=_(
            "A: within target ÷ (answered + abandoned). B, the default: the same without short "
            "abandons. C: abandoned within the threshold count as good. D: they are left out."
        ),
        opens="level",
        is_usual=True,
    ),
]
_GIVEN_UP: Final = [
    _end(
        StayEnd.ABANDONED,
        _("Abandoned"),
        _("Tasks that a program canceled while they waited, and no worker had accepted."),
        is_usual=True,
    ),
    Column(
        name="short_abandons",
        title=_("Short abandons"),
        read=lambda service: service.short,
        formula=_("Abandoned sooner than the target’s short abandon."),
        opens="short",
    ),
    Column(
        name="abandonment_rate",
        title=_("Abandonment rate"),
        read=lambda service: service.given_up,
        unit=Unit.SHARE,
        formula=_("Abandoned ÷ (answered + abandoned), both as the target’s formula counts them."),
        opens="given_up",
        is_usual=True,
    ),
    Column(
        name="wait_to_abandon",
        title=_("Average wait to abandon"),
        read=lambda service: rates.average_ms(
            service.counted_up.total_ms, service.counted_up.count
        ),
        unit=Unit.MS,
        formula=_("Waits of the abandoned tasks that the target’s formula counts ÷ their number."),
        opens="given_up",
    ),
]
_OTHER_ENDS: Final = [
    _end(
        StayEnd.WITHDRAWN,
        _("Withdrawn"),
        _("Canceled by a program for a reason that is no abandonment. In no ratio."),
    ),
    _end(
        StayEnd.CANCELED_LATER,
        _("Canceled later"),
        _("Canceled by a program after the task had been taken back from a worker."),
    ),
    _end(StayEnd.CANCELED_BY_STAFF, _("Canceled by staff"), _("Canceled by a person.")),
    _end(StayEnd.EXPIRED, _("Expired"), _("The lifetime, or the number of offers, was used up.")),
    _end(StayEnd.FELL_OUT, _("Fell out"), _("The workflow had no step for the task any more.")),
    _end(StayEnd.MOVED, _("Moved on"), _("The task went to another queue.")),
    _end(StayEnd.CHANNEL_LEFT, _("Left by channel"), _("The channel of the task changed.")),
    _end(StayEnd.DELETED, _("Deleted"), _("The task was deleted while it waited.")),
    Column(
        name="waiting_after",
        title=_("Waiting after"),
        read=lambda service: service.after,
        formula=_("Waiting before + entered + came by channel − all ends."),
    ),
]
_OFFERS: Final = [
    _count("offers", _("Offers"), _("Reservations that were made.")),
    Column(
        name="accept_rate",
        title=_("Accept rate"),
        read=lambda service: service.figures.accept_rate,
        unit=Unit.SHARE,
        formula=_("Of the router’s offers: accepted ÷ (accepted + rejected + missed)."),
        opens="push_answers",
        origin=ReservationOrigin.PUSH.value,
    ),
    _count("rejected", _("Rejected"), _("Offers that a worker declined.")),
    _count("missed", _("Missed"), _("Offers that were not answered in time.")),
    _count("rescinded", _("Rescinded"), _("Offers that ended as another worker accepted first.")),
    _count("canceled_offers", _("Canceled offers"), _("Offers that ended with their task.")),
    _count("transferred_in", _("Transferred in"), _("Transfers that this queue took.")),
    _count("transferred_out", _("Transferred out"), _("Transfers that this queue gave.")),
    _count("tasks_created", _("Tasks created"), _("Tasks, each once, by their first queue.")),
]
