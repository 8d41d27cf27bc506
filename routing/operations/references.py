"""Refer to rows of a workspace: queries by sid or name, and the parameters that name a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.db import models as db
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from routing import sids
from routing.db.compiled import CompiledQuery
from routing.db.guarded import GuardedQuery
from routing.fields.schemas import sid_pattern
from routing.operations.parameters import Param, ParamContext, argument_name

Row = TypeVar("Row", bound=db.Model)


def compile_lookup(model: type[Row], column: str = "sid", *related: str) -> CompiledQuery[Row]:
    """Return the compiled query for a workspace's row with a value in a column.

    Arguments:
        related: the relations to load with the row.
    """
    return CompiledQuery(_lookup(model, column, *related))


def _lookup(model: type[Row], column: str, *related: str) -> Callable[[Any, Any], db.QuerySet[Row]]:
    def rows(workspace: Any, value: Any) -> db.QuerySet[Row]:
        found = model._default_manager.filter(workspace_id=workspace, **{column: value})
        return found.select_related(*related) if related else found

    return rows


def name_condition(name: str, *, column: str = "friendly_name") -> Q:
    """Return the condition for a name, compared as the unique constraint compares names.

    Surrounding space is ignored, and so is case. The database folds both sides, so that it can use
    the constraint's index.
    """
    return Q(Exact(Lower(column), Lower(Value(name.strip()))))


def filter_condition(given: Mapping[str, Any], columns: Mapping[str, str]) -> Q:
    """Return the condition of the given filters, each on its column.

    A column that ends in `friendly_name` holds names.
    """
    found = Q()
    for argument, column in columns.items():
        if argument not in given:
            continue
        if column.endswith("friendly_name"):
            found &= name_condition(given[argument], column=column)
        else:
            found &= Q(**{column: given[argument]})
    return found


def sid(name: str, *prefixes: str) -> Param:
    """Return a parameter for a well-formed sid, whether or not the row exists."""

    def convert(value: str, place: ParamContext) -> str:
        if not any(sids.is_valid(value, prefix) for prefix in prefixes):
            place.refuse(value, _sid_wanted(prefixes))
        return value

    return Param(name, argument_name(name), convert, schema=sid_schema(*prefixes))


def reference(
    name: str,
    model: type[db.Model],
    prefix: str,
    *,
    argument: str,
    required: bool = False,
    clearable: bool = False,
    by: str = "",
) -> Param:
    """Return a parameter for the sid of a row in the request's workspace; it gives the row.

    Arguments:
        clearable: an empty value gives None.
        by: a further column that may identify the row; its values are in lower case.
    """
    noun = sids.PREFIXES[prefix]
    queries: dict[str, GuardedQuery[Any]] = {
        column: GuardedQuery(_lookup(model, column)) for column in ("sid", by) if column
    }

    def convert(value: str, place: ParamContext) -> Any:
        if clearable and not value:
            return None
        if sids.is_valid(value, prefix):
            column, named = "sid", value
        elif by:
            column, named = by, value.lower()
        else:
            place.refuse(value, _sid_wanted([prefix]))
        assert place.workspace is not None
        found = next(iter(queries[column](place.workspace.pk, named)), None)
        if found is None:
            place.refuse(value, f"there is no such {noun} in this workspace")
        found.workspace = place.workspace
        return found

    schema = {"type": "string"} if by else sid_schema(prefix, empty=clearable)
    return Param(name, argument, convert, required, schema=schema)


def sid_schema(*prefixes: str, empty: bool = False) -> dict[str, Any]:
    """Return the JSON schema of a sid.

    Arguments:
        empty: an empty text is allowed too.
    """
    pattern = sid_pattern(*prefixes)
    return {"type": "string", "pattern": f"^(?:{pattern[1:-1]})?$" if empty else pattern}


def _sid_wanted(prefixes: Iterable[str]) -> str:
    kinds = [f"{_with_article(sids.PREFIXES[prefix])}'s sid ({prefix}…)" for prefix in prefixes]
    return f"it must be {' or '.join(kinds)}: two letters and 32 hexadecimal digits"


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
