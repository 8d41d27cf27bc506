"""The agent's commands: one small function per command, each calling one action.

Sockets and forms both call `run_command`. Refusals are raised with texts for agents.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from django.utils.translation import gettext, gettext_lazy

from agents import desk_groups, happenings, held, outcomes
from agents.access import Agent
from agents.arguments import Arguments, Command, CommandRefused
from routing import models
from routing.actions import (
    dismissals,
    offers,
    reservations,
    task_transitions,
    transfers,
    worker_channels,
    workers,
)
from routing.actions.support import errors, inputs
from routing.actions.support.outcomes import NOTE_LIMIT, Outcome
from routing.core.vocabulary import ReservationStatus, TransferMode
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import pipeline

logger = logging.getLogger(__name__)


def run_command(agent: Agent, name: object, arguments: Arguments, *, now: datetime) -> None:
    """Run a command; raises `CommandRefused`, and then nothing was changed."""
    command = COMMANDS.get(name) if isinstance(name, str) else None
    if command is None:
        raise CommandRefused("unknown_command", gettext("There is no such command."), status=404)
    try:
        command.run(agent, command.parse_arguments(arguments), now)
    except errors.NotHeld as error:
        raise _no_such_task() from error
    except errors.NotEligible as error:
        raise CommandRefused(error.refusal.value, gettext(error.refusal.words)) from error
    except errors.StaleState as error:
        raise CommandRefused(
            "changed", gettext("This has just changed. Please look again.")
        ) from error
    except errors.ActionError as error:
        # The message is in English and for programs; agents read it only in the log.
        logger.info("command=%s worker=%s refused: %s", name, agent.worker.sid, error.message)
        raise CommandRefused(
            "not_now", gettext("This cannot be done now. Please look again.")
        ) from error


def _accept(agent: Agent, given: Arguments, now: datetime) -> None:
    offer = _find_offer(agent, given)
    try:
        reservations.accept_reservation(reservation=offer, actor=agent.actor, now=now)
    except errors.NotNow as error:
        raise _refuse_closed_offer(offer) from error


def _reject(agent: Agent, given: Arguments, now: datetime) -> None:
    offer = _find_offer(agent, given)
    try:
        reservations.reject_reservation(
            reservation=offer, reason=given["reason"], actor=agent.actor, now=now
        )
    except errors.InvalidInput as error:
        raise CommandRefused("not_now", gettext("This reason can no longer be chosen.")) from error
    except errors.NotNow as error:
        raise _refuse_closed_offer(offer) from error


def _wrap_up(agent: Agent, given: Arguments, now: datetime) -> None:
    task = _find_held_reservation(agent, given).task
    try:
        task_transitions.wrap_up_task(task=task, held_by=agent.worker, actor=agent.actor, now=now)
    except errors.NotNow as error:
        raise CommandRefused(
            "not_now", gettext("This task is already being wrapped up, or done.")
        ) from error


def _extend_wrap_up(agent: Agent, given: Arguments, now: datetime) -> None:
    reservation = _find_held_reservation(agent, given)
    try:
        reservations.extend_wrap_up(reservation=reservation, actor=agent.actor, now=now)
    except errors.NotNow as error:
        raise CommandRefused(
            "not_now", gettext("The time for wrapping up cannot be extended any more.")
        ) from error


def _complete(agent: Agent, given: Arguments, now: datetime) -> None:
    reservation, codes = _find_held_with_codes(agent, given)
    outcome = _read_outcome(reservation, codes, given)
    try:
        task_transitions.complete_task(
            task=reservation.task, held_by=agent.worker, outcome=outcome, actor=agent.actor, now=now
        )
    except errors.NotNow as error:
        raise CommandRefused("not_now", gettext("This task is already done.")) from error


def _draft_outcome(agent: Agent, given: Arguments, now: datetime) -> None:
    reservation, codes = _find_held_with_codes(agent, given)
    outcome = Outcome(code=_find_code(codes, given), note=given["outcome_note"])
    try:
        reservations.save_outcome_draft(reservation=reservation, outcome=outcome)
    except errors.NotNow as error:
        raise CommandRefused("not_now", gettext("This task is already done.")) from error


def _read_outcome(
    reservation: models.Reservation, codes: Collection[models.OutcomeCode], given: Arguments
) -> Outcome | None:
    """Return the outcome that a command gives; refuse a completion that lacks a required one."""
    code = _find_code(codes, given)
    if code is None and codes and outcomes.is_required(reservation):
        raise CommandRefused("outcome_required", gettext("Choose how the task ended first."))
    if code is None and given["outcome_note"] is None:
        return None
    return Outcome(code=code, note=given["outcome_note"])


def _find_code(codes: Iterable[models.OutcomeCode], given: Arguments) -> models.OutcomeCode | None:
    name = given["outcome_code"]
    code = next((each for each in codes if each.unique_name == name), None)
    if name is not None and code is None:
        raise CommandRefused(
            "not_found", gettext("This outcome can no longer be chosen."), status=404
        )
    return code


def _transfer(agent: Agent, given: Arguments, now: datetime) -> None:
    try:
        transfers.begin_transfer(
            reservation=_find_held_reservation(agent, given, _ACCEPTED),
            to=given["to"],
            mode=TransferMode.WARM if given["stay"] else TransferMode.COLD,
            note=given["note"],
            actor=agent.actor,
            now=now,
        )
    except (errors.InvalidInput, errors.NotNow) as error:
        raise CommandRefused("not_now", _explain_failed_transfer(agent, given, error)) from error


def _explain_failed_transfer(agent: Agent, given: Arguments, error: errors.ActionError) -> str:
    if isinstance(error, transfers.NeedsTelephone):
        return gettext("Calls cannot be transferred: this server has no telephone network.")
    if isinstance(error, errors.InvalidInput):
        return gettext("This receiver can no longer be chosen.")
    receivers = models.Worker.objects.filter(
        workspace=agent.worker.workspace_id, sid=given["to"], activity__available=False
    )
    if (away := receivers.select_related("activity").first()) is not None:
        words = {"name": away.friendly_name, "activity": away.activity.friendly_name}
        return gettext("%(name)s is in “%(activity)s” and takes no work now.") % words
    return gettext("This task cannot be transferred now. Please look again.")


def _cancel_transfer(agent: Agent, given: Arguments, now: datetime) -> None:
    transfer = _find_held_reservation(agent, given, _ACCEPTED).outgoing
    if transfer is None:
        raise CommandRefused("not_now", gettext("This task is not being transferred."))
    try:
        transfers.cancel_transfer(transfer=transfer, actor=agent.actor, now=now)
    except errors.NotNow as error:
        raise CommandRefused(
            "not_now", gettext("A colleague has accepted this task already.")
        ) from error


def _grab(agent: Agent, given: Arguments, now: datetime) -> None:
    task = models.Task.objects.filter(
        workspace=agent.worker.workspace_id, sid=given["task"]
    ).first()
    if task is None:
        raise CommandRefused("not_found", gettext("There is no such task any more."), status=404)
    offers.grab_task(task=task, worker=agent.worker, actor=agent.actor, now=now)


def _set_activity(agent: Agent, given: Arguments, now: datetime) -> None:
    activity = models.Activity.objects.filter(
        workspace=agent.worker.workspace_id, sid=given["activity"]
    ).first()
    if activity is None:
        raise CommandRefused(
            "not_found", gettext("There is no such activity any more."), status=404
        )
    try:
        workers.set_activity(
            worker=agent.worker,
            activity=activity,
            reject_pending_reservations=given["reject_offers"] and not activity.available,
            actor=agent.actor,
            now=now,
        )
    except errors.NotNow as error:
        raise CommandRefused(
            "offers_pending",
            gettext("You have offers to answer. Going to %(activity)s rejects them.")
            % {"activity": activity.friendly_name},
        ) from error


def _set_available(agent: Agent, given: Arguments, now: datetime) -> None:
    channel = models.WorkerChannel.objects.filter(worker=agent.worker, sid=given["channel"]).first()
    if channel is None:
        raise CommandRefused("not_found", gettext("You have no such channel any more."), status=404)
    worker_channels.update_worker_channel(
        channel=channel, available=given["available"], actor=agent.actor, now=now
    )


def _dismiss(agent: Agent, given: Arguments, now: datetime) -> None:
    """Dismiss one line of the list "What happened", or with it all that are older."""
    with_older = given["with_older"]
    found = happenings.list_events(
        agent.worker, up_to=given["event"], with_older=with_older, now=now
    )
    if found:
        dismissals.dismiss_events(worker=agent.worker, events=found, with_older=with_older, now=now)
    # Without a match it was dismissed in another tab.
    desk_groups.send_to_desks([agent.worker.sid], "desk.happenings", stale=["happened"])


COMMANDS: Final[Mapping[str, Command]] = {
    "reservation.accept": Command(_accept, {"reservation": "WR"}),
    "reservation.reject": Command(
        _reject, {"reservation": "WR"}, texts={"reason": inputs.NAME_LIMIT}
    ),
    "task.wrap_up": Command(_wrap_up, {"task": "WT"}),
    "task.extend_wrap_up": Command(_extend_wrap_up, {"task": "WT"}),
    "task.complete": Command(
        _complete,
        {"task": "WT"},
        texts={"outcome_code": inputs.NAME_LIMIT, "outcome_note": NOTE_LIMIT},
    ),
    "task.draft_outcome": Command(
        _draft_outcome,
        {"task": "WT"},
        texts={"outcome_code": inputs.NAME_LIMIT, "outcome_note": NOTE_LIMIT},
    ),
    "task.transfer": Command(
        _transfer,
        {"task": "WT", "to": "WK WQ"},
        ("stay",),
        texts={"note": transfers.LONGEST_NOTE},
    ),
    "task.cancel_transfer": Command(_cancel_transfer, {"task": "WT"}),
    "task.grab": Command(_grab, {"task": "WT"}),
    "worker.set_activity": Command(_set_activity, {"activity": "WA"}, ("reject_offers",)),
    "desk.dismiss": Command(_dismiss, {"event": "EV"}, ("with_older",)),
    "worker_channel.set_available": Command(_set_available, {"channel": "WC"}, ("available",)),
}
"""All commands of an agent; docs/websocket.md describes their arguments."""


def _find_offer(agent: Agent, given: Arguments) -> models.Reservation:
    """Return a reservation of this agent."""
    for offer in _OFFER(agent.worker.pk, given["reservation"]):
        offer.workspace = agent.worker.workspace
        return offer
    raise CommandRefused("not_found", gettext("There is no such offer any more."), status=404)


_OFFER: Final = CompiledQuery(
    lambda worker, sid: models.Reservation.objects.filter(worker_id=worker, sid=sid)
)
_ACCEPTED: Final = (ReservationStatus.ACCEPTED,)
"""The status of reservations whose task may be transferred."""


def _find_held_reservation(
    agent: Agent,
    given: Arguments,
    statuses: Collection[ReservationStatus] | None = None,
) -> models.Reservation:
    """Return the agent's reservation of a task; without statuses it may be completed."""
    found = held.find_held_reservation(agent.worker, given["task"], statuses=statuses)
    if found is None:
        raise _no_such_task()
    return found


