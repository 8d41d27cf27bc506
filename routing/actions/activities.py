"""Create, rename and delete activities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, RestrictedError

from routing import models, sids
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InUse, InvalidInput
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.workspaces import ACTIVITY

LIMIT = 100
"""The most activities one workspace may have."""


def create_activity(
    *,
    workspace: models.Workspace,
    friendly_name: str,
    available: bool = False,
    actor: Actor,
    now: datetime,
) -> models.Activity:
    """Create an activity; whether its workers take work is fixed from then on."""
    named = {friendly_name: available}
    (activity,) = create_activities(workspace=workspace, named=named, actor=actor, now=now)
    return activity


@transaction.atomic
def create_activities(
    *, workspace: models.Workspace, named: Mapping[str, bool], actor: Actor, now: datetime
) -> list[models.Activity]:
    """Create several activities; see `create_activity`.

    Arguments:
        named: availability by friendly name.

    Raises:
        InvalidInput: when the workspace would exceed `LIMIT`, or already has one of these names.
    """
    if workspace.activities.count() + len(named) > LIMIT:
        raise InvalidInput(
            f"a workspace has at most {LIMIT} activities; delete one that is not in use",
            field="friendly_name",
        )
    with _refuse_duplicates(" or ".join(named)):
        created = models.Activity.objects.bulk_create(
            models.Activity(
                sid=sids.new_sid("WA"),
                workspace=workspace,
                friendly_name=inputs.check_name(friendly_name),
                available=available,
                date_created=now,
                date_updated=now,
            )
            for friendly_name, available in named.items()
        )
    _record(EventType.ACTIVITY_CREATED, created, actor, now)
    return created


@transaction.atomic
def rename_activity(
    *, activity: models.Activity, friendly_name: str, actor: Actor, now: datetime
) -> models.Activity:
    """Rename an activity."""
    locking.lock_row(activity)
    before = changed.read_values(ACTIVITY, activity)
    activity.friendly_name = inputs.check_name(friendly_name)
    activity.date_updated = now
    with _refuse_duplicates(friendly_name):
        activity.save(update_fields=["friendly_name", "date_updated"])
    # Expressions read the activity's name, so snapshots of these workers are out of date.
    here = models.Worker.objects.filter(activity=activity)
    locking.lock_workers(here)
    here.update(version=F("version") + 1)
    more = ACTIVITY.describe_changes(before, activity)
    _record(EventType.ACTIVITY_UPDATED, [activity], actor, now, more)
    return activity


@transaction.atomic
def delete_activity(*, activity: models.Activity, actor: Actor, now: datetime) -> None:
    """Delete an activity; raises `InUse` while a worker, a queue or the workspace refers to it."""
    locking.lock_row(activity, to_delete=True)
    try:
        with transaction.atomic():
            models.Activity.objects.filter(pk=activity.pk).delete()
    except RestrictedError as error:
        users = sorted({str(row._meta.verbose_name) for row in error.restricted_objects})
        raise InUse(
            f"activity {activity.friendly_name!r} is in use by a {' and a '.join(users)};"
            " give those another activity first"
        ) from None
    _record(EventType.ACTIVITY_DELETED, [activity], actor, now)


def _refuse_duplicates(friendly_name: str) -> inputs.DuplicateGuard:
    return inputs.refuse_duplicates(
        f"an activity named {friendly_name.strip()!r} exists already in this workspace"
    )


def _record(
    event_type: EventType,
    activities: Sequence[models.Activity],
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    drafts = [
        recorder.Draft(
            event_type, activity.sid, payloads.describe_activity(activity) | (more or {})
        )
        for activity in activities
    ]
    recorder.record_all(drafts, workspace=activities[0].workspace, actor=actor, now=now)
