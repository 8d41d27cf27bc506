"""Write the revisions of a workflow: each text with its author, and a limited number of them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from django.db.models import Exists, Max, OuterRef

from routing import models
from routing.actions.support import inputs
from routing.actors import Actor
from routing.fields.declarations import EventData

MOST_REVISIONS: Final = 100
"""Revisions of a workflow that are kept, beside those that tasks still refer to."""
LONGEST_MESSAGE: Final = 255
_LONGEST_NAME: Final = 150
_NAMED: Final = (models.ApiKey, models.Account, models.Worker)


def create_revision(
    workflow: models.Workflow,
    configuration: str,
    *,
    message: str = "",
    restored_from: int | None = None,
    actor: Actor,
    now: datetime,
) -> models.WorkflowRevision:
    """Give a locked workflow a new text, and delete the oldest of its revisions beyond the limit.

    Arguments:
        restored_from: the number of the revision whose text it is again.
    """
    last = workflow.revisions.aggregate(last=Max("number"))["last"] or 0
    revision = models.WorkflowRevision.objects.create(
        id=secrets.randbits(62),
        workflow=workflow,
        number=last + 1,
        configuration=configuration,
        actor_type=actor.type,
        actor_sid=actor.sid,
        actor_name=_find_name(actor),
        source=actor.source,
        message=inputs.check_text(message.strip(), field="message", limit=LONGEST_MESSAGE),
        restored_from=restored_from,
        date_created=now,
    )
    workflow.revision = revision
    models.Workflow.objects.filter(pk=workflow.pk).update(revision=revision)
    _delete_oldest(workflow, revision)
    return revision


def describe_revision(revision: models.WorkflowRevision) -> EventData:
    """Return what the event of a change of a workflow says about its new text."""
    found: EventData = {"workflow_revision_number": str(revision.number)}
    if revision.restored_from is not None:
        found["workflow_revision_restored_from"] = str(revision.restored_from)
    return found


def _find_name(actor: Actor) -> str:
    """Return the present name of an actor; of a user it is the user name."""
    if actor.sid is None:
        return ""
    for table in _NAMED:
        rows = table._default_manager.filter(sid=actor.sid)
        if (name := rows.values_list("friendly_name", flat=True).first()) is not None:
            return str(name)[:_LONGEST_NAME]
    return actor.sid[:_LONGEST_NAME]


def _delete_oldest(workflow: models.Workflow, newest: models.WorkflowRevision) -> None:
    assert newest.number is not None
    used = models.Task.objects.filter(revision=OuterRef("pk"))
    workflow.revisions.filter(~Exists(used), number__lte=newest.number - MOST_REVISIONS).exclude(
        pk=newest.pk
    ).delete()
