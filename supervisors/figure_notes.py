"""What each figure of the cockpit counts, in a sentence; docs/supervisors.md says more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureNote:
    """A figure: its name, its formula, and what is left out.

    Arguments:
        key: the end of its anchor in the handbook, after `figure-`.
        status: the status of the tasks that it counts, if the list of tasks can show them.
        of_past: whether it is counted from events, by the bookkeeper.
    """

    key: str
    name: Promise
    formula: Promise
    left_out: Promise | None = None
    status: str = ""
    of_past: bool = False


NOTES: Final[Mapping[str, FigureNote]] = {
    note.key: note
    for note in (
        FigureNote(
            key="waiting",
            name=_("Waiting"),
            formula=_("Tasks that wait now."),
            left_out=_("Tasks on offer."),
            status="pending",
        ),
        FigureNote(
            key="on-offer",
            name=_("On offer"),
            formula=_("Tasks offered to an agent who has not answered yet."),
            left_out=_("Transfers under way."),
            status="reserved",
        ),
        FigureNote(
            key="in-work",
            name=_("In work"),
            formula=_("Tasks that agents have accepted and not finished."),
            status="assigned",
        ),
        FigureNote(
            key="wrapping",
            name=_("Wrapping up"),
            formula=_("Tasks whose conversation is over, and whose notes are not."),
            status="wrapping",
        ),
        FigureNote(
            key="longest-wait",
            name=_("Longest wait"),
            formula=_("Now minus the creation of the oldest task that waits."),
            status="pending",
        ),
        FigureNote(
            key="longest-in-queue",
            name=_("Longest in queue"),
            formula=_("Now minus the entering of the task that has been longest in this queue."),
            status="pending",
        ),
        FigureNote(
            key="overdue",
            name=_("Overdue"),
            formula=_("Tasks that wait for longer than the target of their queue, up to 1,000."),
            left_out=_("Tasks on offer."),
        ),
        FigureNote(
            key="service-level",
            of_past=True,
            name=_("Service level, 30 min"),
            formula=_("Answered in time ÷ (answered + abandoned + overdue), in percent."),
            left_out=_("Short abandons, with formula B. Transfers, and second acceptances."),
        ),
        FigureNote(
            key="answered",
            of_past=True,
            name=_("Answered, 30 min"),
            formula=_("First acceptances of tasks in the last 30 minutes."),
            left_out=_("Transfers."),
        ),
        FigureNote(
            key="abandoned",
            of_past=True,
            name=_("Abandoned, 30 min"),
            formula=_("Tasks canceled by the program that created them, before any acceptance."),
            left_out=_("Tasks withdrawn, expired, or canceled by staff."),
        ),
        FigureNote(
            key="asa",
            of_past=True,
            name=_("Speed of answer, 30 min"),
            formula=_("Waits in the queue of answered tasks ÷ answered."),
            left_out=_("Abandoned tasks and transfers."),
        ),
        FigureNote(
            key="entered",
            of_past=True,
            name=_("Entered today"),
            formula=_("Stays in the queue that have begun since the workspace's day began."),
        ),
        FigureNote(
            key="time-to-clear",
            of_past=True,
            name=_("Time to clear"),
            formula=_("Waiting ÷ answered per minute in the last 30 minutes; an estimate."),
        ),
        FigureNote(
            key="available",
            name=_("Available"),
            formula=_("Agents whose activity takes work, of all who serve the queue."),
        ),
        FigureNote(
            key="free-now",
            name=_("Free now"),
            formula=_("Available agents with a free slot that the router may fill."),
            left_out=_("Slots kept for grabbing."),
        ),
        FigureNote(
            key="free-for-it",
            name=_("Free for it"),
            formula=_("Agents of the queue with a free slot on a channel on which a task waits."),
        ),
        FigureNote(
            key="slots-free",
            name=_("Slots free"),
            formula=_("Capacity minus tasks in hand and on offer, of open channels."),
            left_out=_("Channels that are off, and agents who are away."),
        ),
        FigureNote(
            key="grabbing",
            name=_("Grabbing"),
            formula=_("Which waiting tasks agents may take by hand."),
        ),
        FigureNote(
            key="in-hand",
            name=_("In hand"),
            formula=_("Tasks that the agent has accepted and not completed."),
        ),
        FigureNote(
            key="oldest-in-hand",
            name=_("Oldest in hand"),
            formula=_("Now minus the acceptance of the task that the agent has had longest."),
        ),
        FigureNote(
            key="serve-it",
            name=_("Serve it"),
            formula=_("Agents who meet what the queue asks for, whatever their activity."),
        ),
        FigureNote(
            key="missed",
            name=_("Missed, 30 min"),
            formula=_("Offers that the agent let expire in the last 30 minutes."),
            left_out=_("Offers that were rejected, withdrawn or canceled."),
            of_past=True,
        ),
        FigureNote(
            key="rejected",
            name=_("Rejected, 30 min"),
            formula=_("Offers that the agent declined in the last 30 minutes."),
            left_out=_("Offers that expired, were withdrawn or canceled."),
            of_past=True,
        ),
        FigureNote(
            key="handled",
            name=_("Handled today"),
            formula=_("Accepted tasks that the agent has completed."),
            left_out=_("Tasks that were taken back or deleted."),
            of_past=True,
        ),
        FigureNote(
            key="aht",
            name=_("Handle time today"),
            formula=_("Time from acceptance to completion ÷ handled; wrap-up is part of it."),
            left_out=_("The time on offer."),
            of_past=True,
        ),
        FigureNote(
            key="wrap-up",
            name=_("Wrap-up today"),
            formula=_("Time from the start of wrap-up to completion ÷ handled that wrapped up."),
            of_past=True,
        ),
        FigureNote(
            key="occupancy",
            name=_("Slot occupancy today"),
            formula=_(
                "Busy slot time ÷ (busy + free slot time), of the quarter hours that are over."
            ),
            left_out=_("Slots on offer, and closed ones."),
            of_past=True,
        ),
        FigureNote(
            key="busy-share",
            name=_("Busy share today"),
            formula=_("Time with a task in hand ÷ (that + time available without any)."),
            left_out=_("Time away without a task."),
            of_past=True,
        ),
    )
}
"""The figures by key."""
