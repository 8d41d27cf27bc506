"""Read the parameters that select a page, and write the body of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest

from routing.operations import parameters
from routing.operations.errors import ApiError
from routing.operations.forms import Form
from routing.operations.keysets import Order, Token
from routing.operations.pagination import Page, PageRequest, decode_token, encode_token

MAX_PAGE_SIZE: Final = 1_000
DEFAULT_PAGE_SIZE: Final = 50

PARAMS: Final = (
    parameters.whole_number("PageSize").describe(
        f"The number of items on a page; values above {MAX_PAGE_SIZE} count as {MAX_PAGE_SIZE}.",
        DEFAULT_PAGE_SIZE,
        minimum=1,
        maximum=MAX_PAGE_SIZE,
        default=DEFAULT_PAGE_SIZE,
    ),
    parameters.whole_number("Page").describe(
        "The page's number, for display only; above 0 only together with PageToken.",
        minimum=0,
        default=0,
    ),
    parameters.text("PageToken").describe(
        "The start of the page, taken from `next_page_url` or `previous_page_url`."
    ),
)
_OWN: Final = frozenset(param.name for param in PARAMS)


def read_page_request(form: Form, order: Order) -> PageRequest:
    """Read the page that a request asks for."""
    given = parameters.read_arguments(PARAMS, form)
    size, number = given.get("page_size", DEFAULT_PAGE_SIZE), given.get("page", 0)
    if size < 1:
        raise ApiError(f"PageSize is {size}; it must be a whole number from 1 to {MAX_PAGE_SIZE}")
    if number < 0:
        raise ApiError(f"Page is {number}; it must be a whole number from 0 on")
    token = given.get("page_token")
    if number and token is None:
        raise ApiError(
            f"Page is {number} without a PageToken; pages cannot be addressed by number: follow"
            " next_page_url",
            code=40153,
        )
    return PageRequest(
        size=min(size, MAX_PAGE_SIZE),
        number=number,
        token=None if token is None else decode_token(token, order),
    )


def page_body(
    request: HttpRequest,
    form: Form,
    *,
    key: str,
    items: Sequence[dict[str, Any]],
    wanted: PageRequest,
    page: Page[Any],
    order: Order,
) -> dict[str, Any]:
    """Return the body of a list: its items and the links to other pages."""
    kept = [(name, value) for name, values in form.items() if name not in _OWN for value in values]

    def url(number: int, token: Token | None) -> str:
        query = [*kept, ("PageSize", wanted.size), ("Page", number)]
        if token is not None:
            query.append(("PageToken", encode_token(token, order)))
        return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")

    before, after = page.before, page.after
    return {
        key: items,
        "meta": {
            "key": key,
            "page": wanted.number,
            "page_size": wanted.size,
            "first_page_url": url(0, None),
            "previous_page_url": before and url(max(wanted.number - 1, 0), before),
            "url": url(wanted.number, wanted.token),
            "next_page_url": after and url(wanted.number + 1, after),
        },
    }
