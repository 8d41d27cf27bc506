"""Queries for a workspace's rows by sid, unique name or friendly name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models as db
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from routing.db.compiled import CompiledQuery

Row = TypeVar("Row", bound=db.Model)


def by(model: type[Row], column: str = "sid", *related: str) -> CompiledQuery[Row]:
    """Return the compiled query for a workspace's row with a value in a column.

    Arguments:
        related: the relations to load with the row.
    """

    def rows(workspace: Any, value: Any) -> db.QuerySet[Row]:
        found = model._default_manager.filter(workspace_id=workspace, **{column: value})
        return found.select_related(*related) if related else found

    return CompiledQuery(rows)


def has_name(name: str, *, column: str = "friendly_name") -> Q:
    """Return the condition for a name, compared as the unique constraint compares names.

    Surrounding space is ignored, and so is case. The database folds both sides, so that it can use
    the constraint's index.
    """
    return Q(Exact(Lower(column), Lower(Value(name.strip()))))


def conditions(given: Mapping[str, Any], columns: Mapping[str, str]) -> Q:
    """Return the condition of the given filters, each on its column.

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
