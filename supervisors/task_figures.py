"""What each figure of tasks and queues counts."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from supervisors.figure_note import FigureNote, Window

NOTES: Final = (
    FigureNote(
        key="waiting",
        name=_("Waiting"),
        formula=_("Tasks that wait now."),
        left_out=_("Tasks on offer."),
        statuses=("pending",),
    ),
    FigureNote(
        key="on-offer",
        name=_("On offer"),
        formula=_("Tasks offered to an agent who has not answered yet."),
        left_out=_("Transfers under way."),
        statuses=("reserved",),
    ),
    FigureNote(
        key="in-work",
        name=_("In work"),
        formula=_("Tasks that agents have accepted and not finished."),
        statuses=("assigned",),
    ),
    FigureNote(
        key="wrapping",
        name=_("Wrapping up"),
        formula=_("Tasks whose conversation is over, and whose notes are not."),
        statuses=("wrapping",),
    ),
    FigureNote(
        key="longest-wait",
        name=_("Longest wait"),
        formula=_("Now minus the creation of the oldest task that waits."),
        statuses=("pending",),
    ),
    FigureNote(
        key="longest-in-queue",
        name=_("Longest in queue"),
        formula=_("Now minus the entering of the task that has been longest in this queue."),
        statuses=("pending",),
    ),
    FigureNote(
        key="overdue",
        name=_("Overdue"),
        formula=_("Tasks that wait for longer than the target of their queue, up to 1,000."),
        left_out=_("Tasks on offer."),
    ),
    FigureNote(
        key="service-level",
        window=Window.HALF_HOUR,
        name=_("Service level, 30 min"),
        formula=_("Answered in time ÷ (answered + abandoned + overdue), in percent."),
        left_out=_("Short abandons, with formula B. Transfers, and second acceptances."),
    ),
    FigureNote(
        key="answered",
        window=Window.HALF_HOUR,
        name=_("Answered, 30 min"),
        formula=_("First acceptances of tasks."),
        left_out=_("Transfers."),
    ),
    FigureNote(
        key="abandoned",
        window=Window.HALF_HOUR,
        name=_("Abandoned, 30 min"),
        formula=_("Tasks canceled by the program that created them, before any acceptance."),
        left_out=_("Tasks withdrawn, expired, or canceled by staff."),
    ),
    FigureNote(
        key="asa",
        window=Window.HALF_HOUR,
        name=_("Speed of answer, 30 min"),
        formula=_("Waits in the queue of answered tasks ÷ answered."),
        left_out=_("Abandoned tasks and transfers."),
    ),
    FigureNote(
        key="entered",
        window=Window.TODAY,
        name=_("Entered today"),
        formula=_("Stays in the queue that have begun."),
    ),
    FigureNote(
        key="time-to-clear",
        window=Window.HALF_HOUR,
        name=_("Time to clear"),
        formula=_("Waiting ÷ answered per minute; an estimate."),
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
        key="serve-it",
        name=_("Serve it"),
        formula=_("Agents who meet what the queue asks for, whatever their activity."),
    ),
    FigureNote(
        key="severity",
        name=_("Severity"),
        formula=_(
            "Act: tasks wait and no agent serves the queue, or none of them is available, "
            "or the service level is over 20 points below its goal. Watch: a task is "
            "overdue, or the level is below its goal. An open alert of the queue counts, too."
        ),
    ),
    FigureNote(
        key="task-severity",
        name=_("Severity of a task"),
        formula=_("Watch: the task waits for longer than the target of its queue."),
    ),
    FigureNote(
        key="age",
        name=_("Age"),
        formula=_("Now minus the creation of the task."),
    ),
    FigureNote(
        key="in-queue",
        name=_("In queue"),
        formula=_("Now minus the entering of its queue, while the task waits."),
    ),
    FigureNote(
        key="priority",
        name=_("Priority"),
        formula=_("Of the tasks that wait, those with a higher number are offered first."),
    ),
    FigureNote(
        key="held-for",
        name=_("With"),
        formula=_("Now minus the acceptance of the task, or the making of its offer."),
    ),
    FigureNote(
        key="next-deadline",
        name=_("Next deadline"),
        formula=_(
            "Time until the first of these ends: an offer, a step of the workflow, the "
            "lifetime, a wrap-up."
        ),
    ),
    FigureNote(
        key="time-spent",
        name=_("Times of the task"),
        formula=_("How long it has waited, was on offer, in work and in wrap-up, by its events."),
    ),
    FigureNote(
        key="meet-it",
        name=_("Meet it"),
        formula=_(
            "Agents of the queue who meet what these tasks ask for, whatever their activity."
        ),
    ),
    FigureNote(
        key="meet-available",
        name=_("Available"),
        formula=_("Agents whose activity takes work, of those who meet it."),
    ),
    FigureNote(
        key="meet-free",
        name=_("Free"),
        formula=_(
            "Agents with a free slot on the channel, of those who meet it and are available."
        ),
        left_out=_("Slots kept for grabbing."),
    ),
    FigureNote(
        key="order",
        name=_("Order"),
        formula=_("In which order tasks of equal priority are offered."),
    ),
)
"""Their notes."""
