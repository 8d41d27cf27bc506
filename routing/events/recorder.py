"""Record events: one row in the transaction of the change, published after its commit."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from routing import models, sids
from routing.actors import Actor
from routing.core.event_catalog import NEEDS_DELIVERY, EventType
from routing.db import bulk_insert
from routing.events import courier, payloads
from routing.fields.declarations import EventData
from routing.webhooks import outbox


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


def record_all(
    drafts: Iterable[Draft], *, workspace: models.Workspace, actor: Actor, now: datetime
) -> None:
    """Write events beside the changes they record, in order, in as few statements as possible.

    They are published when the transaction commits. Callback deliveries are written in the same
    transaction. A workspace without callbacks may write them in a `pipeline` block.
    """
    written = [row(draft, workspace=workspace, actor=actor, now=now) for draft in drafts]
    inserted = bulk_insert.insert_later(written)
    told = [event for event in written if not event.delivered]
    if workspace.event_callback_url:
        # Deliveries refer to the events' ids. A workspace without a URL skips this.
        inserted.result()
        if outbox.owe_events(written, workspace=workspace):
            # The first event makes the courier start the callbacks, so that no request calls Redis.
            told = told or written[:1]
            told[0].is_owed = True
    else:
        # The ids are needed after the commit only, so the insert need not be awaited before.
        transaction.on_commit(inserted.result)
    if told:
        transaction.on_commit(functools.partial(courier.publish_events, told))


def row(draft: Draft, *, workspace: models.Workspace, actor: Actor, now: datetime) -> models.Event:
    """Return the row of an event, not yet written."""
    data = payloads.describe_workspace(workspace) | draft.data | payloads.age(draft.data, now)
    if actor.request_id is not None:
        data["request_id"] = actor.request_id
    spec = draft.event_type.spec
    ended = draft.task if spec.ends_waiting else None
    return models.Event(
        sid=sids.new_ordered_sid("EV", now),
        account_id=workspace.account_id,
        workspace_sid=workspace.sid,
        event_type=draft.event_type.value,
        event_date=now,
        # Events without an audience are stored as delivered, which saves an update.
        delivered=draft.event_type not in NEEDS_DELIVERY,
        description=spec.description.format_map(data)[:255],
        event_data=data,
        actor_type=actor.type,
        actor_sid=actor.sid,
        resource_type=spec.about.value,
        resource_sid=draft.resource_sid,
        source=actor.source,
        source_ip_address=actor.ip_address,
        task_key=_key(data, "task_sid"),
        worker_key=_key(data, "worker_sid"),
        task_queue_key=_key(data, "task_queue_sid"),
        workflow_key=_key(data, "workflow_sid"),
        task_channel_key=_key(data, "task_channel_sid"),
        waited_ms=None if ended is None else _since(ended.date_created, now),
        waited_in_queue_ms=None if ended is None else _since(ended.task_queue_entered_date, now),
        waited_until_transfer_ms=(
            None
            if ended is None or draft.handed_on is None
            else _since(ended.date_created, draft.handed_on)
        ),
    )


def _key(data: EventData, name: str) -> int | None:
    sid = data.get(name)
    return sids.index_key(sid) if sid else None


def _since(moment: datetime | None, now: datetime) -> int | None:
    return None if moment is None else (now - moment) // timedelta(milliseconds=1)
