"""Base views for list and instance resources.

A resource declares its parameters, its rows, their representation and the action that makes a
change. This module does the rest. Only actions change rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Final, Generic, NoReturn, TypeVar, cast

from django.db import models as db
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from routing import models, sids
from routing.actors import Actor
from routing.api import (
    errors,
    idempotency,
    inputs,
    pagination,
    parsers,
    rate_limits,
    scans,
    versions,
)
from routing.api.authentication import BasicAuthentication, Caller
from routing.api.negotiation import AlwaysJson
from routing.db.compiled import CompiledQuery
from routing.fields.shapes import Shape

Row = TypeVar("Row", bound=db.Model)
Given = Mapping[str, Any]
"""Arguments read from a form, by the names of the actions' parameters."""

_WORKSPACE: Final = CompiledQuery(
    lambda account, sid: models.Workspace.objects.filter(account_id=account, sid=sid)
)
_UNIQUE_NAME: Final = re.compile(r"[A-Za-z0-9_$]{1,64}")
READ_ONLY: Final = ["get", "head"]
NO_DELETE: Final = ["get", "head", "post"]
POST_ONLY: Final = ["post"]


class Resource(APIView):
    """Base view of every path: the caller, the workspace, the form and the time of the request."""

    authentication_classes = [BasicAuthentication]
    permission_classes = []
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]
    http_method_names = ["get", "head", "post", "delete"]

    taken: rate_limits.Taken | None = None
    params: ClassVar[tuple[inputs.Param, ...]] = ()
    shape: ClassVar[Shape]
    """What one row looks like in an answer."""
    beside: ClassVar[Shape | None] = None
    """What stands beside the list on a page, if anything."""
    created: ClassVar[int] = 200
    """The status of a POST that succeeds."""
    about: ClassVar[Mapping[str, str]]
    """By method, a summary line and an optional description."""
    extra: ClassVar[tuple[inputs.Param, ...]] = ()
    """Parameters of the form that only some requests use."""
    json_params: ClassVar[tuple[inputs.Param, ...]] = ()
    """The parameters of a JSON body, where JSON is read as well as forms."""
    repeatable: ClassVar[bool] = False
    """Whether a POST takes an idempotency key."""
    sealed: ClassVar[bool] = False
    """Whether the answer to a POST contains a secret and is stored sealed."""
    refusals: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """By method, the error statuses beyond those that every method can return."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer the request. OPTIONS needs no credentials, as browsers send none with it."""
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})
        return super().dispatch(request, *args, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        """Return the methods that this path allows."""
        return [*super().allowed_methods, "OPTIONS"]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse the method and list the allowed ones."""
        known = ", ".join(self.allowed_methods)
        raise errors.ApiError(
            f"{request.method} is not possible on {request.path}; possible are {known}",
            status=405,
            code=20004,
            headers={"Allow": known},
        )

    def check_throttles(self, request: Request) -> None:
        """Count the request against its account's limit, if there is one."""
        self.taken = rate_limits.take(self.caller.account.sid, now=self.now.timestamp())
        if self.taken is not None:
            self.taken.insist()

    def handle_exception(self, exc: Exception) -> Any:
        """Return the error body."""
        return errors.answer(
            self.request._request,
            exc,
            conditional=bool(self.request.META.get("HTTP_IF_MATCH")),
        )

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Forbid caches to store the answer, as it depends on the caller."""
        response.headers.setdefault("Cache-Control", "no-store")
        if self.taken is not None:
            for name, value in self.taken.headers.items():
                response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def caller(self) -> Caller:
        """Return the authenticated caller."""
        return cast(Caller, self.request.user)

    @property
    def actor(self) -> Actor:
        """Return the actor that changes are recorded under."""
        return self.caller.actor

    @cached_property
    def now(self) -> datetime:
        """Return the time of this request."""
        return timezone.now()

    @cached_property
    def base(self) -> str:
        """Return the URL of the API as the client reaches it."""
        return self.request.build_absolute_uri("/v1")

    @cached_property
    def workspace(self) -> models.Workspace:
        """Return the workspace in the path, if it belongs to the caller."""
        account = self.caller.account
        for row in _WORKSPACE(account.pk, self.sid("workspace_sid", "WS")):
            row.account = account
            return row
        raise errors.NotFound(self.request.path)

    def workspaces(self) -> QuerySet[models.Workspace]:
        """Return the caller's workspaces."""
        return self.caller.account.workspaces.all()

    def sid(self, part: str, prefix: str) -> str:
        """Return a sid of the path, or raise `NotFound` if it is malformed."""
        value = str(self.kwargs[part])
        if not sids.is_valid(value, prefix):
            raise errors.NotFound(self.request.path)
        return value

    def unique_name(self, part: str) -> str:
        """Return a unique name of the path, or raise `NotFound` if it is malformed."""
        value = str(self.kwargs[part])
        if not _UNIQUE_NAME.fullmatch(value):
            raise errors.NotFound(self.request.path)
        return value.lower()

    def one(self, rows: Iterable[Row]) -> Row:
        """Return the first of these rows, or raise `NotFound` if there is none."""
        for row in rows:
            return row
        raise errors.NotFound(self.request.path)

    def here(self, question: CompiledQuery[Row], *names: str) -> Row:
        """Return the workspace's row with these names, or raise `NotFound`; see `lookups.by`."""
        row: Any = self.one(question(self.workspace.pk, *names))
        row.workspace = self.workspace
        return cast(Row, row)

    @cached_property
    def form(self) -> parsers.Form:
        """Return the request's form."""
        return parsers.read_body(self.request._request)

    def given(self) -> dict[str, Any]:
        """Return the arguments in the request's form."""
        workspace = self.workspace if "workspace_sid" in self.kwargs else None
        return inputs.read(self.params, self.form, workspace=workspace)

    def represent(self, row: Any) -> dict[str, Any]:
        """Return the representation of a row."""
        raise NotImplementedError

    def represent_one(self, row: Any) -> dict[str, Any]:
        """Return the representation of a row that is the whole answer."""
        return self.represent(row)

    def answer(self, row: Any, *, status: int = 200) -> Response:
        """Return a row as a response, with an ETag if it has a version."""
        headers = {"ETag": f'"{row.version}"'} if hasattr(row, "version") else None
        return Response(self.represent_one(row), status=status, headers=headers)


class ListResource(Resource, Generic[Row]):
    """List view: return pages of rows, and create a row if the resource allows it."""

    key: ClassVar[str]
    created = 201
    repeatable = True
    filters: ClassVar[tuple[inputs.Param, ...]] = ()
    scanning: ClassVar[tuple[str, ...]] = ()
    """Those filters that must be evaluated in Python."""
    order: ClassVar[pagination.Order] = pagination.OLDEST_FIRST
    indexed: ClassVar[tuple[pagination.Order, ...]] = ()  # further orders that have an index

    def scanned_by(self, form: parsers.Form) -> bool:
        """Return whether a query has a filter that must be evaluated in Python."""
        return any(name in form for name in self.scanning)

    def rows(self) -> QuerySet[Row]:
        """Return all rows that the list may show, with the relations that it shows."""
        raise NotImplementedError

    def narrow(self, rows: QuerySet[Row], given: Given) -> QuerySet[Row]:
        """Return the rows that match the filters."""
        return rows

    def accept(self, given: Given) -> pagination.Accept | None:
        """Return the filter that must be evaluated in Python, if any."""
        return None

    def ordered(self, given: dict[str, Any]) -> pagination.Order:
        """Return the order, and remove it from the query's arguments."""
        return cast(pagination.Order, given.pop("ordering", self.order))

    def represent_page(self, rows: Sequence[Row], given: Given) -> list[dict[str, Any]]:
        """Return the representations of a page's rows."""
        return [self.represent(row) for row in rows]

    def create(self, given: Given) -> Row:
        """Create a row."""
        raise NotImplementedError

    def get(self, request: Request, **kwargs: str) -> Response:
        """Return one page."""
        form = parsers.read_query(request._request)
        rows = self.rows()
        with scans.turn(self.caller.account.sid, self.scanned_by(form)):
            given = inputs.read(self.filters, form, workspace=self.__dict__.get("workspace"))
            order = self.ordered(given)
            wanted = pagination.wanted(form, order)
            indexed = order in (self.order, *self.indexed)
            page = pagination.page(
                self.narrow(rows, given), wanted, order, indexed=indexed, accept=self.accept(given)
            )
        body = pagination.envelope(
            request._request,
            form,
            key=self.key,
            items=self.represent_page(page.rows, given),
            wanted=wanted,
            page=page,
            order=order,
        )
        return Response(body, headers=versions.of_page(page.rows))

    def post(self, request: Request, **kwargs: str) -> Response:
        """Create a row."""
        self.parents()
        return idempotency.once(
            self, lambda: self.answer(self.create(self.given()), status=self.created)
        )

    def parents(self) -> None:
        """Check the parents in the path, so that a wrong path is reported before a wrong form."""
        if "workspace_sid" in self.kwargs:
            _ = self.workspace


class InstanceResource(Resource, Generic[Row]):
    """Instance view: return, change and delete one row."""

    def find(self) -> Row:
        """Return the row that the path names."""
        raise NotImplementedError

    def update(self, row: Row, given: dict[str, Any]) -> Row:
        """Change the row; `given` is not empty."""
        raise NotImplementedError

    def remove(self, row: Row) -> None:
        """Delete the row."""
        raise NotImplementedError

    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the row."""
        return self.answer(self.find())

    def post(self, request: Request, **kwargs: str) -> Response:
        """Change the row; an empty form changes nothing."""
        row = self.find()
        given = self.given()
        if not given:
            self.if_version(row)
            return self.answer(row)
        return self.answer(self.update(row, given))

    def delete(self, request: Request, **kwargs: str) -> Response:
        """Delete the row."""
        self.remove(self.find())
        return Response(status=204)

    def if_version(self, row: Any) -> int | None:
        """Return the version that a change requires, if the client named one.

        Raises `StaleState` if the row has none of the named versions.
        """
        return versions.expected(row, self.request.META.get("HTTP_IF_MATCH", ""))
