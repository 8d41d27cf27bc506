"""Page through long tables without counting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

if TYPE_CHECKING:
    Base = Paginator[Any]
else:
    Base = Paginator

REACH = 2000
"""The number of newest rows that a history list shows; older ones are found by sid."""


class BoundedPaginator(Base):
    """A paginator limited to the newest rows, so that no page counts millions."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, up to the limit."""
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows[:REACH].count()
