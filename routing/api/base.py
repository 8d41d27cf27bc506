"""Base views for list and instance resources.

A view builds the context of a request, calls the resource's operation, and renders the rows. It
declares what the API description says beyond the operation's parameters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from routing import models
from routing.api import idempotency, pagination
from routing.api.authentication import BasicAuthentication, Caller
from routing.api.parsers import FixedNegotiation, FormParser
from routing.fields.shapes import Shape
from routing.operations import base as operations
from routing.operations import rate_limits
from routing.operations.base import Arguments
from routing.operations.context import Context
from routing.operations.forms import Form, parse_query
from routing.operations.parameters import Param

READ_ONLY: Final = ["get", "head", "options"]
NO_DELETE: Final = ["get", "head", "post", "options"]
POST_ONLY: Final = ["post", "options"]


class AccountThrottle(BaseThrottle):
    """Throttle that counts requests by account, and adds its headers to every answer."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count an authenticated request; raises `ApiError` if it exceeds the limit."""
        assert isinstance(view, ResourceView)
        if request.user is None:
            return True
        use = rate_limits.count_request(view.caller.account.sid, now=view.now.timestamp())
        if use is not None:
            view.headers.update(use.headers)
            use.check()
        return True


class ResourceView(APIView):
    """Base view of every path: the caller, the context, the form and the time of the request."""

    authentication_classes = [BasicAuthentication]
    permission_classes = []
    throttle_classes = [AccountThrottle]
    parser_classes = [FormParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = FixedNegotiation
    http_method_names = ["get", "head", "post", "delete", "options"]

    operation_class: ClassVar[type[operations.Operation]] = operations.Operation
    shape: ClassVar[Shape]
    """What one row looks like in an answer."""
    beside: ClassVar[Shape | None] = None
    """What stands beside the list on a page, if anything."""
    created: ClassVar[int] = 200
    """The status of a POST that succeeds."""
    about: ClassVar[Mapping[str, str]]
    """By method, a summary line and an optional description."""
    filters: ClassVar[tuple[Param, ...]] = ()
    """The parameters of the query, where no operation declares them."""
    params: ClassVar[tuple[Param, ...]] = ()
    """The parameters of the form, where no operation declares them."""
    extra: ClassVar[tuple[Param, ...]] = ()
    """Parameters of the form that only some requests use."""
    json_params: ClassVar[tuple[Param, ...]] = ()
    """The parameters of a JSON body, where JSON is read as well as forms."""
    repeatable: ClassVar[bool] = False
    """Whether a POST takes an idempotency key."""
    sealed: ClassVar[bool] = False
    """Whether the answer to a POST contains a secret and is stored sealed."""
    refusals: ClassVar[Mapping[str, tuple[int, ...]]] = {}
    """By method, the error statuses beyond those that every method can return."""

    if TYPE_CHECKING:  # set by `dispatch`
        headers: dict[str, str]

    @classmethod
    def query_params(cls) -> tuple[Param, ...]:
        """Return the parameters of the query, without those of paging."""
        return cls.filters

    @classmethod
    def form_params(cls) -> tuple[Param, ...]:
        """Return the parameters of the form."""
        return (*cls.operation_class.params, *cls.params)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return the headers of every answer. Caches may not store it: it depends on the caller."""
        return {**super().default_response_headers, "Cache-Control": "no-store"}

    @property
    def caller(self) -> Caller:
        """Return the authenticated caller."""
        return cast(Caller, self.request.user)

    @cached_property
    def now(self) -> datetime:
        """Return the time of this request."""
        return timezone.now()

    @cached_property
    def base(self) -> str:
        """Return the URL of the API as the client reaches it."""
        return self.request.build_absolute_uri("/v1")

    @cached_property
    def context(self) -> Context:
        """Return the context of this request. Raises `NotFound` for an unknown workspace."""
        caller, path = self.caller, self.request.path
        sid = self.kwargs.get("workspace_sid")
        return Context(
            account=caller.account,
            actor=caller.actor,
            now=self.now,
            path=path,
            workspace=None
            if sid is None
            else operations.load_workspace(caller.account, sid, path=path),
            if_match=self.request.META.get("HTTP_IF_MATCH", ""),
        )

    @cached_property
    def operation(self) -> Any:
        """Return the operation of this request. Raises `NotFound` for an unknown workspace."""
        names = {name: sid for name, sid in self.kwargs.items() if name != "workspace_sid"}
        return self.operation_class(self.context, **names)

    @property
    def workspace(self) -> models.Workspace:
        """Return the workspace in the path, if it belongs to the caller."""
        workspace = self.context.workspace
        assert workspace is not None
        return workspace

    @property
    def form(self) -> Form:
        """Return the request's form."""
        return cast(Form, self.request.data)

    def read_query(self) -> Form:
        """Return the request's query as a form. Raises `ApiError`."""
        return parse_query(self.request.META.get("QUERY_STRING", ""))

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

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Return the allowed methods in `Allow`; browsers ask without credentials."""
        return Response(status=204)


class ListView(ResourceView):
    """View of a list: return pages of rows, and create a row if the resource allows it."""

    operation_class: ClassVar[type[operations.ListOperation[Any]]]
    key: ClassVar[str]
    created = 201
    repeatable = True

    @classmethod
    def query_params(cls) -> tuple[Param, ...]:
        """Return the filters of the list."""
        return cls.operation_class.filters

    def represent_page(self, rows: Sequence[Any], arguments: Arguments) -> list[dict[str, Any]]:
        """Return the representations of a page's rows."""
        return [self.represent(row) for row in rows]

    def get(self, request: Request, **names: str) -> Response:
        """Return one page."""
        form = self.read_query()
        with self.operation.open_query(form) as query:
            wanted = pagination.read_page_request(form, query.order)
            page = query.load_page(wanted)
        body = pagination.page_body(
            request,
            form,
            key=self.key,
            items=self.represent_page(page.rows, query.arguments),
            wanted=wanted,
            page=page,
            order=query.order,
        )
        return Response(body, headers=_page_version(page.rows))

    def post(self, request: Request, **names: str) -> Response:
        """Create a row. A wrong path is reported before a wrong form."""
        operation = self.operation
        return idempotency.answer_creation(
            self,
            lambda: self.answer(
                operation.create(operation.read_arguments(self.form)), status=self.created
            ),
        )


class InstanceView(ResourceView):
    """View of one row: return, change and delete it."""

    operation_class: ClassVar[type[operations.InstanceOperation[Any]]]

    def get(self, request: Request, **names: str) -> Response:
        """Return the row."""
        return self.answer(self.operation.find())

    def post(self, request: Request, **names: str) -> Response:
        """Change the row; an empty form changes nothing."""
        row = self.operation.find()
        return self.answer(self.operation.change(row, self.form))

    def delete(self, request: Request, **names: str) -> Response:
        """Delete the row."""
        self.operation.remove(self.operation.find())
        return Response(status=204)


def _page_version(rows: Sequence[Any]) -> dict[str, str] | None:
    """Return the ETag of a page whose rows have versions: a digest of those."""
    if not rows or not hasattr(rows[0], "version"):
        return None
    versions = " ".join(f"{row.sid}:{row.version}" for row in rows)
    return {"ETag": f'"{hashlib.sha256(versions.encode()).hexdigest()[:32]}"'}