def _find_held_with_codes(
    agent: Agent, given: Arguments
) -> tuple[models.Reservation, list[models.OutcomeCode]]:
    """Return the agent's reservation of a task, and the outcome codes to choose from."""
    with pipeline():
        sent = held.send_held_reservation(agent.worker, given["task"], statuses=None)
        codes = outcomes.send_codes(agent.worker.workspace_id)
    found = sent.result()
    if found is None:
        raise _no_such_task()
    return found, codes.result()


def _no_such_task() -> CommandRefused:
    return CommandRefused("not_found", gettext("You have no such task."), status=404)


_CLOSED_OFFERS: Final = {
    ReservationStatus.ACCEPTED: gettext_lazy("You have accepted this offer already."),
    ReservationStatus.WRAPPING: gettext_lazy("You have accepted this offer already."),
    ReservationStatus.COMPLETED: gettext_lazy("You have accepted this offer already."),
    ReservationStatus.REJECTED: gettext_lazy("You have rejected this offer already."),
    ReservationStatus.TIMEOUT: gettext_lazy("This offer has expired."),
    ReservationStatus.CANCELED: gettext_lazy("This offer was withdrawn."),
    ReservationStatus.RESCINDED: gettext_lazy("Another agent took this task first."),
}


def _refuse_closed_offer(offer: models.Reservation) -> CommandRefused:
    """Return the refusal for an offer that can no longer be answered, with its status."""
    status = ReservationStatus(
        models.Reservation.objects.values_list("reservation_status", flat=True).get(pk=offer.pk)
    )
    return CommandRefused(
        f"offer_{status.value}",
        str(_CLOSED_OFFERS.get(status, gettext_lazy("This offer is over."))),
    )
