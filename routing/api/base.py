"""Be the two shapes of every resource: a list that can be added to, and one thing of it.

A resource says which parameters it takes, how to find its rows, how they look, and which action
carries out a change; all else is here. Only actions change rows.
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
from routing.api.schemas import Shape
from routing.models.prepared import Prepared

Row = TypeVar("Row", bound=db.Model)
Given = Mapping[str, Any]
"""Arguments read from a form, by the names that actions know them by."""

_WORKSPACE: Final = Prepared(
    lambda account, sid: models.Workspace.objects.filter(account_id=account, sid=sid), 0, "WS"
)
_UNIQUE_NAME: Final = re.compile(r"[A-Za-z0-9_$]{1,64}")
READ_ONLY: Final = ["get", "head"]
NO_DELETE: Final = ["get", "head", "post"]
POST_ONLY: Final = ["post"]


class Resource(APIView):
    """What every path of the API has: a caller, a workspace of theirs, a form, a clock."""

    authentication_classes = [BasicAuthentication]
    permission_classes = []
    content_negotiation_class = AlwaysJson
    renderer_classes = [JSONRenderer]
    http_method_names = ["get", "head", "post", "delete"]

    taken: rate_limits.Taken | None = None
    params: ClassVar[tuple[inputs.Param, ...]] = ()
    shape: ClassVar[Shape]
    """What one thing of it looks like in an answer."""
    beside: ClassVar[Shape | None] = None
    """What stands beside the list of a page, where there is anything."""
    created: ClassVar[int] = 200
    """The status of a POST that succeeds."""
    about: ClassVar[Mapping[str, str]]
    """What each method does: a line that names it, and what else there is to know."""
    extra: ClassVar[tuple[inputs.Param, ...]] = ()
    """Parameters of the form that only some requests read."""
    json_params: ClassVar[tuple[inputs.Param, ...]] = ()
    """Parameters as a body of JSON may name them, where one is read beside forms."""
    repeatable: ClassVar[bool] = False
    """Whether a POST takes an idempotency key."""
    sealed: ClassVar[bool] = False
    """Whether the answer to a POST is a secret, which is stored sealed."""
    refusals: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """The statuses of errors that a method answers with beside those that all do."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer; OPTIONS to anybody, as browsers ask without credentials what is possible."""
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})
        return super().dispatch(request, *args, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        """Return the methods that are possible here."""
        return [*super().allowed_methods, "OPTIONS"]

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Say which methods are possible."""
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
        """Answer with the one error body."""
        return errors.answer(
            self.request._request,
            exc,
            conditional=bool(self.request.META.get("HTTP_IF_MATCH")),
        )

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Let nobody keep an answer that depends on who asked."""
        response.headers.setdefault("Cache-Control", "no-store")
        if self.taken is not None:
            for name, value in self.taken.headers.items():
                response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def caller(self) -> Caller:
        """Return who calls."""
        return cast(Caller, self.request.user)

    @property
    def actor(self) -> Actor:
        """Return in whose name rows are changed."""
        return self.caller.actor

    @cached_property
    def now(self) -> datetime:
        """Return the moment at which this request happens."""
        return timezone.now()

    @cached_property
    def base(self) -> str:
        """Return the URL of the API as the client reaches it."""
        return self.request.build_absolute_uri("/v1")

    @cached_property
    def workspace(self) -> models.Workspace:
        """Return the workspace that the path names, if it is the caller's."""
        account = self.caller.account
        for row in _WORKSPACE(account.pk, self.sid("workspace_sid", "WS")):
            row.account = account
            return row
        raise errors.NotFound(self.request.path)

    def workspaces(self) -> QuerySet[models.Workspace]:
        """Return the caller's workspaces."""
        return self.caller.account.workspaces.all()

    def sid(self, part: str, prefix: str) -> str:
        """Return a sid of the path; a malformed one names nothing."""
        value = str(self.kwargs[part])
        if not sids.is_valid(value, prefix):
            raise errors.NotFound(self.request.path)
        return value

    def unique_name(self, part: str) -> str:
        """Return a unique name of the path; what cannot be one names nothing."""
        value = str(self.kwargs[part])
        if not _UNIQUE_NAME.fullmatch(value):
            raise errors.NotFound(self.request.path)
        return value.lower()

    def one(self, rows: Iterable[Row]) -> Row:
        """Return the only row that was looked for; whatever is not there is not found."""
        for row in rows:
            return row
        raise errors.NotFound(self.request.path)

    def here(self, question: Prepared[Row], *names: str) -> Row:
        """Return the only row of the workspace that these names stand for; see `lookups.by`."""
        row: Any = self.one(question(self.workspace.pk, *names))
        row.workspace = self.workspace
        return cast(Row, row)

    @cached_property
    def form(self) -> parsers.Form:
        """Return the request's form."""
        return parsers.read_body(self.request._request)

    def given(self) -> dict[str, Any]:
        """Return the arguments that the request's form gives."""
        workspace = self.workspace if "workspace_sid" in self.kwargs else None
        return inputs.read(self.params, self.form, workspace=workspace)

    def represent(self, row: Any) -> dict[str, Any]:
        """Return how a row looks."""
        raise NotImplementedError

    def represent_one(self, row: Any) -> dict[str, Any]:
        """Return how a row looks when it is the whole answer."""
        return self.represent(row)

    def answer(self, row: Any, *, status: int = 200) -> Response:
        """Return a row as a response, with its version where it has one."""
        headers = {"ETag": f'"{row.version}"'} if hasattr(row, "version") else None
        return Response(self.represent_one(row), status=status, headers=headers)


class ListResource(Resource, Generic[Row]):
    """Many of a noun: read in pages, and added to where the noun is created by request."""

    key: ClassVar[str]
    created = 201
    repeatable = True
    filters: ClassVar[tuple[inputs.Param, ...]] = ()
    scanning: ClassVar[tuple[str, ...]] = ()
    """The filters among these that only Python can ask."""
    order: ClassVar[pagination.Order] = pagination.OLDEST_FIRST
    indexed: ClassVar[tuple[pagination.Order, ...]] = ()  # further orders that have an index

    def scanned_by(self, form: parsers.Form) -> bool:
        """Return whether a query has a filter for which rows are looked through."""
        return any(name in form for name in self.scanning)

    def rows(self) -> QuerySet[Row]:
        """Return everything that the list could show, with what showing it needs."""
        raise NotImplementedError

    def narrow(self, rows: QuerySet[Row], given: Given) -> QuerySet[Row]:
        """Keep what the filters take."""
        return rows

    def accept(self, given: Given) -> pagination.Accept | None:
        """Return the filter that only Python can ask, if there is one."""
        return None

    def ordered(self, given: dict[str, Any]) -> pagination.Order:
        """Take the order out of what the query gives."""
        return cast(pagination.Order, given.pop("ordering", self.order))

    def represent_page(self, rows: Sequence[Row], given: Given) -> list[dict[str, Any]]:
        """Return how the rows of a page look."""
        return [self.represent(row) for row in rows]

    def create(self, given: Given) -> Row:
        """Carry out a creation."""
        raise NotImplementedError

    def get(self, request: Request, **kwargs: str) -> Response:
        """Answer with one page."""
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
        """Create one more."""
        self.parents()
        return idempotency.once(
            self, lambda: self.answer(self.create(self.given()), status=self.created)
        )

    def parents(self) -> None:
        """Find what the path leads through, so that a wrong path is told before a wrong form."""
        if "workspace_sid" in self.kwargs:
            _ = self.workspace


class InstanceResource(Resource, Generic[Row]):
    """One of a noun: read, changed and deleted."""

    def find(self) -> Row:
        """Return the row that the path names."""
        raise NotImplementedError

    def update(self, row: Row, given: dict[str, Any]) -> Row:
        """Carry out a change; `given` is not empty."""
        raise NotImplementedError

    def remove(self, row: Row) -> None:
        """Carry out a deletion."""
        raise NotImplementedError

    def get(self, request: Request, **kwargs: str) -> Response:
        """Answer with it."""
        return self.answer(self.find())

    def post(self, request: Request, **kwargs: str) -> Response:
        """Change it; a form that says nothing changes nothing."""
        row = self.find()
        given = self.given()
        if not given:
            self.if_version(row)
            return self.answer(row)
        return self.answer(self.update(row, given))

    def delete(self, request: Request, **kwargs: str) -> Response:
        """Delete it."""
        self.remove(self.find())
        return Response(status=204)

    def if_version(self, row: Any) -> int | None:
        """Return the version that a change must find, if the client named one.

        Raises `StaleState` when the row, as it was found, has none of the versions named.
        """
        return versions.expected(row, self.request.META.get("HTTP_IF_MATCH", ""))
