"""Page lists for the SDK, which continues after a sid, or by a token if it chose the order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from django.db import models as db
from django.db.models import QuerySet

from routing.api import inputs, pagination, scans
from routing.api.base import ListResource
from routing.api.errors import ApiError
from routing.api.parsers import Form
from routing.sdk.payloads import Payload

Row = TypeVar("Row", bound=db.Model)

LARGEST_PAGE: Final = 1_000
_PARAMS: Final = (
    inputs.whole("PageSize", least=1, most=LARGEST_PAGE),
    inputs.text("AfterSid"),
    inputs.text("NextToken"),
)


def page_of(
    resource: ListResource[Any], form: Form, represent: Callable[[Any], Payload]
) -> Payload:
    """Return a page of a list of the API, with its filters and orders."""
    with scans.turn(resource.caller.account.sid, resource.scanned_by(form)):
        given = inputs.read(resource.filters, form, workspace=resource.workspace)
        ordered = "ordering" in given
        order = resource.ordered(given)
        accept = resource.accept(given)
        known = resource.rows()
        rows = resource.narrow(known, given)
        return page(rows, form, represent, order=order, ordered=ordered, accept=accept, known=known)


def page(
    rows: QuerySet[Row],
    form: Form,
    represent: Callable[[Row], Payload],
    *,
    order: pagination.Order = pagination.OLDEST_FIRST,
    ordered: bool = False,
    accept: pagination.Accept | None = None,
    known: QuerySet[Row] | None = None,
) -> Payload:
    """Return the page of these rows that a request asks for.

    Arguments:
        known: the rows in which `after_sid` is looked up, as a row may have left the list since;
            defaults to `rows`.
        ordered: whether the SDK chose the order, and so continues by `next_token`.
    """
    given = inputs.read(_PARAMS, form)
    size = given.get("page_size", LARGEST_PAGE)
    token = _token(rows if known is None else known, given, order)
    wanted = pagination.Wanted(size=size, number=0, token=token)
    found = pagination.page(rows, wanted, order, accept=accept)
    meta: Payload = {"list_key": "contents"}
    after = None
    if found.after is not None:
        after = pagination.encode(found.after, order)
        if ordered:
            meta["next_token"] = after
        elif found.rows and pagination.key_of(found.rows[-1], order) == found.after.key:
            after = _sid(found.rows)
    return {
        "contents": [represent(row) for row in found.rows],
        "after_sid": after,
        "before_sid": None,
        "meta": meta,
    }


def _token(
    rows: QuerySet[Row], given: dict[str, Any], order: pagination.Order
) -> pagination.Token | None:
    """Return the start of the page: after a row, or at one of our tokens."""
    if "next_token" in given:
        return pagination.decode(given["next_token"], order)
    after = given.get("after_sid")
    if after is None:
        return None
    if after.startswith("PA"):
        return pagination.decode(after, order)
    for row in rows.filter(sid=after):
        return pagination.Token(pagination.key_of(row, order))
    raise ApiError(f"AfterSid is {after[:60]!r}, which is not in this list")


def _sid(rows: Sequence[Any]) -> str:
    sid: str = rows[-1].sid
    return sid
