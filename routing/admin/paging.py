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
"""How many rows a list of history goes back; older ones are found by their sid."""


class BoundedPaginator(Base):
    """A paginator that looks at the newest rows only, so that no page counts millions."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, up to the reach."""
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows[:REACH].count()
