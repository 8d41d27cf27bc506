"""Describe an event that another caused, in one sentence for the agent concerned.

Pure: `merge` and `describe` read nothing but their arguments and the active language.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from routing import subjects
from routing.core.decisions import Reason
from routing.core.event_catalog import EventType as E
from routing.core.vocabulary import (
    AssignmentStatus,
    ReservationOrigin,
    TransferMode,
    TransferStatus,
    TransferType,
)

LONGEST_REASON: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of a worker that the worker did not cause.

    Arguments:
        task: the title of its task, as the card shows it; "" if it is about no task.
        by: the name of the cause, if its actor is a worker or a user.
        move: the data of the change of activity that the event caused, if it did.
    """

    sid: str
    event_type: E
    at: datetime
    actor_type: str
    source: str = ""
    by: str = ""
    task: str = ""
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    move: Mapping[str, Any] | None = None


def merge(happenings: Iterable[Happening]) -> list[Happening]:
    """Return the happenings that deserve a sentence of their own, in the same order.

    An expired offer takes the change of activity that it causes. An accepted transfer includes the
    end of the agent's own part, and the end of a task includes that of its transfer.
    """
    found = list(happenings)
    keys = {(each.event_type, each.at, each.data.get("task_sid")) for each in found}
    moves = {each.at: each.data for each in found if _is_consequence(each)}
    kept = []
    for each in found:
        if _is_consequence(each):
            continue
        including = _INCLUDED_IN.get(each.event_type, ())
        if any((kind, each.at, each.data.get("task_sid")) in keys for kind in including):
            continue
        if each.event_type == E.RESERVATION_TIMEOUT and each.at in moves:
            each = dataclasses.replace(each, move=moves[each.at])
        kept.append(each)
    return kept


_INCLUDED_IN: Final = {
    E.RESERVATION_COMPLETED: (E.TASK_TRANSFER_COMPLETED, E.TASK_TAKEN_BACK),
    E.TASK_TRANSFER_CANCELED: (E.RESERVATION_COMPLETED,),
}
"""Events that are not told beside another about the same task at the same moment."""


def _is_consequence(happening: Happening) -> bool:
    """Return whether this is a move to another activity that follows from an offer's end."""
    return happening.event_type == E.WORKER_ACTIVITY_UPDATE and (
        happening.actor_type == "worker"
        or (happening.actor_type == "system" and happening.source == "taskrouter")
    )


def describe(happening: Happening, names: Mapping[str, str]) -> str | None:
    """Return the sentence about a happening; None if there is nothing to tell.

    Arguments:
        names: names of workers, queues and channels, by sid.
    """
    sentence = SENTENCES.get(happening.event_type)
    if sentence is None:
        return None
    told, note = sentence(happening, names), _read_note(happening)
    if not note or happening.event_type in _TELL_NOTE:
        return told
    return _("%(sentence)s Note: “%(note)s”") % {"sentence": told, "note": note}


def _read_note(happening: Happening) -> str:
    """Return the note of a supervisor, in one line."""
    return " ".join(str(happening.data.get("note") or "").split())


def _name_cause(happening: Happening) -> str:
    match happening.actor_type:
        case "worker":
            return happening.by or _("A colleague")
        case "user":
            return _("Supervisor %(name)s") % {"name": happening.by}
        case "system":
            return _("Cordboard")
        case _:
            return _("The API")


def _values(happening: Happening) -> dict[str, str]:
    return {"who": _name_cause(happening), "task": happening.task}


def _accepted(happening: Happening, _names: Mapping[str, str]) -> str:
    if happening.data.get("reservation_origin") == ReservationOrigin.ASSIGNED:
        return _("%(who)s gave you “%(task)s”.") % _values(happening)
    return _("%(who)s accepted “%(task)s” for you.") % _values(happening)


def _rejected(happening: Happening, _names: Mapping[str, str]) -> str:
    return _("%(who)s rejected “%(task)s” for you.") % _values(happening)


