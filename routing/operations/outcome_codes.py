"""Operations on outcome codes, and the parameters that give an outcome."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from django.db.models import QuerySet

from routing import models
from routing.actions import outcome_codes
from routing.actions.support.inputs import NAME_LIMIT
from routing.actions.support.outcomes import NOTE_LIMIT, Outcome
from routing.fields.workspaces import OUTCOME_CODE
from routing.operations import keysets, parameters, references
from routing.operations.base import Arguments, InstanceOperation, ListOperation
from routing.operations.errors import ApiError

_NAME: Final = "The name that agents read; unique in the workspace, ignoring case."
_WRITABLE: Final = parameters.derive_parameters(OUTCOME_CODE)

OUTCOME: Final = (
    references.reference(
        "OutcomeCode",
        models.OutcomeCode,
        "OC",
        argument="outcome_code",
        by="unique_name",
        clearable=True,
    ).describe(
        "With the status `completed`: how the task ended, as the sid or the unique name of an"
        " active outcome code.",
        "resolved",
    ),
    parameters.text("OutcomeNote", limit=NOTE_LIMIT).describe(
        "With the status `completed`: a note of how the task ended.", "Sent again on Monday"
    ),
)
"""The parameters of a completion that say how the task ended."""


def pop_outcome(arguments: MutableMapping[str, Any], *, completes: bool) -> Outcome | None:
    """Remove the outcome from the arguments, and return it.

    Raises `ApiError` when a request that completes nothing gives one.
    """
    given = {name for name in ("outcome_code", "outcome_note") if name in arguments}
    code, note = arguments.pop("outcome_code", None), arguments.pop("outcome_note", None)
    if not given:
        return None
    if not completes:
        raise ApiError(
            "OutcomeCode and OutcomeNote are stored when a task is completed; send them with the"
            " status completed"
        )
    return Outcome(code=code, note=note)


class OutcomeCodeListOperation(ListOperation[models.OutcomeCode]):
    """The outcome codes of a workspace."""

    order = (keysets.Clause("position"), keysets.Clause("id"))
    params = (
        parameters.friendly_name(required=True).describe(_NAME, "Resolved"),
        parameters.text("UniqueName", required=True).describe(
            "The name in requests and statistics: letters, digits, `_` and `$`, no digit first;"
            " kept in lower case.",
            "resolved",
            minLength=1,
            maxLength=NAME_LIMIT,
            pattern="^[A-Za-z_$][A-Za-z0-9_$]*$",
        ),
        *_WRITABLE,
    )
    filters = (parameters.boolean("Active").describe("Only those that are, or are not, active."),)

    def rows(self) -> QuerySet[models.OutcomeCode]:
        return self.workspace.outcome_codes.all()

    def filter_rows(
        self, rows: QuerySet[models.OutcomeCode], arguments: Arguments
    ) -> QuerySet[models.OutcomeCode]:
        return rows.filter(references.filter_condition(arguments, {"active": "active"}))

    def create(self, arguments: Arguments) -> models.OutcomeCode:
        return outcome_codes.create_outcome_code(
            workspace=self.workspace, actor=self.actor, now=self.now, **arguments
        )


class OutcomeCodeInstanceOperation(InstanceOperation[models.OutcomeCode]):
    """One outcome code."""

    params = (parameters.friendly_name().describe(_NAME, "Solved"), *_WRITABLE)

    def find(self) -> models.OutcomeCode:
        return self.first_row(self.workspace.outcome_codes.filter(sid=self.sid("sid", "OC")))

    def update(self, row: models.OutcomeCode, arguments: dict[str, Any]) -> models.OutcomeCode:
        return outcome_codes.update_outcome_code(
            code=row, actor=self.actor, now=self.now, **arguments
        )

    def remove(self, row: models.OutcomeCode) -> None:
        outcome_codes.delete_outcome_code(code=row, actor=self.actor, now=self.now)
