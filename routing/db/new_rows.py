"""Make new rows of models whose values are all known, in a tenth of the time."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)


def build_row(
    model: type[Row],
    values: Mapping[str, Any],
    related: Mapping[str, models.Model | None] | None = None,
) -> Row:
    """Return a new row, not yet stored. Its fields are not set one by one, and no signal is sent.

    Arguments:
        values: by attribute name (`task_id`, not `task`); other columns get their defaults.
        related: stored rows that it refers to, by field name.
    """
    row = model.__new__(model)
    own = row.__dict__
    own.update(_list_defaults(model))
    own.update(values)
    state = row._state = ModelState()
    if related:
        state.fields_cache = dict(related)
        for name, other in related.items():
            own[f"{name}_id"] = None if other is None else other.pk
    return row


@functools.cache
def _list_defaults(model: type[models.Model]) -> Mapping[str, Any]:
    """Return the defaults of a model's columns; none of them may be a function."""
    fields = model._meta.concrete_fields
    assert not any(callable(field.default) for field in fields if field.has_default())
    return {field.attname: field.get_default() for field in fields}
