"""Compare a row before and after a change, for the field `changes` of its event."""

from __future__ import annotations

from typing import Any, TypeVar

from routing.actions.support import locking
from routing.fields.shapes import Answer, RowShape
from routing.models.base import Dated

Row = TypeVar("Row", bound=Dated)


def read_values(shape: RowShape[Row], row: Row) -> Answer:
    """Return the values that a locked row has in the database, whatever its copy says."""
    return shape.values(locking.reread(row))


def without(values: Answer, *names: str) -> dict[str, Any]:
    """Return values without some, which an event of their own records."""
    return {name: value for name, value in values.items() if name not in names}
