"""Record events: one row in the transaction of the change, published after its commit."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Model

from routing import models, sids
from routing.actors import SYSTEM, Actor
from routing.core import stays
from routing.core.clock import elapsed_ms
from routing.core.event_catalog import EventType
from routing.core.stays import StayEnd
from routing.core.vocabulary import AssignmentStatus
from routing.db import bulk_insert, joint_insert
from routing.db.new_rows import build_row
from routing.db.pipeline import Pending, check_later, send_at_end
from routing.events import courier, payloads
from routing.fields.declarations import EventData
from routing.webhooks import outbox

CHUNK_SIZE: Final = 200
"""Most events that one statement inserts."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be written.

    Arguments:
        resource_sid: the sid of the event's resource, of the kind that its type requires.
        data: fields from `routing.events.payloads`.
        task: the event's task, needed to store how long it had waited.
        handed_on: when the task was first transferred, for an acceptance of a transfer.
    """

    event_type: EventType
    resource_sid: str
    data: EventData
    task: models.Task | None = None
    handed_on: datetime | None = None


def record(
    event_type: EventType,
    *,
    workspace: models.Workspace,
    resource_sid: str,
    data: EventData,
    actor: Actor,
    now: datetime,
    task: models.Task | None = None,
    handed_on: datetime | None = None,
) -> None:
    """Write one event; see `record_all` and `Draft`."""
    draft = Draft(event_type, resource_sid, data, task, handed_on)
    record_all([draft], workspace=workspace, actor=actor, now=now)


def record_creation(
    created: Model,
    drafts: Sequence[Draft],
    *,
    workspace: models.Workspace,
    actor: Actor,
    now: datetime,
) -> None:
    """Write a new row and its events in one transaction, see `record_all`.

    PostgreSQL gets one statement for both, in one round trip where no callbacks belong to it.
    """
    shared = payloads.describe_workspace(workspace)
    written = [row(each, shared, workspace=workspace, actor=actor, now=now) for each in drafts]
    with _begin(workspace):
        if connection.vendor == "postgresql":
            joint_insert.insert_together(created, written)
        else:
            bulk_insert.insert([created])
            bulk_insert.insert(written)
        _owe_deliveries([(workspace, event) for event in written], Pending(lambda: None))


def record_offered_creation(
    created: models.Task,
    drafts: Sequence[Draft],
    offer: models.Reservation,
    offer_draft: Draft,
    claim: joint_insert.Claim,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Write a new task, its offer and their events with one statement; see `insert_with_offer`.

    Returns whether this was done. The router is not woken, as it would find nothing to do.
    """
    workspace = created.workspace
    shared = payloads.describe_workspace(workspace)
    written = [row(each, shared, workspace=workspace, actor=actor, now=now) for each in drafts]
    written.append(row(offer_draft, shared, workspace=workspace, actor=SYSTEM, now=now))
    for event in written:
        event.is_routed = True
    with _begin(workspace):
        if not joint_insert.insert_with_offer(created, offer, written, claim):
            return False
        _owe_deliveries([(workspace, event) for event in written], Pending(lambda: None))
    return True


def _begin(workspace: models.Workspace) -> contextlib.AbstractContextManager[Any]:
    """Return a transaction, unless a single statement is to be one of its own."""
    is_alone = connection.vendor == "postgresql" and not workspace.event_callback_url
    return contextlib.nullcontext() if is_alone else transaction.atomic()


def record_all(
    drafts: Sequence[Draft], *, workspace: models.Workspace, actor: Actor, now: datetime
) -> None:
    """Write events beside the changes they record, in order, in as few statements as possible.

    They are published when the transaction commits. Callback deliveries are written in the same
    transaction. All events of a `pipeline` block are inserted together at its end.
    """
    shared = payloads.describe_workspace(workspace)
    for start in range(0, len(drafts), CHUNK_SIZE):
        # In a `pipeline` block, the database inserts a chunk while the next one is built.
        chunk = [
            (workspace, row(draft, shared, workspace=workspace, actor=actor, now=now))
            for draft in drafts[start : start + CHUNK_SIZE]
        ]
        send_at_end(_insert, chunk, most=CHUNK_SIZE)


_Recorded = tuple[models.Workspace, models.Event]


def _insert(recorded: list[_Recorded]) -> None:
    """Insert events, each given with its workspace, and publish them after the commit."""
    inserted = bulk_insert.insert_later([event for _, event in recorded])
    if any(workspace.event_callback_url for workspace, _ in recorded):
        # Deliveries refer to the events' ids. Workspaces without a URL skip this.
        check_later(functools.partial(_owe_deliveries, recorded, inserted))
    else:
        # The ids are needed after the commit only, so the insert need not be awaited before.
        _publish_later([event for _, event in recorded if event.needs_publishing], inserted)