def _missed(happening: Happening, _names: Mapping[str, str]) -> str:
    values = _values(happening)
    if happening.move is None:
        return _("You missed “%(task)s”: the time to answer was over.") % values
    values["activity"] = happening.move.get("worker_activity_name") or ""
    return _("You missed “%(task)s” and were set to “%(activity)s”.") % values


def _withdrawn(happening: Happening, _names: Mapping[str, str]) -> str:
    values, data = _values(happening), happening.data
    if data.get("task_assignment_status") == AssignmentStatus.CANCELED:
        values["reason"] = _describe_reason(str(data.get("reason") or ""))
        if not values["reason"]:
            return _("%(who)s canceled “%(task)s”.") % values
        return _("%(who)s canceled “%(task)s”: %(reason)s") % values
    if data.get("transfer_status") == TransferStatus.CANCELED:
        return _("%(who)s took the transfer of “%(task)s” back.") % values
    return _("%(who)s withdrew the offer of “%(task)s”.") % values


def _describe_reason(reason: str) -> str:
    match reason:
        case Reason.EXPIRED:
            return _("it waited too long.")
        case Reason.WORKFLOW_TIMEOUT | Reason.WORKFLOW_SKIPPED:
            return _("its workflow ended.")
        case _:
            return subjects.shorten(reason.strip(), LONGEST_REASON)


def _rescinded(happening: Happening, _names: Mapping[str, str]) -> str:
    values = _values(happening)
    if happening.actor_type == "system":
        return _("You had no desk open, so %(who)s took the offer of “%(task)s” back.") % values
    if happening.actor_type == "worker":
        return _("%(who)s accepted “%(task)s” first.") % values
    return _("%(who)s gave “%(task)s” to another agent.") % values


def _wrapping(happening: Happening, _names: Mapping[str, str]) -> str:
    return _("%(who)s began to wrap up “%(task)s”.") % _values(happening)


def _completed(happening: Happening, _names: Mapping[str, str]) -> str:
    match happening.data.get("task_assignment_status"):
        case AssignmentStatus.COMPLETED if happening.data.get("reason") == Reason.WRAP_UP_OVER:
            return _("%(who)s completed “%(task)s”: the time for wrapping up was over.") % _values(
                happening
            )
        case AssignmentStatus.COMPLETED:
            return _("%(who)s completed “%(task)s”.") % _values(happening)
        case AssignmentStatus.WRAPPING if happening.actor_type == "worker":
            return _("%(who)s began to wrap up “%(task)s”.") % _values(happening)
        case _:
            return _("%(who)s removed “%(task)s” from your tasks.") % _values(happening)


def _taken_back(happening: Happening, _names: Mapping[str, str]) -> str:
    values = _values(happening)
    values["reason"] = subjects.shorten(
        str(happening.data.get("reason") or "").strip(), LONGEST_REASON
    )
    if not values["reason"]:
        return _("%(who)s took “%(task)s” back from you. It waits again.") % values
    return _("%(who)s took “%(task)s” back from you: %(reason)s") % values


def _transferring(happening: Happening, names: Mapping[str, str]) -> str:
    values = _values(happening) | {"to": _name_receiver(happening, names)}
    return _("%(who)s began to transfer “%(task)s” to %(to)s.") % values


def _transferred(happening: Happening, names: Mapping[str, str]) -> str:
    values = _values(happening) | {"to": _name_receiver(happening, names)}
    if happening.data.get("transfer_mode") == TransferMode.WARM:
        if happening.actor_type == "worker":
            return _("%(who)s accepted “%(task)s”. You are still with it.") % values
        return _("%(who)s accepted “%(task)s” for %(to)s. You are still with it.") % values
    if happening.actor_type == "worker":
        return _("%(who)s accepted “%(task)s” from you.") % values
    return _("%(who)s accepted “%(task)s” from you for %(to)s.") % values


