"""Create, change and delete the outcome codes of a workspace."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack

from django.db import transaction

from routing import models, sids
from routing.actions.support import changes as changed
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput
from routing.actors import Actor
from routing.core.event_catalog import EventType
from routing.events import payloads, recorder
from routing.fields.declarations import EventData
from routing.fields.workspaces import OUTCOME_CODE

LIMIT: Final = 100
"""The most outcome codes one workspace may have."""

MAX_POSITION: Final = 10_000


class OutcomeCodeChanges(TypedDict, total=False):
    """Fields of an outcome code that can be changed; absent ones stay."""

    friendly_name: str
    active: bool
    position: int


@transaction.atomic
def create_outcome_code(
    *,
    workspace: models.Workspace,
    unique_name: str,
    actor: Actor,
    now: datetime,
    **values: Unpack[OutcomeCodeChanges],
) -> models.OutcomeCode:
    """Create an outcome code; its unique name is fixed from then on.

    Raises `InvalidInput` when the workspace has `LIMIT` codes, or one of this name.
    """
    if workspace.outcome_codes.count() >= LIMIT:
        raise InvalidInput(
            f"a workspace has at most {LIMIT} outcome codes; delete one first",
            field="unique_name",
        )
    code = models.OutcomeCode(
        sid=sids.new_sid("OC"),
        workspace=workspace,
        unique_name=inputs.check_unique_name(unique_name),
        date_created=now,
        date_updated=now,
    )
    if "friendly_name" not in values:
        raise InvalidInput("friendly_name is required", field="friendly_name")
    _set_values(code, values)
    with _refuse_duplicates(code):
        code.save(force_insert=True)
    _record(EventType.OUTCOME_CODE_CREATED, code, actor, now)
    return code


@transaction.atomic
def update_outcome_code(
    *,
    code: models.OutcomeCode,
    actor: Actor,
    now: datetime,
    **changes: Unpack[OutcomeCodeChanges],
) -> models.OutcomeCode:
    """Change an outcome code; completed reservations keep its unique name."""
    locking.lock_row(code)
    before = changed.read_values(OUTCOME_CODE, code)
    _set_values(code, changes)
    code.date_updated = now
    with _refuse_duplicates(code):
        code.save(update_fields=[*changes, "date_updated"])
    more = OUTCOME_CODE.describe_changes(before, code)
    _record(EventType.OUTCOME_CODE_UPDATED, code, actor, now, more)
    return code


@transaction.atomic
def delete_outcome_code(*, code: models.OutcomeCode, actor: Actor, now: datetime) -> None:
    """Delete an outcome code; completed reservations and statistics keep its unique name."""
    locking.lock_row(code, to_delete=True)
    _record(EventType.OUTCOME_CODE_DELETED, code, actor, now)
    code.delete()


def _set_values(code: models.OutcomeCode, values: OutcomeCodeChanges) -> None:
    if "friendly_name" in values:
        code.friendly_name = inputs.check_name(values["friendly_name"])
    if "active" in values:
        code.active = values["active"]
    if "position" in values:
        code.position = inputs.check_integer(
            values["position"], field="position", least=0, most=MAX_POSITION
        )


def _refuse_duplicates(code: models.OutcomeCode) -> inputs.DuplicateGuard:
    return inputs.refuse_duplicates(
        f"an outcome code named {code.unique_name!r} or {code.friendly_name!r} exists already in"
        " this workspace",
        field="unique_name",
    )


def _record(
    event_type: EventType,
    code: models.OutcomeCode,
    actor: Actor,
    now: datetime,
    more: EventData | None = None,
) -> None:
    recorder.record(
        event_type,
        workspace=code.workspace,
        resource_sid=code.sid,
        data=payloads.describe_outcome_code(code) | (more or {}),
        actor=actor,
        now=now,
    )
