"""What each figure of agents counts."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from supervisors.figure_note import FigureNote, Window

NOTES: Final = (
    FigureNote(
        key="in-hand",
        name=_("In hand"),
        formula=_("Tasks that the agent has accepted and not completed."),
        statuses=("assigned", "wrapping"),
    ),
    FigureNote(
        key="oldest-in-hand",
        name=_("Oldest in hand"),
        formula=_("Now minus the acceptance of the task that the agent has had longest."),
    ),
    FigureNote(
        key="missed",
        window=Window.HALF_HOUR,
        name=_("Missed, 30 min"),
        formula=_("Offers that the agent let expire."),
        left_out=_("Offers that were rejected, withdrawn or canceled."),
    ),
    FigureNote(
        key="rejected",
        window=Window.HALF_HOUR,
        name=_("Rejected, 30 min"),
        formula=_("Offers that the agent declined."),
        left_out=_("Offers that expired, were withdrawn or canceled."),
    ),
    FigureNote(
        key="handled",
        window=Window.TODAY,
        name=_("Handled today"),
        formula=_("Accepted tasks that the agent has completed."),
        left_out=_("Tasks that were taken back or deleted."),
    ),
    FigureNote(
        key="aht",
        window=Window.TODAY,
        name=_("Handle time today"),
        formula=_("Time from acceptance to completion ÷ handled; wrap-up is part of it."),
        left_out=_("The time on offer."),
    ),
    FigureNote(
        key="wrap-up",
        window=Window.TODAY,
        name=_("Wrap-up today"),
        formula=_("Time from the start of wrap-up to completion ÷ handled that wrapped up."),
    ),
    FigureNote(
        key="occupancy",
        window=Window.TODAY,
        name=_("Slot occupancy today"),
        formula=_("Busy slot time ÷ (busy + free slot time), of the quarter hours that are over."),
        left_out=_("Slots on offer, and closed ones."),
    ),
    FigureNote(
        key="busy-share",
        window=Window.TODAY,
        name=_("Busy share today"),
        formula=_("Time with a task in hand ÷ (that + time available without any)."),
        left_out=_("Time away without a task."),
    ),
    FigureNote(
        key="agent-state",
        name=_("State of an agent"),
        formula=_(
            "Away: takes no work, nothing in hand. Finishing: takes no work, still has "
            "tasks. Full: no free slot on an open channel. Working: some in hand. Idle: "
            "nothing in hand."
        ),
    ),
    FigureNote(
        key="slots",
        name=_("Slots"),
        formula=_(
            "Of each channel: busy are tasks in hand, on offer are open offers, free is the "
            "rest of the capacity while the agent is available and the channel is on."
        ),
    ),
    FigureNote(
        key="offers",
        window=Window.HALF_HOUR,
        name=_("Offers"),
        formula=_("Offers that were made to the agent, each with what became of it."),
    ),
    FigureNote(
        key="effort",
        window=Window.DAY,
        name=_("Effort per task"),
        formula=_("Each second of work divided by the tasks in hand in it, summed ÷ handled."),
    ),
    FigureNote(
        key="at-once",
        window=Window.DAY,
        name=_("Tasks at once"),
        formula=_("Busy slot time ÷ time with a task in hand."),
    ),
    FigureNote(
        key="available-time",
        window=Window.DAY,
        name=_("Available"),
        formula=_("Time in activities that take work, of the quarter hours that are over."),
    ),
    FigureNote(
        key="away-time",
        window=Window.DAY,
        name=_("Away"),
        formula=_(
            "Time in activities that take no work, of quarter hours with any work or availability."
        ),
    ),
    FigureNote(
        key="accepted",
        window=Window.DAY,
        name=_("Accepted"),
        formula=_("Offers that the agent accepted, and tasks that the agent took by hand."),
    ),
    FigureNote(
        key="withdrawn",
        window=Window.DAY,
        name=_("Withdrawn"),
        formula=_("Offers that were taken back, as another agent got the task."),
    ),
    FigureNote(
        key="canceled-offers",
        window=Window.DAY,
        name=_("Canceled"),
        formula=_("Offers that ended because their task ended."),
    ),
    FigureNote(
        key="grabs",
        window=Window.DAY,
        name=_("Grabs in order"),
        formula=_("Tasks taken by hand while no older task waited in the queue."),
    ),
    FigureNote(
        key="grabs-out-of-order",
        window=Window.DAY,
        name=_("Grabs out of order"),
        formula=_("Tasks taken by hand while an older task of the same kind waited."),
    ),
    FigureNote(
        key="grabs-maybe",
        window=Window.DAY,
        name=_("Grabs, maybe out of order"),
        formula=_("Tasks taken by hand while only tasks that ask for something else were older."),
    ),
)
"""Their notes."""
