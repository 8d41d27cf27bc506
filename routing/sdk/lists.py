"""Page lists for the SDK, which continues after a sid, or by a token if it chose the order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from django.db import models as db
from django.db.models import QuerySet

from routing.operations import keysets, pagination, parameters
from routing.operations.base import ListOperation
from routing.operations.errors import ApiError
from routing.operations.forms import Form
from routing.sdk.payloads import Payload

Row = TypeVar("Row", bound=db.Model)

LARGEST_PAGE: Final = 1_000
_PARAMS: Final = (
    parameters.whole_number("PageSize", least=1, most=LARGEST_PAGE),
    parameters.text("AfterSid"),
    parameters.text("NextToken"),
)


def page(operation: ListOperation[Row], form: Form, represent: Callable[[Row], Payload]) -> Payload:
    """Return the page of a list that a request asks for."""
    with operation.open_query(form) as query:
        arguments = parameters.read_arguments(_PARAMS, form)
        order = query.order
        # A row may have left the selected ones since the SDK read it.
        token = _token(query.rows, arguments, order)
        size = arguments.get("page_size", LARGEST_PAGE)
        found = query.load_page(pagination.PageRequest(size=size, number=0, token=token))
    meta: Payload = {"list_key": "contents"}
    after = None
    if found.after is not None:
        after = pagination.encode_token(found.after, order)
        if query.is_ordered:
            meta["next_token"] = after
        elif found.rows and keysets.sort_key(found.rows[-1], order) == found.after.key:
            after = _sid(found.rows)
    return {
        "contents": [represent(row) for row in found.rows],
        "after_sid": after,
        "before_sid": None,
        "meta": meta,
    }


def _token(
    rows: QuerySet[Row], arguments: dict[str, Any], order: keysets.Order
) -> keysets.Token | None:
    """Return the start of the page: after a row, or at one of our tokens."""
    if "next_token" in arguments:
        return pagination.decode_token(arguments["next_token"], order)
    after = arguments.get("after_sid")
    if after is None:
        return None
    if after.startswith("PA"):
        return pagination.decode_token(after, order)
    for row in rows.filter(sid=after):
        return keysets.Token(keysets.sort_key(row, order))
    raise ApiError(f"AfterSid is {after[:60]!r}, which is not in this list")


def _sid(rows: Sequence[Any]) -> str:
    sid: str = rows[-1].sid
    return sid