def _owe_deliveries(recorded: Sequence[_Recorded], inserted: Pending[None]) -> None:
    """Write the callback deliveries of inserted events."""
    inserted.result()
    told = [event for _, event in recorded if event.needs_publishing]
    for workspace in {each.pk: each for each, _ in recorded if each.event_callback_url}.values():
        written = [event for each, event in recorded if each.pk == workspace.pk]
        if outbox.owe_events(written, workspace=workspace):
            # An event makes the courier start the callbacks, so that no request calls Redis.
            first = next((event for event in written if event.needs_publishing), written[0])
            first.is_owed = True
            if not first.needs_publishing:
                told.append(first)
    _publish_later(told, Pending(lambda: None))


class _Publication:
    """The events of a transaction, passed to the courier together after the commit."""

    def __init__(self) -> None:
        self._told: list[models.Event] = []
        self._inserted: list[Pending[None]] = []

    def add(self, told: Sequence[models.Event], inserted: Pending[None]) -> None:
        """Add events to publish, and the insert that sets their ids."""
        self._told += told
        self._inserted.append(inserted)

    def __call__(self) -> None:
        """Wait for the inserts, which set the ids of their rows, and publish the events."""
        for each in self._inserted:
            each.result()
        if self._told:
            courier.publish_events(self._told)


def _publish_later(told: Sequence[models.Event], inserted: Pending[None]) -> None:
    """Publish events after the commit, together with those recorded just before."""
    if connection.in_atomic_block and connection.run_on_commit:
        registered: tuple[Any, ...] = connection.run_on_commit[-1]
        savepoints, last = registered[:2]
        # What a savepoint takes back must not be published.
        if isinstance(last, _Publication) and savepoints == {*connection.savepoint_ids}:
            last.add(told, inserted)
            return
    publication = _Publication()
    publication.add(told, inserted)
    transaction.on_commit(publication)


def row(
    draft: Draft, shared: EventData, *, workspace: models.Workspace, actor: Actor, now: datetime
) -> models.Event:
    """Return the row of an event, not yet written.

    Arguments:
        shared: the fields of the workspace.
    """
    data = shared | draft.data | payloads.age(draft.data, now)
    if actor.request_id is not None:
        data["request_id"] = actor.request_id
    if actor.batch_sid is not None:
        data |= {"batch_sid": actor.batch_sid, "note": actor.note}
    stay_end = None
    if draft.event_type in _ENDINGS:
        stay_end = _find_stay_end(draft, data, workspace, actor)
        if stay_end is not None:
            data["task_stay_end"] = stay_end
    spec = draft.event_type.spec
    ended = draft.task if spec.ends_waiting or stay_end is not None else None
    first, handled = data.get("reservation_first"), data.get("reservation_handled_ms")
    wrapping = data.get("reservation_wrapping_ms")
    values = {
        "id": None,
        "sid": sids.new_ordered_sid("EV", now),
        "account_id": workspace.account_id,
        "workspace_sid": workspace.sid,
        "event_type": draft.event_type.value,
        "event_date": now,
        "delivered": True,
        "description": spec.description.format_map(data)[:255],
        "event_data": data,
        "actor_type": actor.type,
        "actor_sid": actor.sid,
        "resource_type": spec.about.value,
        "resource_sid": draft.resource_sid,
        "source": actor.source,
        "source_ip_address": actor.ip_address,
        "task_key": _key(data, "task_sid"),
        "worker_key": _key(data, "worker_sid"),
        "task_queue_key": _key(data, "task_queue_sid"),
        "workflow_key": _key(data, "workflow_sid"),
        "task_channel_key": _key(data, "task_channel_sid"),
        "waited_ms": None if ended is None else _since(ended.date_created, now),
        "waited_in_queue_ms": None if ended is None else _since(ended.task_queue_entered_date, now),
        "waited_until_transfer_ms": (
            None
            if ended is None or draft.handed_on is None
            else _since(ended.date_created, draft.handed_on)
        ),
        "origin": data.get("reservation_origin"),
        "is_first_answer": None if first is None else first == "true",
        "handled_ms": None if handled is None else int(handled),
        "wrapping_ms": None if wrapping is None else int(wrapping),
        "stay_end": stay_end,
        # The database sets it.
        "transaction_id": 0,
    }
    return build_row(models.Event, values)


def _find_stay_end(
    draft: Draft, data: EventData, workspace: models.Workspace, actor: Actor
) -> str | None:
    """Return as what a stay in a queue ends by an event of which the type leaves that open."""
    if draft.event_type == EventType.TASK_CANCELED:
        return stays.classify_cancellation(
            actor_type=actor.type,
            reason=data.get("reason"),
            answered_before=draft.task is not None and draft.task.answered_before,
            withdrawn_reasons=workspace.withdrawn_reasons.splitlines(),
        ).value
    is_waiting = data.get("task_assignment_status") in _WAITING
    return StayEnd.DELETED.value if is_waiting else None


_ENDINGS: Final = frozenset(
    {EventType.TASK_CANCELED, EventType.TASK_DELETED, EventType.TASK_SYSTEM_DELETED}
)
"""Types that may end a stay in a queue, where the type leaves open as what."""
_WAITING: Final = frozenset({AssignmentStatus.PENDING.value, AssignmentStatus.RESERVED.value})


def _key(data: EventData, name: str) -> int | None:
    sid = data.get(name)
    return sids.index_key(sid) if sid else None


def _since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else elapsed_ms(moment, now)