def _transfer_failed(happening: Happening, names: Mapping[str, str]) -> str:
    values = _values(happening) | {"to": _name_receiver(happening, names)}
    if happening.data.get("transfer_type") == TransferType.QUEUE:
        return _("No agent of %(to)s accepted “%(task)s” in time. It is yours again.") % values
    if happening.actor_type == "system":
        return _("%(to)s did not answer in time. “%(task)s” is yours again.") % values
    if happening.actor_type == "worker":
        return _("%(who)s declined “%(task)s”. It is yours again.") % values
    return _("%(who)s declined “%(task)s” for %(to)s. It is yours again.") % values


def _transfer_canceled(happening: Happening, names: Mapping[str, str]) -> str:
    values = _values(happening) | {"to": _name_receiver(happening, names)}
    return _("%(who)s ended the transfer of “%(task)s” to %(to)s. It is yours again.") % values


def _name_receiver(happening: Happening, names: Mapping[str, str]) -> str:
    return names.get(str(happening.data.get("transfer_to"))) or _("a colleague")


def _moved(happening: Happening, _names: Mapping[str, str]) -> str:
    values = {
        "who": _name_cause(happening),
        "activity": happening.data.get("worker_activity_name") or "",
    }
    if happening.actor_type == "system" and happening.source == "desk":
        return _("You had no desk open, so %(who)s set you to “%(activity)s”.") % values
    return _("%(who)s set you to “%(activity)s”.") % values


def _capacity_changed(happening: Happening, names: Mapping[str, str]) -> str:
    before = happening.data.get("worker_channel_previous_capacity")
    after = happening.data.get("worker_channel_available_capacity")
    values = {
        "who": _name_cause(happening),
        "channel": _name_channel(happening, names),
        "before": before or "",
        "after": after or "",
    }
    if note := _read_note(happening):
        values |= {"note": note, "by": happening.by}
        if before != after:
            return (
                _(
                    "Your capacity for %(channel)s is now %(after)s (was %(before)s):"
                    " %(note)s – %(by)s"
                )
                % values
            )
        return (
            _("The slots of %(channel)s that you keep for grabbing changed: %(note)s – %(by)s")
            % values
        )
    if before == after:
        return _("%(who)s changed how many slots of %(channel)s you keep for grabbing.") % values
    return _("%(who)s changed your capacity for %(channel)s from %(before)s to %(after)s.") % values


def _channel_switched(happening: Happening, names: Mapping[str, str]) -> str:
    values = {"who": _name_cause(happening), "channel": _name_channel(happening, names)}
    if happening.data.get("worker_channel_available") == "true":
        return _("%(who)s switched %(channel)s on for you.") % values
    return _("%(who)s switched %(channel)s off for you.") % values


def _name_channel(happening: Happening, names: Mapping[str, str]) -> str:
    known = names.get(str(happening.data.get("task_channel_sid")))
    return known or str(happening.data.get("task_channel_unique_name") or "")


_TELL_NOTE: Final = frozenset({E.WORKER_CAPACITY_UPDATE})
"""Event types whose own sentence has the note of a supervisor."""

SENTENCES: Final[Mapping[E, Callable[[Happening, Mapping[str, str]], str]]] = {
    E.RESERVATION_ACCEPTED: _accepted,
    E.RESERVATION_REJECTED: _rejected,
    E.RESERVATION_TIMEOUT: _missed,
    E.RESERVATION_CANCELED: _withdrawn,
    E.RESERVATION_RESCINDED: _rescinded,
    E.RESERVATION_WRAPUP: _wrapping,
    E.RESERVATION_COMPLETED: _completed,
    E.TASK_TAKEN_BACK: _taken_back,
    E.TASK_TRANSFER_INITIATED: _transferring,
    E.TASK_TRANSFER_COMPLETED: _transferred,
    E.TASK_TRANSFER_FAILED: _transfer_failed,
    E.TASK_TRANSFER_CANCELED: _transfer_canceled,
    E.WORKER_ACTIVITY_UPDATE: _moved,
    E.WORKER_CAPACITY_UPDATE: _capacity_changed,
    E.WORKER_CHANNEL_AVAILABILITY_UPDATE: _channel_switched,
}
"""The sentence of each event type, told to the worker that the event names."""
