"""Find things of a workspace by sid, by unique name, or by the name that people call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models as db
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

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


def has_name(name: str, *, column: str = "friendly_name") -> Q:
    """Return the condition of having this name, compared as uniqueness compares names.

    Space around a name is no part of it, and upper and lower case are alike. The database folds
    both sides, so that the index of the unique constraint answers.
    """
    return Q(Exact(Lower(column), Lower(Value(name.strip()))))


def conditions(given: Mapping[str, Any], columns: Mapping[str, str]) -> Q:
    """Return the condition that the given filters set, each on its column.

    A column that ends in `friendly_name` holds names.
    """
    found = Q()
    for argument, column in columns.items():
        if argument not in given:
            continue
        if column.endswith("friendly_name"):
            found &= has_name(given[argument], column=column)
        else:
            found &= Q(**{column: given[argument]})
    return found
