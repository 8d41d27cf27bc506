"""Outcome codes: how a completed task ended, in the words of the workspace."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from routing.models.base import Dated, sid_field, unique_sid


class OutcomeCode(Dated):
    """One possible outcome of a task; reservations store its unique name, not a reference."""

    sid = sid_field()
    workspace = models.ForeignKey(
        "routing.Workspace", on_delete=models.CASCADE, related_name="outcome_codes"
    )
    unique_name = models.CharField(
        max_length=64,
        help_text=(
            "The name in the API and in statistics. Lower-case letters, digits, _ and $, no digit "
            "first. It cannot be changed later."
        ),
    )
    friendly_name = models.CharField(max_length=64, help_text="The name that agents read.")
    active = models.BooleanField(
        default=True, help_text="Whether agents may choose it. Old outcomes keep it either way."
    )
    position = models.PositiveIntegerField(
        default=0, help_text="The place in the list that agents see: the smallest first."
    )

    class Meta:
        db_table = "outcome_codes"
        constraints = [
            unique_sid("outcome_codes"),
            models.UniqueConstraint(fields=["workspace", "unique_name"], name="outcome_codes_name"),
            models.UniqueConstraint(
                "workspace", Lower("friendly_name"), name="outcome_codes_friendly_name"
            ),
        ]

    def __str__(self) -> str:
        return self.friendly_name
