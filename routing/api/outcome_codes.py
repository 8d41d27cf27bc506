"""Views for outcome codes."""

from __future__ import annotations

from typing import Any

from routing import models
from routing.api.base import InstanceView, ListView, ResourceView
from routing.fields.workspaces import OUTCOME_CODE
from routing.operations.outcome_codes import (
    OutcomeCodeInstanceOperation,
    OutcomeCodeListOperation,
)


class _OutcomeCodes(ResourceView):
    shape = OUTCOME_CODE

    def represent(self, row: models.OutcomeCode) -> dict[str, Any]:
        return OUTCOME_CODE.represent(row, base=self.base)


class OutcomeCodeList(_OutcomeCodes, ListView):
    """The outcome codes of a workspace."""

    operation_class = OutcomeCodeListOperation
    key = "outcome_codes"
    about = {
        "get": "List outcome codes\n\nIn the order in which agents see them.",
        "post": "Create an outcome code\n\nA workspace has at most 100. Which queues ask for an"
        " outcome is a setting of each queue, OutcomePolicy.",
    }


class OutcomeCodeInstance(_OutcomeCodes, InstanceView):
    """One outcome code."""

    operation_class = OutcomeCodeInstanceOperation
    about = {
        "get": "Fetch an outcome code",
        "post": "Change an outcome code\n\nIts unique name cannot be changed.",
        "delete": "Delete an outcome code\n\nCompleted reservations and statistics keep its unique"
        " name.",
    }
