"""Ask for the one thing of a workspace that a sid or a unique name stands for."""

from __future__ import annotations

from typing import TypeVar

from django.db import models as db

from routing.models.prepared import Prepared

Row = TypeVar("Row", bound=db.Model)


def by(model: type[Row], column: str = "sid", *related: str) -> Prepared[Row]:
    """Return the question for the row of a workspace's id that has a value in a column.

    Arguments:
        related: what the row refers to and is to come with it.
    """

    def rows(workspace: int, value: str) -> db.QuerySet[Row]:
        found = model._default_manager.filter(workspace_id=workspace, **{column: value})
        return found.select_related(*related) if related else found

    return Prepared(rows, 0, "")
